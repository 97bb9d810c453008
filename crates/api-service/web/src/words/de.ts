// What the page says in German. It says du, as the assistant does.

import type { Phrases } from "./en";
import { pluralOf } from "./plural";

const plural = pluralOf("de");

export const de: Phrases = {
  app: {
    offline: "Du bist offline.",
    unreachable: "Reelay ist nicht erreichbar. Neuer Versuch …",
    offlineBanner: "Du bist offline. Was du schreibst und sendest, bleibt hier, bis du wieder da bist.",
    unreachableBanner: "Reelay ist gerade nicht erreichbar. Neuer Versuch …",
    skip: "Zum Inhalt springen",
    notFound: "Nicht gefunden",
    noSuchPage: "Diese Seite gibt es nicht.",
    start: "Neues Video beginnen",
    partMissing: "Dieser Teil der Seite konnte nicht geladen werden.",
    loading: "Lädt …",
    moment: "Einen Moment …",
  },

  act: {
    retry: "Noch einmal versuchen",
    cancel: "Abbrechen",
    continue: "Weiter",
    keep: "Behalten",
    signOut: "Abmelden",
    copied: "Kopiert",
    vary: "Variante machen",
  },

  places: {
    newVideo: "Neues Video",
    videos: "Videos",
    video: "Video",
    usage: "Verbrauch",
    settings: "Einstellungen",
    conversation: "Unterhaltung",
  },

  time: {
    yesterday: "Gestern",
    at: (clock) => `um ${clock}`,
    tomorrowAt: (clock) => `morgen um ${clock}`,
    onAt: (date, clock) => `am ${date} um ${clock}`,
    fewSecondsLeft: "Noch ein paar Sekunden",
    left: (duration) => `Noch etwa ${duration}`,
  },

  auth: {
    line: "Sag, was du sehen möchtest. Sieh zu, wie es entsteht.",
    create: "Konto anlegen",
    welcome: "Willkommen zurück",
    name: "Name",
    nameHint: "Freiwillig. So sprechen wir dich an.",
    email: "E-Mail",
    password: "Passwort",
    createAccount: "Konto anlegen",
    signIn: "Anmelden",
    haveAccount: "Hast du schon ein Konto?",
    newHere: "Neu bei Reelay?",
    createOne: "Leg ein Konto an",
    enterEmail: "Gib deine E-Mail-Adresse ein, etwa name@example.com.",
    enterPassword: "Gib dein Passwort ein.",
    passwordShort: (least) => `Dein Passwort braucht mindestens ${least} Zeichen.`,
    passwordLong: "Dieses Passwort ist zu lang.",
    nameWrong: "Dieser Name ist zu lang oder enthält Zeichen, die man nicht sieht.",
    sessionEnded: "Deine Sitzung ist abgelaufen. Bitte melde dich wieder an.",
  },

  home: {
    question: "Was wollen wir filmen?",
    questionTo: (name) => `Was wollen wir filmen, ${name}?`,
    about:
      "Sag es mit deinen eigenen Worten. Wir fragen nur nach dem, was fehlt, zeigen dir den Preis und fangen an, " +
      "wenn du es sagst.",
    describe: "Beschreib dein Video",
    describeHere: "Beschreib dein Video …",
    begin: "Oder fang mit einem davon an",
    ideas: [
      "Ein Papierboot, das in der Dämmerung über eine verregnete Straße fährt",
      "Ein langsamer Drohnenflug über terrassierte Teefelder bei Sonnenaufgang, 8 Sekunden",
      "Ein Fuchs mit rotem Schal wartet auf den letzten Zug, im Hochformat, als Aquarell",
    ],
  },

  composer: {
    send: "Senden",
    tooLong: (over) => `Zu lang: Bitte kürze um etwa ${over} Zeichen.`,
    pictureUnderWay: "Einen Moment, ein Bild ist noch unterwegs.",
    messageUnderWay: "Einen Moment, deine letzte Nachricht ist noch unterwegs.",
  },

  pictures: {
    title: "Bilder",
    add: "Bild hinzufügen",
    one: (number) => `Bild ${number}`,
    purposeOf: (name) => `Wofür ${name} ist`,
    remove: (name) => `${name} entfernen`,
    removeOne: (number) => `Bild ${number} entfernen`,
    roles: { first_frame: "Beginnt damit", last_frame: "Endet damit", reference: "Zeigt es" },
    wrongType: "Es gehen nur Bilder im Format JPEG, PNG oder WebP.",
    tooLarge: (limit) => `Dieses Bild ist größer als ${limit}.`,
    oneBegins: "Ein Video beginnt mit einem einzigen Bild.",
    oneEnds: "Ein Video endet mit einem einzigen Bild.",
    endNeedsBegin: "Ein Bild für das Ende braucht auch eines für den Anfang.",
    takesSome: (model, most) => `${model} nimmt ${most} ${plural(most, "Bild", "Bilder")} zum Zeigen.`,
    takesNone: (model) => `${model} nimmt keine Bilder zum Zeigen.`,
    notBoth: (model) => `${model} nimmt Bilder für Anfang und Ende oder Bilder zum Zeigen, aber nicht beides.`,
    oneLeftOut: (model) => `${model} nimmt das Bild nicht, es bleibt deshalb weg.`,
    allLeftOut: (model) => `${model} nimmt die Bilder nicht, sie bleiben deshalb weg.`,
    someLeftOut: (model, left) =>
      `${model} nimmt ${left} der Bilder nicht, ${plural(left, "es bleibt", "sie bleiben")} deshalb weg.`,
  },

  chat: {
    messages: "Nachrichten",
    message: "Nachricht",
    messageHere: "Nachricht an Reelay …",
    you: "Du",
    youNow: "Du, gerade eben",
    notSent: "Nicht gesendet",
    notSentYet: "Noch nicht gesendet",
    notSentFor: (reason) => `Nicht gesendet. ${reason}`,
    discard: "Verwerfen",
    edit: "Bearbeiten",
    discardTitle: "Diese Nachricht verwerfen?",
    discardText: "Sie wurde nicht gesendet und ist sonst nirgends gespeichert.",
    rename: "Umbenennen",
    renameTitle: "Unterhaltung umbenennen",
    title: "Titel",
    delete: "Löschen",
    deleteTitle: "Diese Unterhaltung löschen?",
    deleteText:
      "Ihre Nachrichten und Videos verschwinden mit ihr, und was gerade gemacht wird, wird abgebrochen. Das " +
      "lässt sich nicht rückgängig machen.",
    toEnd: "Zum Neuesten",
    loading: "Die Unterhaltung wird geladen …",
    gone: "Diese Unterhaltung gibt es nicht, oder sie gehört dir nicht.",
    empty: "Hier wurde noch nichts gesagt. Beschreib das Video, das du möchtest.",
    updates: (how) => `Neuigkeiten: ${how}`,
    push: {
      live: "sofort",
      polling: "alle paar Sekunden",
      offline: "offline",
      connecting: "wird verbunden",
    },
  },

  sidebar: {
    menu: "Menü",
    close: "Menü schließen",
    start: "Reelay, Startseite",
    places: "Bereiche",
    signedIn: "Angemeldet",
    search: "Suchen",
    searchLabel: "Unterhaltungen durchsuchen",
    searching: "Sucht …",
    nothingFound: "Nichts gefunden.",
    conversations: "Deine Unterhaltungen",
    none: "Hier werden deine Unterhaltungen stehen.",
    older: "Ältere zeigen",
    untitled: "Ohne Titel",
  },

  card: {
    untitled: "Ein neues Video",
    details: "Einzelheiten",
    askedAs: "Bestellt als",
    spoken: (what) => `Video: ${what}`,
  },

  status: {
    pending_clarification: "Ein paar Fragen",
    pending_confirmation: "Bereit, wenn du es bist",
    confirmed: "Bestätigt",
    queued: "In der Warteschlange",
    processing: "In Arbeit",
    completed: "Fertig",
    failed: "Nicht gelungen",
    cancelled: "Abgebrochen",
  },

  stages: {
    confirmed: "Wird vorbereitet",
    place: (place) => `Nummer ${place} in der Warteschlange`,
    next: "Als Nächstes an der Reihe",
    submitting: "Geht an das Modell",
    generating: "Die Bilder entstehen",
    downloading: "Die Aufnahme wird geholt",
    processing: "Die Aufnahme wird geprüft",
    uploading: "Kommt in deine Sammlung",
    retrying: "Das ging schief, neuer Versuch",
    other: "Dein Video entsteht",
  },

  facts: {
    length: "Länge",
    shape: "Format",
    shapes: { "16:9": "16:9, quer", "9:16": "9:16, hoch", "1:1": "1:1, quadratisch" },
    resolution: "Auflösung",
    sound: "Ton",
    style: "Stil",
    without: "Ohne",
    seed: "Seed",
    pictures: "Bilder",
    price: "Preis",
    yes: "Ja",
    no: "Nein",
    madeIn: (duration) => `in ${duration} gemacht`,
  },

  questions: {
    needsAnswer: "Das braucht eine Antwort.",
  },

  confirmation: {
    unknownPrice: "Nicht bekannt",
    make: "Los geht’s",
    makeFor: (price) => `Für ${price} machen`,
    change: "Worte ändern",
    words: "Was wir beim Modell bestellen",
    own: "Meine eigenen Worte nehmen",
    priceChanged: (price) => `Der Preis ist jetzt ${price}. Es wurde noch nichts begonnen.`,
    priceUnsure: "Der Preis hat sich geändert. Es wurde noch nichts begonnen.",
    until: (moment) => `Das ist bei dir ${moment}.`,
    seeUsage: "Ansehen, was ausgegeben wurde",
  },

  progress: {
    label: "Fortschritt des Videos",
    mayClose: "Du kannst diese Seite schließen, wir machen ohne dich weiter.",
    tellMe: "Sag mir, wenn es fertig ist",
    stopping: "Wird abgebrochen …",
    cost: "Was der Anbieter begonnen hat, wird vielleicht berechnet.",
    stopTitle: "Dieses Video abbrechen?",
    stopText: "Was bisher davon entstanden ist, wird weggeworfen.",
    stop: "Abbrechen",
    goOn: "Weitermachen",
  },

  player: {
    label: (prompt) => `Video: ${prompt}`,
    untitled: "ohne Titel",
    broken: "Das Video konnte nicht geladen werden.",
    copyLink: "Link kopieren",
    linkCopied: "Link kopiert.",
    download: "Herunterladen",
  },

  ended: {
    retried: "Noch einmal versucht.",
    change: "Ändern",
    cancelled: "Dieses Video wurde abgebrochen.",
    other: "Unterwegs ist etwas schiefgegangen.",
    reasons: {
      content_filtered: "Das Modell wollte das nicht machen. Eine andere Beschreibung hilft vielleicht.",
      invalid_request: "Das Modell nimmt diese Anfrage nicht an.",
      provider_unavailable: "Der Videodienst antwortet gerade nicht.",
      provider_quota: "Der Videodienst hat im Moment keinen Platz mehr.",
      provider_error: "Beim Videodienst ist ein Fehler aufgetreten.",
      timeout: "Es hat zu lange gedauert, deshalb haben wir aufgehört.",
      invalid_video: "Was zurückkam, lässt sich nicht abspielen.",
      storage_error: "Das Video wurde gemacht, konnte aber nicht gespeichert werden.",
      submission_unknown: "Bei der Übergabe an den Videodienst ist etwas schiefgegangen.",
      expired: "Es wurde sieben Tage lang nicht bestätigt.",
    },
  },

  variation: {
    show: "Was es zeigen soll",
    model: "Modell",
    about: "Etwa",
  },

  gallery: {
    filters: "Welche Videos",
    all: "Alle",
    none: "Hier werden deine Videos hängen.",
    noneOfThese: "Davon gibt es keine.",
  },

  video: {
    gone: "Dieses Video gibt es nicht, oder es gehört dir nicht.",
    conversation: "Unterhaltung öffnen",
    all: "Alle Videos",
  },

  usage: {
    today: "Heute",
    month: "Diesen Monat",
    spentOf: (budget) => `ausgegeben von ${budget}`,
    spent: "ausgegeben, ohne Grenze",
    share: (spent, held) => `${spent} ausgegeben, ${held} vorgemerkt`,
    held: "Vorgemerkt für Videos in Arbeit",
    left: "Übrig",
    of: (count, allowed) => `${count} von ${allowed}`,
    anew: (moment) => `Es beginnt ${moment} von vorn.`,
    now: "Gerade jetzt",
    open: "Noch offen",
    queued: "Davon in Arbeit",
    byModel: "Dieser Monat nach Modell",
    model: "Modell",
    cost: "Kosten",
  },

  settings: {
    appearance: "Aussehen",
    system: "Wie das System",
    light: "Hell",
    dark: "Dunkel",
    calm: "Dein System wünscht weniger Bewegung, deshalb bewegt sich hier nichts von selbst.",
    lively: "Wenn dein System weniger Bewegung wünscht, bewegt sich hier nichts von selbst.",
    language: "Sprache",
    browser: "Wie der Browser",
    languageHint: "Der Assistent antwortet in der Sprache, in der du schreibst.",
    languageMissing: (name) => `${name} konnte nicht geladen werden. Bitte versuch es später noch einmal.`,
    notifications: "Mitteilungen",
    tellMe: "Sag mir, wenn ein Video fertig ist",
    permissions: {
      unsupported: "Dieser Browser zeigt keine Mitteilungen dieser Seite.",
      denied:
        "Dieser Browser lässt keine Mitteilungen dieser Seite zu. Das ändern seine eigenen Einstellungen für " +
        "diese Seite.",
      granted: "Nur für Videos, die enden, während diese Seite nicht zu sehen ist.",
      default: "Nur für Videos, die enden, während diese Seite nicht zu sehen ist. Der Browser fragt dich vorher.",
    },
    account: "Konto",
    programs: "Für Programme",
    programsText: "Alles, was diese Seite tut, kann auch ein Programm tun:",
    programsLink: "die Beschreibung der API",
  },

  notify: {
    completed: "Dein Video ist fertig",
    failed: "Dein Video ist nicht gelungen",
  },

  errors: {
    copyId: "Kennung kopieren",
    idCopied: "Kennung kopiert.",
    internal: "Bei uns ist etwas schiefgegangen.",
    internalWithId: (id) => `Bei uns ist etwas schiefgegangen. Mit der Kennung ${id} finden wir es leichter.`,
    page: "Auf dieser Seite ist etwas schiefgegangen. Bitte versuch es noch einmal.",
    unreachable: "Reelay war nicht erreichbar. Prüf deine Verbindung und versuch es noch einmal.",
    interrupted: "Die Seite wurde geschlossen oder deine Sitzung endete, bevor die Nachricht unterwegs war.",
    unavailable: "Das geht gerade nicht. Versuch es gleich noch einmal.",
    rateLimited: "Das war viel auf einmal. Warte bitte einen Moment und versuch es dann noch einmal.",
    unauthenticated: "Bitte melde dich erst an.",
    wrongPassword: "Die Adresse oder das Passwort stimmt nicht.",
    emailTaken: "Mit dieser Adresse gibt es schon ein Konto.",
    notFound: "Das gibt es nicht mehr, oder es gehört dir nicht.",
    inFlight: "Daran wird noch gearbeitet. Bitte warte einen Moment.",
    invalidState: "Es ist inzwischen weitergegangen, deshalb geht das nicht mehr.",
    tooMuch: "Das ist zu groß zum Senden.",
    noPicture:
      "Das geht nicht als Bild: Es ist beschädigt, bewegt sich, ist zu klein oder zu groß oder " +
      "von einem anderen Typ, als sein Name sagt.",
    pictureGone: "Ein Bild ist nicht mehr da. Bitte entferne es und füge es neu hinzu.",
    tooManyPictures: "Du hast schon so viele Bilder hier, wie man haben kann. Warte, bis einige davon ablaufen.",
  },
};
