// What the page says in French. It says tu, as the assistant does. Before `?`, `!` and `;` stands a narrow space that
// does not break, `\u202f`, and before `:` a whole one, `\u00a0`.

import type { Phrases } from "./en";
import { pluralOf } from "./plural";

const plural = pluralOf("fr");

export const fr: Phrases = {
  app: {
    offline: "Tu es hors ligne.",
    unreachable: "Reelay est injoignable. Nouvel essai…",
    offlineBanner: "Tu es hors ligne. Ce que tu écris et envoies est gardé ici jusqu’à ton retour.",
    unreachableBanner: "Reelay est injoignable pour l’instant. Nouvel essai…",
    skip: "Aller au contenu",
    notFound: "Introuvable",
    noSuchPage: "Cette page n’existe pas.",
    start: "Commencer une nouvelle vidéo",
    partMissing: "Cette partie de la page n’a pas pu être chargée.",
    loading: "Chargement…",
    moment: "Un instant…",
  },

  act: {
    retry: "Réessayer",
    cancel: "Annuler",
    continue: "Continuer",
    keep: "Garder",
    signOut: "Se déconnecter",
    copied: "Copié",
    vary: "Faire une variante",
  },

  places: {
    newVideo: "Nouvelle vidéo",
    videos: "Vidéos",
    video: "Vidéo",
    usage: "Consommation",
    settings: "Réglages",
    conversation: "Conversation",
  },

  time: {
    yesterday: "Hier",
    at: (clock) => `à ${clock}`,
    tomorrowAt: (clock) => `demain à ${clock}`,
    /** The first of a month by its ordinal. */
    onAt: (date, clock) => `le ${date} à ${clock}`.replace(/^le 1(?=\s)/, "le 1er"),
    fewSecondsLeft: "Encore quelques secondes",
    left: (duration) => `Encore ${duration} environ`,
  },

  auth: {
    line: "Dis ce que tu veux voir. Regarde-le prendre vie.",
    create: "Crée ton compte",
    welcome: "Content de te revoir",
    name: "Nom",
    nameHint: "Facultatif. C’est ainsi que nous t’appellerons.",
    email: "E-mail",
    password: "Mot de passe",
    createAccount: "Créer le compte",
    signIn: "Se connecter",
    haveAccount: "Tu as déjà un compte\u202f?",
    newHere: "Première fois sur Reelay\u202f?",
    createOne: "Crée un compte",
    enterEmail: "Indique ton adresse e-mail, comme nom@example.com.",
    enterPassword: "Indique ton mot de passe.",
    passwordShort: (least) => `Ton mot de passe doit avoir au moins ${least} caractères.`,
    passwordLong: "Ce mot de passe est trop long.",
    nameWrong: "Ce nom est trop long ou contient des caractères invisibles.",
    sessionEnded: "Ta session a pris fin. Reconnecte-toi, s’il te plaît.",
  },

  home: {
    question: "Que filmons-nous\u202f?",
    questionTo: (name) => `Que filmons-nous, ${name}\u202f?`,
    about:
      "Dis-le avec tes propres mots. Nous ne demandons que ce qui manque, te montrons le prix et commençons " +
      "quand tu le dis.",
    describe: "Décris ta vidéo",
    describeHere: "Décris ta vidéo…",
    begin: "Ou commence par l’une de celles-ci",
    ideas: [
      "Un bateau en papier qui traverse une rue pluvieuse au crépuscule",
      "Un lent survol en drone de plantations de thé en terrasses au lever du soleil, 8 secondes",
      "Un renard à l’écharpe rouge attend le dernier train, en vertical, à l’aquarelle",
    ],
  },

  composer: {
    send: "Envoyer",
    tooLong: (over) => `Trop long\u00a0: enlève environ ${over} ${plural(over, "caractère", "caractères")}.`,
    pictureUnderWay: "Un instant, une image est en route.",
    messageUnderWay: "Un instant, ton dernier message est en route.",
  },

  pictures: {
    title: "Images",
    add: "Ajouter une image",
    one: (number) => `Image ${number}`,
    purposeOf: (name) => `À quoi sert ${name}`,
    remove: (name) => `Retirer ${name}`,
    removeOne: (number) => `Retirer l’image ${number}`,
    roles: { first_frame: "Commence par elle", last_frame: "Finit par elle", reference: "La montre" },
    wrongType: "Seules les images JPEG, PNG et WebP conviennent.",
    tooLarge: (limit) => `Cette image dépasse ${limit}.`,
    oneBegins: "Une vidéo commence par une seule image.",
    oneEnds: "Une vidéo finit par une seule image.",
    endNeedsBegin: "Une image de fin demande aussi une image de début.",
    takesSome: (model, most) => `${model} prend ${most} ${plural(most, "image", "images")} à montrer.`,
    takesNone: (model) => `${model} ne prend pas d’images à montrer.`,
    notBoth: (model) => `${model} prend des images de début et de fin ou des images à montrer, mais pas les deux.`,
    oneLeftOut: (model) => `${model} ne prend pas l’image, elle est donc laissée de côté.`,
    allLeftOut: (model) => `${model} ne prend pas les images, elles sont donc laissées de côté.`,
    someLeftOut: (model, left) =>
      `${model} ne prend pas ${left} des images, ` +
      `${plural(left, "elle est donc laissée", "elles sont donc laissées")} de côté.`,
  },

  chat: {
    messages: "Messages",
    message: "Message",
    messageHere: "Écris à Reelay…",
    you: "Toi",
    youNow: "Toi, à l’instant",
    notSent: "Non envoyé",
    notSentYet: "Pas encore envoyés",
    notSentFor: (reason) => `Non envoyé. ${reason}`,
    discard: "Jeter",
    edit: "Modifier",
    discardTitle: "Jeter ce message\u202f?",
    discardText: "Il n’a pas été envoyé et n’est gardé nulle part ailleurs.",
    rename: "Renommer",
    renameTitle: "Renommer la conversation",
    title: "Titre",
    delete: "Supprimer",
    deleteTitle: "Supprimer cette conversation\u202f?",
    deleteText:
      "Ses messages et ses vidéos disparaissent avec elle, et ce qui est en cours est annulé. C’est irréversible.",
    toEnd: "Aller au plus récent",
    loading: "Chargement de la conversation…",
    gone: "Cette conversation n’existe pas, ou elle n’est pas à toi.",
    empty: "Rien n’a encore été dit ici. Décris la vidéo que tu veux.",
    updates: (how) => `Nouvelles\u00a0: ${how}`,
    push: {
      live: "en direct",
      polling: "toutes les quelques secondes",
      offline: "hors ligne",
      connecting: "connexion en cours",
    },
  },

  sidebar: {
    menu: "Menu",
    close: "Fermer le menu",
    start: "Reelay, accueil",
    places: "Rubriques",
    signedIn: "Session ouverte",
    search: "Rechercher",
    searchLabel: "Rechercher dans les conversations",
    searching: "Recherche…",
    nothingFound: "Rien trouvé.",
    conversations: "Tes conversations",
    none: "Tes conversations apparaîtront ici.",
    older: "Voir les précédentes",
    untitled: "Sans titre",
  },

  card: {
    untitled: "Une nouvelle vidéo",
    details: "Détails",
    askedAs: "Demandé ainsi\u00a0:",
    spoken: (what) => `Vidéo\u00a0: ${what}`,
  },

  status: {
    pending_clarification: "Quelques questions",
    pending_confirmation: "Quand tu veux",
    confirmed: "Confirmée",
    queued: "Dans la file",
    processing: "En cours",
    completed: "Prête",
    failed: "Échec",
    cancelled: "Annulée",
  },

  stages: {
    confirmed: "Préparation",
    place: (place) => `Numéro ${place} dans la file`,
    next: "La prochaine dans la file",
    submitting: "Remise au modèle",
    generating: "Création des images",
    downloading: "Récupération du film",
    processing: "Vérification du film",
    uploading: "Rangement dans ta collection",
    retrying: "Cette prise a échoué, nouvel essai",
    other: "Création de ta vidéo",
  },

  facts: {
    length: "Durée",
    shape: "Format",
    shapes: { "16:9": "16:9, paysage", "9:16": "9:16, portrait", "1:1": "1:1, carré" },
    resolution: "Résolution",
    sound: "Son",
    style: "Style",
    without: "Sans",
    seed: "Graine",
    pictures: "Images",
    price: "Prix",
    yes: "Oui",
    no: "Non",
    madeIn: (duration) => `faite en ${duration}`,
  },

  questions: {
    needsAnswer: "Il faut une réponse ici.",
  },

  confirmation: {
    unknownPrice: "Inconnu",
    make: "Créer la vidéo",
    makeFor: (price) => `Créer pour ${price}`,
    change: "Changer les mots",
    words: "Ce que nous demandons au modèle",
    own: "Utiliser mes propres mots",
    priceChanged: (price) => `Le prix est maintenant de ${price}. Rien n’a encore commencé.`,
    priceUnsure: "Le prix a changé. Rien n’a encore commencé.",
    until: (moment) => `Chez toi, ce sera ${moment}.`,
    seeUsage: "Voir ce qui a été dépensé",
  },

  progress: {
    label: "Avancement de la vidéo",
    mayClose: "Tu peux fermer cette page, nous continuons sans toi.",
    tellMe: "Préviens-moi quand elle est prête",
    stopping: "Arrêt…",
    cost: "Ce que le fournisseur a commencé sera peut-être facturé.",
    stopTitle: "Arrêter cette vidéo\u202f?",
    stopText: "Ce qui en a été fait jusqu’ici est jeté.",
    stop: "L’arrêter",
    goOn: "Continuer",
  },

  player: {
    label: (prompt) => `Vidéo\u00a0: ${prompt}`,
    untitled: "sans titre",
    broken: "La vidéo n’a pas pu être chargée.",
    copyLink: "Copier le lien",
    linkCopied: "Lien copié.",
    download: "Télécharger",
  },

  ended: {
    retried: "Nouvel essai lancé.",
    change: "La changer",
    cancelled: "Cette vidéo a été annulée.",
    other: "Quelque chose s’est mal passé en route.",
    reasons: {
      content_filtered: "Le modèle n’a pas voulu la faire. La décrire autrement aidera peut-être.",
      invalid_request: "Le modèle n’accepte pas cette demande.",
      provider_unavailable: "Le service vidéo ne répond pas pour l’instant.",
      provider_quota: "Le service vidéo n’a plus de place pour l’instant.",
      provider_error: "Le service vidéo a rencontré une erreur.",
      timeout: "C’était trop long, nous avons donc arrêté.",
      invalid_video: "Ce qui est revenu est illisible.",
      storage_error: "La vidéo a été faite, mais n’a pas pu être enregistrée.",
      submission_unknown: "La remise au service vidéo s’est mal passée.",
      expired: "Elle n’a pas été confirmée dans les sept jours.",
    },
  },

  variation: {
    show: "Ce qu’elle doit montrer",
    model: "Modèle",
    about: "Environ",
  },

  gallery: {
    filters: "Quelles vidéos",
    all: "Toutes",
    none: "Tes vidéos seront accrochées ici.",
    noneOfThese: "Il n’y en a pas.",
  },

  video: {
    gone: "Cette vidéo n’existe pas, ou elle n’est pas à toi.",
    conversation: "Ouvrir la conversation",
    all: "Toutes les vidéos",
  },

  usage: {
    today: "Aujourd’hui",
    month: "Ce mois-ci",
    spentOf: (budget) => `dépensés sur ${budget}`,
    spent: "dépensés, sans limite",
    share: (spent, held) => `${spent} dépensés, ${held} réservés`,
    held: "Réservé aux vidéos en cours",
    left: "Reste",
    of: (count, allowed) => `${count} sur ${allowed}`,
    anew: (moment) => `Le compte repart à zéro ${moment}.`,
    now: "En ce moment",
    open: "Non terminées",
    queued: "Dont en cours",
    byModel: "Ce mois-ci par modèle",
    model: "Modèle",
    cost: "Coût",
  },

  settings: {
    appearance: "Apparence",
    system: "Comme le système",
    light: "Clair",
    dark: "Sombre",
    calm: "Ton système demande moins de mouvement, donc rien ne bouge ici tout seul.",
    lively: "Si ton système demande moins de mouvement, rien ne bouge ici tout seul.",
    language: "Langue",
    browser: "Comme le navigateur",
    languageHint: "L’assistant répond dans la langue dans laquelle tu écris.",
    languageMissing: (name) => `${name} n’a pas pu être chargé. Réessaie plus tard.`,
    notifications: "Notifications",
    tellMe: "Préviens-moi quand une vidéo est prête",
    permissions: {
      unsupported: "Ce navigateur ne montre pas de notifications de cette page.",
      denied:
        "Ce navigateur ne laisse pas la page te prévenir. Cela se change dans ses propres réglages pour ce site.",
      granted: "Seulement pour les vidéos qui se terminent quand cette page n’est pas visible.",
      default:
        "Seulement pour les vidéos qui se terminent quand cette page n’est pas visible. Le navigateur te " +
        "demandera d’abord.",
    },
    account: "Compte",
    programs: "Pour les programmes",
    programsText: "Tout ce que fait cette page, un programme peut le faire aussi\u00a0:",
    programsLink: "la description de l’API",
  },

  notify: {
    completed: "Ta vidéo est prête",
    failed: "Ta vidéo n’a pas pu être faite",
  },

  errors: {
    copyId: "Copier le code",
    idCopied: "Code copié.",
    internal: "Quelque chose s’est mal passé de notre côté.",
    internalWithId: (id) => `Quelque chose s’est mal passé de notre côté. Le code ${id} nous aide à le trouver.`,
    page: "Quelque chose s’est mal passé sur cette page. Réessaie, s’il te plaît.",
    unreachable: "Reelay était injoignable. Vérifie ta connexion et réessaie.",
    interrupted: "La page a été fermée, ou ta session a pris fin, avant l’envoi.",
    unavailable: "Ce n’est pas possible pour l’instant. Réessaie dans un moment.",
    rateLimited: "Cela fait beaucoup à la fois. Attends un moment et réessaie.",
    unauthenticated: "Connecte-toi d’abord, s’il te plaît.",
    wrongPassword: "L’adresse ou le mot de passe est incorrect.",
    emailTaken: "Il existe déjà un compte avec cette adresse.",
    notFound: "Cela n’existe plus, ou ce n’est pas à toi.",
    inFlight: "C’est encore en cours. Attends un moment.",
    invalidState: "Les choses ont avancé entre-temps, ce n’est donc plus possible.",
    tooMuch: "C’est trop grand pour être envoyé.",
    noPicture:
      "Cela ne convient pas comme image\u00a0: elle est abîmée, animée, trop petite ou trop " +
      "grande, ou d’un autre type que son nom ne le dit.",
    pictureGone: "Une image n’est plus conservée. Retire-la et ajoute-la de nouveau.",
    tooManyPictures: "Tu as ici autant d’images que possible. Attends que certaines expirent.",
  },
};
