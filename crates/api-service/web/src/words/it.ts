// What the page says in Italian. It says tu, as the assistant does.

import type { Phrases } from "./en";
import { pluralOf } from "./plural";

const plural = pluralOf("it");

export const it: Phrases = {
  app: {
    offline: "Sei offline.",
    unreachable: "Reelay non è raggiungibile. Nuovo tentativo…",
    offlineBanner: "Sei offline. Quello che scrivi e invii resta qui finché non torni online.",
    unreachableBanner: "In questo momento Reelay non è raggiungibile. Nuovo tentativo…",
    skip: "Vai al contenuto",
    notFound: "Non trovato",
    noSuchPage: "Questa pagina non esiste.",
    start: "Inizia un nuovo video",
    partMissing: "Questa parte della pagina non si è potuta caricare.",
    loading: "Caricamento…",
    moment: "Un momento…",
  },

  act: {
    retry: "Riprova",
    cancel: "Annulla",
    continue: "Continua",
    keep: "Tieni",
    signOut: "Esci",
    copied: "Copiato",
    vary: "Fai una variante",
  },

  places: {
    newVideo: "Nuovo video",
    videos: "Video",
    video: "Video",
    usage: "Consumi",
    settings: "Impostazioni",
    conversation: "Conversazione",
  },

  time: {
    yesterday: "Ieri",
    at: (clock) => `alle ore ${clock}`,
    tomorrowAt: (clock) => `domani alle ore ${clock}`,
    /** `l’8 dicembre`, and the first of a month by its ordinal. */
    onAt: (date, clock) =>
      `il ${date} alle ore ${clock}`.replace(/^il (?=(8|11)\s)/, "l’").replace(/^il 1(?=\s)/, "il 1º"),
    fewSecondsLeft: "Ancora qualche secondo",
    left: (duration) => `Ancora circa ${duration}`,
  },

  auth: {
    line: "Di’ cosa vuoi vedere. Guardalo prendere vita.",
    create: "Crea il tuo account",
    welcome: "È bello rivederti",
    name: "Nome",
    nameHint: "Facoltativo. È come ti chiameremo.",
    email: "E-mail",
    password: "Password",
    createAccount: "Crea account",
    signIn: "Accedi",
    haveAccount: "Hai già un account?",
    newHere: "È la tua prima volta su Reelay?",
    createOne: "Crea un account",
    enterEmail: "Inserisci il tuo indirizzo e-mail, come nome@example.com.",
    enterPassword: "Inserisci la tua password.",
    passwordShort: (least) => `La password deve avere almeno ${least} caratteri.`,
    passwordLong: "Questa password è troppo lunga.",
    nameWrong: "Questo nome è troppo lungo o ha caratteri che non si vedono.",
    sessionEnded: "La tua sessione è terminata. Accedi di nuovo.",
  },

  home: {
    question: "Cosa filmiamo?",
    questionTo: (name) => `Cosa filmiamo, ${name}?`,
    about:
      "Dillo con parole tue. Chiediamo solo quello che manca, ti mostriamo il prezzo e cominciamo quando lo dici tu.",
    describe: "Descrivi il tuo video",
    describeHere: "Descrivi il tuo video…",
    begin: "Oppure comincia con uno di questi",
    ideas: [
      "Una barchetta di carta che attraversa una strada sotto la pioggia al tramonto",
      "Un lento volo di drone su terrazze di tè all’alba, 8 secondi",
      "Una volpe con una sciarpa rossa aspetta l’ultimo treno, in verticale, ad acquerello",
    ],
  },

  composer: {
    send: "Invia",
    tooLong: (over) => `Troppo lungo: togli circa ${over} ${plural(over, "carattere", "caratteri")}.`,
    pictureUnderWay: "Un momento, un’immagine è in arrivo.",
    messageUnderWay: "Un momento, il tuo ultimo messaggio sta partendo.",
  },

  pictures: {
    title: "Immagini",
    add: "Aggiungi un’immagine",
    one: (number) => `Immagine ${number}`,
    purposeOf: (name) => `A cosa serve ${name}`,
    remove: (name) => `Rimuovi ${name}`,
    removeOne: (number) => `Rimuovi l’immagine ${number}`,
    roles: { first_frame: "Comincia così", last_frame: "Finisce così", reference: "La mostra" },
    wrongType: "Si possono usare solo immagini JPEG, PNG e WebP.",
    tooLarge: (limit) => `Questa immagine supera i ${limit}.`,
    oneBegins: "Un video comincia con una sola immagine.",
    oneEnds: "Un video finisce con una sola immagine.",
    endNeedsBegin: "Un’immagine per la fine ne richiede una per l’inizio.",
    takesSome: (model, most) => `${model} accetta ${most} ${plural(most, "immagine", "immagini")} da mostrare.`,
    takesNone: (model) => `${model} non accetta immagini da mostrare.`,
    notBoth: (model) => `${model} accetta immagini di inizio e fine oppure immagini da mostrare, non entrambe.`,
    oneLeftOut: (model) => `${model} non accetta l’immagine, quindi resta fuori.`,
    allLeftOut: (model) => `${model} non accetta le immagini, quindi restano fuori.`,
    someLeftOut: (model, left) =>
      `${model} non accetta ${left} delle immagini, quindi ${plural(left, "resta", "restano")} fuori.`,
  },

  chat: {
    messages: "Messaggi",
    message: "Messaggio",
    messageHere: "Scrivi a Reelay…",
    you: "Tu",
    youNow: "Tu, ora",
    notSent: "Non inviato",
    notSentYet: "Non ancora inviati",
    notSentFor: (reason) => `Non inviato. ${reason}`,
    discard: "Elimina",
    edit: "Modifica",
    discardTitle: "Eliminare questo messaggio?",
    discardText: "Non è stato inviato e non è conservato altrove.",
    rename: "Rinomina",
    renameTitle: "Rinomina la conversazione",
    title: "Titolo",
    delete: "Elimina",
    deleteTitle: "Eliminare questa conversazione?",
    deleteText:
      "Con lei spariscono i suoi messaggi e i suoi video, e quello che è in lavorazione viene annullato. Non si " +
      "può tornare indietro.",
    toEnd: "Vai al più recente",
    loading: "Caricamento della conversazione…",
    gone: "Questa conversazione non esiste o non è tua.",
    empty: "Qui non è ancora stato detto niente. Descrivi il video che vuoi.",
    updates: (how) => `Aggiornamenti: ${how}`,
    push: {
      live: "in tempo reale",
      polling: "ogni pochi secondi",
      offline: "offline",
      connecting: "connessione in corso",
    },
  },

  sidebar: {
    menu: "Menu",
    close: "Chiudi il menu",
    start: "Reelay, inizio",
    places: "Sezioni",
    signedIn: "Accesso effettuato",
    search: "Cerca",
    searchLabel: "Cerca nelle conversazioni",
    searching: "Ricerca…",
    nothingFound: "Nessun risultato.",
    conversations: "Le tue conversazioni",
    none: "Qui troverai le tue conversazioni.",
    older: "Mostra precedenti",
    untitled: "Senza titolo",
  },

  card: {
    untitled: "Un nuovo video",
    details: "Dettagli",
    askedAs: "Richiesto come",
    spoken: (what) => `Video: ${what}`,
  },

  status: {
    pending_clarification: "Qualche domanda",
    pending_confirmation: "Quando vuoi tu",
    confirmed: "Confermato",
    queued: "In coda",
    processing: "In lavorazione",
    completed: "Pronto",
    failed: "Non riuscito",
    cancelled: "Annullato",
  },

  stages: {
    confirmed: "In preparazione",
    place: (place) => `Numero ${place} in coda`,
    next: "Il prossimo in coda",
    submitting: "Consegna al modello",
    generating: "Creazione delle immagini",
    downloading: "Recupero delle riprese",
    processing: "Controllo delle riprese",
    uploading: "Arrivo nella tua raccolta",
    retrying: "Quel ciak è fallito, si riprova",
    other: "Creazione del tuo video",
  },

  facts: {
    length: "Durata",
    shape: "Formato",
    shapes: { "16:9": "16:9, orizzontale", "9:16": "9:16, verticale", "1:1": "1:1, quadrato" },
    resolution: "Risoluzione",
    sound: "Audio",
    style: "Stile",
    without: "Senza",
    seed: "Seme",
    pictures: "Immagini",
    price: "Prezzo",
    yes: "Sì",
    no: "No",
    madeIn: (duration) => `fatto in ${duration}`,
  },

  questions: {
    needsAnswer: "Qui serve una risposta.",
  },

  confirmation: {
    unknownPrice: "Sconosciuto",
    make: "Crea il video",
    makeFor: (price) => `Crea per ${price}`,
    change: "Cambia le parole",
    words: "Cosa chiediamo al modello",
    own: "Usa le mie parole",
    priceChanged: (price) => `Il prezzo è cambiato: ora è ${price}. Non è ancora cominciato niente.`,
    priceUnsure: "Il prezzo è cambiato. Non è ancora cominciato niente.",
    until: (moment) => `Da te sarà ${moment}.`,
    seeUsage: "Guarda quanto si è speso",
  },

  progress: {
    label: "Avanzamento del video",
    mayClose: "Puoi chiudere questa pagina, noi andiamo avanti.",
    tellMe: "Avvisami quando è pronto",
    stopping: "Interruzione…",
    cost: "Ciò che il fornitore ha iniziato potrebbe essere addebitato.",
    stopTitle: "Interrompere questo video?",
    stopText: "Quello che è stato fatto finora viene buttato.",
    stop: "Interrompi",
    goOn: "Vai avanti",
  },

  player: {
    label: (prompt) => `Video: ${prompt}`,
    untitled: "senza titolo",
    broken: "Il video non si è potuto caricare.",
    copyLink: "Copia link",
    linkCopied: "Link copiato.",
    download: "Scarica",
  },

  ended: {
    retried: "Si è riprovato.",
    change: "Cambialo",
    cancelled: "Questo video è stato annullato.",
    other: "Qualcosa è andato storto lungo la strada.",
    reasons: {
      content_filtered: "Il modello non ha voluto farlo. Descriverlo in un altro modo può aiutare.",
      invalid_request: "Il modello non accetta questa richiesta.",
      provider_unavailable: "Il servizio video al momento non risponde.",
      provider_quota: "Per ora il servizio video non ha più capacità.",
      provider_error: "Il servizio video ha avuto un errore.",
      timeout: "Ci è voluto troppo tempo, quindi ci siamo fermati.",
      invalid_video: "Quello che è arrivato non si può riprodurre.",
      storage_error: "Il video è stato fatto, ma non si è potuto salvare.",
      submission_unknown: "Qualcosa è andato storto nella consegna al servizio video.",
      expired: "Non è stato confermato entro sette giorni.",
    },
  },

  variation: {
    show: "Cosa deve mostrare",
    model: "Modello",
    about: "Circa",
  },

  gallery: {
    filters: "Quali video",
    all: "Tutti",
    none: "I tuoi video saranno appesi qui.",
    noneOfThese: "Non ce n’è nessuno.",
  },

  video: {
    gone: "Questo video non esiste o non è tuo.",
    conversation: "Apri la conversazione",
    all: "Tutti i video",
  },

  usage: {
    today: "Oggi",
    month: "Questo mese",
    spentOf: (budget) => `spesi su ${budget}`,
    spent: "spesi, senza limite",
    share: (spent, held) => `${spent} speso, ${held} riservato`,
    held: "Riservato ai video in lavorazione",
    left: "Resta",
    of: (count, allowed) => `${count} di ${allowed}`,
    anew: (moment) => `Ricomincia ${moment}.`,
    now: "In questo momento",
    open: "Non finiti",
    queued: "Di questi in lavorazione",
    byModel: "Questo mese per modello",
    model: "Modello",
    cost: "Costo",
  },

  settings: {
    appearance: "Aspetto",
    system: "Come il sistema",
    light: "Chiaro",
    dark: "Scuro",
    calm: "Il tuo sistema chiede meno movimento, quindi qui niente si muove da solo.",
    lively: "Se il tuo sistema chiede meno movimento, qui niente si muove da solo.",
    language: "Lingua",
    browser: "Come il browser",
    languageHint: "L’assistente risponde nella lingua in cui scrivi.",
    languageMissing: (name) => `${name} non si è potuto caricare. Riprova più tardi.`,
    notifications: "Notifiche",
    tellMe: "Avvisami quando un video è pronto",
    permissions: {
      unsupported: "Questo browser non mostra notifiche di questa pagina.",
      denied:
        "Questo browser non permette alla pagina di avvisarti. Si cambia nelle sue impostazioni per questo sito.",
      granted: "Solo per i video che finiscono mentre questa pagina non è in vista.",
      default: "Solo per i video che finiscono mentre questa pagina non è in vista. Prima il browser te lo chiederà.",
    },
    account: "Account",
    programs: "Per i programmi",
    programsText: "Tutto quello che fa questa pagina può farlo anche un programma:",
    programsLink: "la descrizione dell’API",
  },

  notify: {
    completed: "Il tuo video è pronto",
    failed: "Il tuo video non è riuscito",
  },

  errors: {
    copyId: "Copia il codice",
    idCopied: "Codice copiato.",
    internal: "Qualcosa è andato storto da parte nostra.",
    internalWithId: (id) => `Qualcosa è andato storto da parte nostra. Il codice ${id} ci aiuta a trovarlo.`,
    page: "Qualcosa è andato storto in questa pagina. Riprova, per favore.",
    unreachable: "Reelay non era raggiungibile. Controlla la connessione e riprova.",
    interrupted: "La pagina è stata chiusa o la sessione è terminata prima dell’invio.",
    unavailable: "In questo momento non è possibile. Riprova tra poco.",
    rateLimited: "Troppe richieste in una volta. Aspetta un momento e riprova.",
    unauthenticated: "Prima accedi, per favore.",
    wrongPassword: "L’indirizzo o la password non sono corretti.",
    emailTaken: "Esiste già un account con questo indirizzo.",
    notFound: "Questo non esiste più o non è tuo.",
    inFlight: "Ci stiamo ancora lavorando. Aspetta un momento.",
    invalidState: "Nel frattempo è andato avanti, quindi non si può più fare.",
    tooMuch: "È troppo grande per essere inviato.",
    noPicture:
      "Non va bene come immagine: è danneggiata, si muove, è troppo piccola o " +
      "troppo grande, oppure è di un altro tipo rispetto a quanto dice il nome.",
    pictureGone: "Un’immagine non è più conservata. Rimuovila e aggiungila di nuovo.",
    tooManyPictures: "Hai già qui tutte le immagini che si possono avere. Aspetta che qualcuna scada.",
  },
};
