// What the page says in Spanish. It says tú and “video”, as the assistant does.

import type { Phrases } from "./en";
import { pluralOf } from "./plural";

const plural = pluralOf("es");

/** `a las 18:05`, but `a la 1:05`. */
const at = (clock: string) => `${/^0?1\D/.test(clock) ? "a la" : "a las"} ${clock}`;

export const es: Phrases = {
  app: {
    offline: "No tienes conexión.",
    unreachable: "No se puede contactar con Reelay. Reintentando…",
    offlineBanner: "No tienes conexión. Lo que escribas y envíes se guarda aquí hasta que vuelvas.",
    unreachableBanner: "Ahora mismo no se puede contactar con Reelay. Reintentando…",
    skip: "Ir al contenido",
    notFound: "No encontrado",
    noSuchPage: "Esta página no existe.",
    start: "Empezar un video nuevo",
    partMissing: "No se pudo cargar esta parte de la página.",
    loading: "Cargando…",
    moment: "Un momento…",
  },

  act: {
    retry: "Intentar de nuevo",
    cancel: "Cancelar",
    continue: "Continuar",
    keep: "Conservar",
    signOut: "Cerrar sesión",
    copied: "Copiado",
    vary: "Hacer una variante",
  },

  places: {
    newVideo: "Video nuevo",
    videos: "Videos",
    video: "Video",
    usage: "Consumo",
    settings: "Ajustes",
    conversation: "Conversación",
  },

  time: {
    yesterday: "Ayer",
    at,
    tomorrowAt: (clock) => `mañana ${at(clock)}`,
    onAt: (date, clock) => `el ${date} ${at(clock)}`,
    fewSecondsLeft: "Faltan unos segundos",
    left: (duration) => `Faltan unos ${duration}`,
  },

  auth: {
    line: "Di lo que quieres ver. Mira cómo cobra vida.",
    create: "Crea tu cuenta",
    welcome: "Te damos la bienvenida de nuevo",
    name: "Nombre",
    nameHint: "Opcional. Así te llamaremos.",
    email: "Correo electrónico",
    password: "Contraseña",
    createAccount: "Crear cuenta",
    signIn: "Iniciar sesión",
    haveAccount: "¿Ya tienes una cuenta?",
    newHere: "¿Es tu primera vez en Reelay?",
    createOne: "Crea una cuenta",
    enterEmail: "Escribe tu correo electrónico, como nombre@example.com.",
    enterPassword: "Escribe tu contraseña.",
    passwordShort: (least) => `Tu contraseña necesita al menos ${least} caracteres.`,
    passwordLong: "Esta contraseña es demasiado larga.",
    nameWrong: "Este nombre es demasiado largo o tiene caracteres que no se ven.",
    sessionEnded: "Tu sesión ha terminado. Inicia sesión de nuevo.",
  },

  home: {
    question: "¿Qué filmamos?",
    questionTo: (name) => `¿Qué filmamos, ${name}?`,
    about:
      "Dilo con tus propias palabras. Solo preguntamos lo que falta, te mostramos el precio y empezamos cuando " +
      "tú digas.",
    describe: "Describe tu video",
    describeHere: "Describe tu video…",
    begin: "O empieza con uno de estos",
    ideas: [
      "Un barco de papel cruzando una calle lluviosa al atardecer",
      "Un vuelo lento de dron sobre terrazas de té al amanecer, 8 segundos",
      "Un zorro con una bufanda roja espera el último tren, en vertical, en acuarela",
    ],
  },

  composer: {
    send: "Enviar",
    tooLong: (over) => `Demasiado largo: quita unos ${over} ${plural(over, "carácter", "caracteres")}.`,
    pictureUnderWay: "Un momento, hay una imagen en camino.",
    messageUnderWay: "Un momento, tu último mensaje está en camino.",
  },

  pictures: {
    title: "Imágenes",
    add: "Añadir una imagen",
    one: (number) => `Imagen ${number}`,
    purposeOf: (name) => `Para qué es ${name}`,
    remove: (name) => `Quitar ${name}`,
    removeOne: (number) => `Quitar la imagen ${number}`,
    roles: { first_frame: "Empieza con ella", last_frame: "Termina con ella", reference: "La muestra" },
    wrongType: "Solo se pueden usar imágenes JPEG, PNG y WebP.",
    tooLarge: (limit) => `Esta imagen ocupa más de ${limit}.`,
    oneBegins: "Un video empieza con una sola imagen.",
    oneEnds: "Un video termina con una sola imagen.",
    endNeedsBegin: "Una imagen para el final necesita otra para el principio.",
    takesSome: (model, most) => `${model} admite ${most} ${plural(most, "imagen", "imágenes")} para mostrar.`,
    takesNone: (model) => `${model} no admite imágenes para mostrar.`,
    notBoth: (model) => `${model} admite imágenes de principio y final o imágenes para mostrar, pero no ambas cosas.`,
    oneLeftOut: (model) => `${model} no admite la imagen, así que se deja fuera.`,
    allLeftOut: (model) => `${model} no admite las imágenes, así que se dejan fuera.`,
    someLeftOut: (model, left) =>
      `${model} no admite ${left} de las imágenes, así que ${plural(left, "se deja", "se dejan")} fuera.`,
  },

  chat: {
    messages: "Mensajes",
    message: "Mensaje",
    messageHere: "Mensaje para Reelay…",
    you: "Tú",
    youNow: "Tú, ahora",
    notSent: "No enviado",
    notSentYet: "Aún sin enviar",
    notSentFor: (reason) => `No enviado. ${reason}`,
    discard: "Descartar",
    edit: "Editar",
    discardTitle: "¿Descartar este mensaje?",
    discardText: "No se envió y no está guardado en ningún otro lugar.",
    rename: "Cambiar nombre",
    renameTitle: "Cambiar el nombre de la conversación",
    title: "Título",
    delete: "Eliminar",
    deleteTitle: "¿Eliminar esta conversación?",
    deleteText:
      "Sus mensajes y videos se van con ella, y lo que se está haciendo se cancela. Esto no se puede deshacer.",
    toEnd: "Ir a lo más reciente",
    loading: "Cargando la conversación…",
    gone: "Esta conversación no existe o no es tuya.",
    empty: "Aquí aún no se ha dicho nada. Describe el video que quieres.",
    updates: (how) => `Novedades: ${how}`,
    push: {
      live: "al instante",
      polling: "cada pocos segundos",
      offline: "sin conexión",
      connecting: "conectando",
    },
  },

  sidebar: {
    menu: "Menú",
    close: "Cerrar el menú",
    start: "Reelay, inicio",
    places: "Secciones",
    signedIn: "Sesión iniciada",
    search: "Buscar",
    searchLabel: "Buscar en las conversaciones",
    searching: "Buscando…",
    nothingFound: "No se encontró nada.",
    conversations: "Tus conversaciones",
    none: "Aquí aparecerán tus conversaciones.",
    older: "Ver anteriores",
    untitled: "Sin título",
  },

  card: {
    untitled: "Un video nuevo",
    details: "Detalles",
    askedAs: "Pedido como",
    spoken: (what) => `Video: ${what}`,
  },

  status: {
    pending_clarification: "Unas preguntas",
    pending_confirmation: "Cuando tú digas",
    confirmed: "Confirmado",
    queued: "En cola",
    processing: "En proceso",
    completed: "Listo",
    failed: "No se hizo",
    cancelled: "Cancelado",
  },

  stages: {
    confirmed: "Preparando",
    place: (place) => `Número ${place} en la cola`,
    next: "El siguiente en la cola",
    submitting: "Entregándolo al modelo",
    generating: "Creando las imágenes",
    downloading: "Recogiendo la grabación",
    processing: "Revisando la grabación",
    uploading: "Guardándolo en tu colección",
    retrying: "Esa toma falló, otra vez",
    other: "Haciendo tu video",
  },

  facts: {
    length: "Duración",
    shape: "Formato",
    shapes: { "16:9": "16:9, horizontal", "9:16": "9:16, vertical", "1:1": "1:1, cuadrado" },
    resolution: "Resolución",
    sound: "Sonido",
    style: "Estilo",
    without: "Sin",
    seed: "Semilla",
    pictures: "Imágenes",
    price: "Precio",
    yes: "Sí",
    no: "No",
    madeIn: (duration) => `hecho en ${duration}`,
  },

  questions: {
    needsAnswer: "Esto necesita una respuesta.",
  },

  confirmation: {
    unknownPrice: "Desconocido",
    make: "Hacerlo",
    makeFor: (price) => `Hacerlo por ${price}`,
    change: "Cambiar las palabras",
    words: "Lo que pedimos al modelo",
    own: "Usar mis propias palabras",
    priceChanged: (price) => `El precio ha cambiado a ${price}. Aún no se ha empezado nada.`,
    priceUnsure: "El precio ha cambiado. Aún no se ha empezado nada.",
    until: (moment) => `Donde estás, eso es ${moment}.`,
    seeUsage: "Ver lo gastado",
  },

  progress: {
    label: "Progreso del video",
    mayClose: "Puedes cerrar esta página; seguimos sin ti.",
    tellMe: "Avísame cuando esté listo",
    stopping: "Deteniendo…",
    cost: "Lo que el proveedor ya ha empezado puede ser cobrado.",
    stopTitle: "¿Dejar de hacer este video?",
    stopText: "Lo que se ha hecho hasta ahora se descarta.",
    stop: "Detenerlo",
    goOn: "Seguir",
  },

  player: {
    label: (prompt) => `Video: ${prompt}`,
    untitled: "sin título",
    broken: "No se pudo cargar el video.",
    copyLink: "Copiar enlace",
    linkCopied: "Enlace copiado.",
    download: "Descargar",
  },

  ended: {
    retried: "Se intentó de nuevo.",
    change: "Cambiarlo",
    cancelled: "Este video se canceló.",
    other: "Algo salió mal por el camino.",
    reasons: {
      content_filtered: "El modelo no quiso hacerlo. Quizá ayude describirlo de otra forma.",
      invalid_request: "El modelo no acepta esta petición.",
      provider_unavailable: "El servicio de video no responde en este momento.",
      provider_quota: "Por ahora, el servicio de video no tiene más capacidad.",
      provider_error: "El servicio de video tuvo un error.",
      timeout: "Tardó demasiado, así que lo dejamos.",
      invalid_video: "Lo que llegó no se puede reproducir.",
      storage_error: "El video se hizo, pero no se pudo guardar.",
      submission_unknown: "Algo salió mal al entregarlo al servicio de video.",
      expired: "No se confirmó en siete días.",
    },
  },

  variation: {
    show: "Qué debe mostrar",
    model: "Modelo",
    about: "Unos",
  },

  gallery: {
    filters: "Qué videos",
    all: "Todos",
    none: "Aquí colgarán tus videos.",
    noneOfThese: "No hay ninguno de estos.",
  },

  video: {
    gone: "Este video no existe o no es tuyo.",
    conversation: "Abrir la conversación",
    all: "Todos los videos",
  },

  usage: {
    today: "Hoy",
    month: "Este mes",
    spentOf: (budget) => `gastados de ${budget}`,
    spent: "gastados, sin límite",
    share: (spent, held) => `${spent} gastado, ${held} reservado`,
    held: "Reservado para videos en curso",
    left: "Queda",
    of: (count, allowed) => `${count} de ${allowed}`,
    anew: (moment) => `Empieza de nuevo ${moment}.`,
    now: "Ahora mismo",
    open: "Sin terminar",
    queued: "De estos, en proceso",
    byModel: "Este mes por modelo",
    model: "Modelo",
    cost: "Costo",
  },

  settings: {
    appearance: "Aspecto",
    system: "Como el sistema",
    light: "Claro",
    dark: "Oscuro",
    calm: "Tu sistema pide menos movimiento, así que aquí nada se mueve por sí solo.",
    lively: "Si tu sistema pide menos movimiento, aquí nada se mueve por sí solo.",
    language: "Idioma",
    browser: "Como el navegador",
    languageHint: "El asistente responde en el idioma en que escribes.",
    languageMissing: (name) => `No se pudo cargar ${name}. Inténtalo más tarde.`,
    notifications: "Notificaciones",
    tellMe: "Avísame cuando un video esté listo",
    permissions: {
      unsupported: "Este navegador no muestra notificaciones de esta página.",
      denied: "Este navegador no deja que la página te avise. Eso se cambia en sus propios ajustes para este sitio.",
      granted: "Solo para videos que terminan mientras esta página no está a la vista.",
      default:
        "Solo para videos que terminan mientras esta página no está a la vista. El navegador te preguntará antes.",
    },
    account: "Cuenta",
    programs: "Para programas",
    programsText: "Todo lo que hace esta página también puede hacerlo un programa:",
    programsLink: "la descripción de la API",
  },

  notify: {
    completed: "Tu video está listo",
    failed: "Tu video no se hizo",
  },

  errors: {
    copyId: "Copiar el código",
    idCopied: "Código copiado.",
    internal: "Algo salió mal de nuestro lado.",
    internalWithId: (id) => `Algo salió mal de nuestro lado. El código ${id} nos ayuda a encontrarlo.`,
    page: "Algo salió mal en esta página. Inténtalo de nuevo.",
    unreachable: "No se pudo contactar con Reelay. Revisa tu conexión e inténtalo de nuevo.",
    interrupted: "La página se cerró o tu sesión terminó antes del envío.",
    unavailable: "Ahora mismo no es posible. Inténtalo de nuevo en un momento.",
    rateLimited: "Han sido muchas peticiones a la vez. Espera un momento e inténtalo de nuevo.",
    unauthenticated: "Primero inicia sesión.",
    wrongPassword: "El correo o la contraseña no son correctos.",
    emailTaken: "Ya hay una cuenta con este correo.",
    notFound: "Esto ya no existe o no es tuyo.",
    inFlight: "Todavía se está trabajando en ello. Espera un momento.",
    invalidState: "Entretanto ha avanzado, así que esto ya no es posible.",
    tooMuch: "Esto es demasiado grande para enviarlo.",
    noPicture:
      "Esto no sirve como imagen: está dañada, se mueve, es demasiado pequeña o " +
      "demasiado grande, o es de otro tipo del que dice su nombre.",
    pictureGone: "Una imagen ya no se conserva. Quítala y añádela de nuevo.",
    tooManyPictures: "Tienes aquí tantas imágenes como se puede. Espera a que caduquen algunas.",
  },
};
