// What the page says in Portuguese. It says você, as the assistant does.

import type { Phrases } from "./en";
import { pluralOf } from "./plural";

const plural = pluralOf("pt");

/** `às 18:05`, but `à 1:05`. */
const at = (clock: string) => `${/^0?1\D/.test(clock) ? "à" : "às"} ${clock}`;

export const pt: Phrases = {
  app: {
    offline: "Você está sem conexão.",
    unreachable: "Não é possível contatar o Reelay. Tentando de novo…",
    offlineBanner: "Você está sem conexão. O que escrever e enviar fica guardado aqui até você voltar.",
    unreachableBanner: "No momento não é possível contatar o Reelay. Tentando de novo…",
    skip: "Ir para o conteúdo",
    notFound: "Não encontrado",
    noSuchPage: "Esta página não existe.",
    start: "Começar um vídeo novo",
    partMissing: "Não foi possível carregar esta parte da página.",
    loading: "Carregando…",
    moment: "Um momento…",
  },

  act: {
    retry: "Tentar de novo",
    cancel: "Cancelar",
    continue: "Continuar",
    keep: "Manter",
    signOut: "Sair",
    copied: "Copiado",
    vary: "Fazer uma variação",
  },

  places: {
    newVideo: "Vídeo novo",
    videos: "Vídeos",
    video: "Vídeo",
    usage: "Consumo",
    settings: "Configurações",
    conversation: "Conversa",
  },

  time: {
    yesterday: "Ontem",
    at,
    tomorrowAt: (clock) => `amanhã ${at(clock)}`,
    onAt: (date, clock) => `em ${date} ${at(clock)}`,
    fewSecondsLeft: "Faltam alguns segundos",
    left: (duration) => `Faltam cerca de ${duration}`,
  },

  auth: {
    line: "Diga o que quer ver. Veja ganhar vida.",
    create: "Crie a sua conta",
    welcome: "Que bom ver você de novo",
    name: "Nome",
    nameHint: "Opcional. É como vamos chamar você.",
    email: "E-mail",
    password: "Senha",
    createAccount: "Criar conta",
    signIn: "Entrar",
    haveAccount: "Já tem uma conta?",
    newHere: "Primeira vez no Reelay?",
    createOne: "Crie uma conta",
    enterEmail: "Digite o seu e-mail, como nome@example.com.",
    enterPassword: "Digite a sua senha.",
    passwordShort: (least) => `A sua senha precisa de pelo menos ${least} caracteres.`,
    passwordLong: "Esta senha é longa demais.",
    nameWrong: "Este nome é longo demais ou tem caracteres que não se veem.",
    sessionEnded: "A sua sessão terminou. Entre de novo, por favor.",
  },

  home: {
    question: "O que vamos filmar?",
    questionTo: (name) => `O que vamos filmar, ${name}?`,
    about:
      "Diga com as suas próprias palavras. Perguntamos só o que falta, mostramos o preço e começamos quando você " +
      "disser.",
    describe: "Descreva o seu vídeo",
    describeHere: "Descreva o seu vídeo…",
    begin: "Ou comece com um destes",
    ideas: [
      "Um barco de papel atravessando uma rua chuvosa ao entardecer",
      "Um voo lento de drone sobre terraços de chá ao nascer do sol, 8 segundos",
      "Uma raposa de cachecol vermelho espera o último trem, na vertical, em aquarela",
    ],
  },

  composer: {
    send: "Enviar",
    tooLong: (over) => `Longo demais: corte cerca de ${over} ${plural(over, "caractere", "caracteres")}.`,
    pictureUnderWay: "Um momento, uma imagem está a caminho.",
    messageUnderWay: "Um momento, a sua última mensagem está a caminho.",
  },

  pictures: {
    title: "Imagens",
    add: "Adicionar uma imagem",
    one: (number) => `Imagem ${number}`,
    purposeOf: (name) => `Para que serve ${name}`,
    remove: (name) => `Remover ${name}`,
    removeOne: (number) => `Remover a imagem ${number}`,
    roles: { first_frame: "Começa com ela", last_frame: "Termina com ela", reference: "Mostra a imagem" },
    wrongType: "Só servem imagens JPEG, PNG e WebP.",
    tooLarge: (limit) => `Esta imagem tem mais de ${limit}.`,
    oneBegins: "Um vídeo começa com uma só imagem.",
    oneEnds: "Um vídeo termina com uma só imagem.",
    endNeedsBegin: "Uma imagem para o fim precisa também de uma para o começo.",
    takesSome: (model, most) => `${model} aceita ${most} ${plural(most, "imagem", "imagens")} para mostrar.`,
    takesNone: (model) => `${model} não aceita imagens para mostrar.`,
    notBoth: (model) => `${model} aceita imagens de começo e fim ou imagens para mostrar, mas não ambas.`,
    oneLeftOut: (model) => `${model} não aceita a imagem, então ela fica de fora.`,
    allLeftOut: (model) => `${model} não aceita as imagens, então elas ficam de fora.`,
    someLeftOut: (model, left) =>
      `${model} não aceita ${left} das imagens, então ${plural(left, "ela fica", "elas ficam")} de fora.`,
  },

  chat: {
    messages: "Mensagens",
    message: "Mensagem",
    messageHere: "Mensagem para o Reelay…",
    you: "Você",
    youNow: "Você, agora",
    notSent: "Não enviada",
    notSentYet: "Ainda não enviadas",
    notSentFor: (reason) => `Não enviada. ${reason}`,
    discard: "Descartar",
    edit: "Editar",
    discardTitle: "Descartar esta mensagem?",
    discardText: "Ela não foi enviada e não está guardada em nenhum outro lugar.",
    rename: "Renomear",
    renameTitle: "Renomear a conversa",
    title: "Título",
    delete: "Excluir",
    deleteTitle: "Excluir esta conversa?",
    deleteText:
      "As mensagens e os vídeos vão com ela, e o que está sendo feito é cancelado. Isso não pode ser desfeito.",
    toEnd: "Ir para o mais recente",
    loading: "Carregando a conversa…",
    gone: "Esta conversa não existe ou não é sua.",
    empty: "Aqui ainda não se disse nada. Descreva o vídeo que quer.",
    updates: (how) => `Novidades: ${how}`,
    push: {
      live: "na hora",
      polling: "a cada poucos segundos",
      offline: "sem conexão",
      connecting: "conectando",
    },
  },

  sidebar: {
    menu: "Menu",
    close: "Fechar o menu",
    start: "Reelay, início",
    places: "Seções",
    signedIn: "Sessão aberta",
    search: "Buscar",
    searchLabel: "Buscar nas conversas",
    searching: "Buscando…",
    nothingFound: "Nada encontrado.",
    conversations: "As suas conversas",
    none: "As suas conversas vão aparecer aqui.",
    older: "Ver anteriores",
    untitled: "Sem título",
  },

  card: {
    untitled: "Um vídeo novo",
    details: "Detalhes",
    askedAs: "Pedido como",
    spoken: (what) => `Vídeo: ${what}`,
  },

  status: {
    pending_clarification: "Algumas perguntas",
    pending_confirmation: "Quando você quiser",
    confirmed: "Confirmado",
    queued: "Na fila",
    processing: "Sendo feito",
    completed: "Pronto",
    failed: "Não foi feito",
    cancelled: "Cancelado",
  },

  stages: {
    confirmed: "Preparando",
    place: (place) => `Número ${place} na fila`,
    next: "O próximo da fila",
    submitting: "Entregando ao modelo",
    generating: "Criando as imagens",
    downloading: "Buscando a filmagem",
    processing: "Verificando a filmagem",
    uploading: "Guardando na sua coleção",
    retrying: "Essa tomada falhou, tentando de novo",
    other: "Fazendo o seu vídeo",
  },

  facts: {
    length: "Duração",
    shape: "Formato",
    shapes: { "16:9": "16:9, horizontal", "9:16": "9:16, vertical", "1:1": "1:1, quadrado" },
    resolution: "Resolução",
    sound: "Som",
    style: "Estilo",
    without: "Sem",
    seed: "Semente",
    pictures: "Imagens",
    price: "Preço",
    yes: "Sim",
    no: "Não",
    madeIn: (duration) => `feito em ${duration}`,
  },

  questions: {
    needsAnswer: "Isto precisa de uma resposta.",
  },

  confirmation: {
    unknownPrice: "Desconhecido",
    make: "Fazer",
    makeFor: (price) => `Fazer por ${price}`,
    change: "Mudar as palavras",
    words: "O que pedimos ao modelo",
    own: "Usar as minhas próprias palavras",
    priceChanged: (price) => `O preço mudou para ${price}. Nada foi começado ainda.`,
    priceUnsure: "O preço mudou. Nada foi começado ainda.",
    until: (moment) => `Onde você está, isso é ${moment}.`,
    seeUsage: "Ver o que foi gasto",
  },

  progress: {
    label: "Progresso do vídeo",
    mayClose: "Pode fechar esta página; seguimos sem você.",
    tellMe: "Avise quando estiver pronto",
    stopping: "Parando…",
    cost: "O que o fornecedor já começou pode ser cobrado.",
    stopTitle: "Parar de fazer este vídeo?",
    stopText: "O que foi feito até agora é jogado fora.",
    stop: "Parar",
    goOn: "Continuar",
  },

  player: {
    label: (prompt) => `Vídeo: ${prompt}`,
    untitled: "sem título",
    broken: "Não foi possível carregar o vídeo.",
    copyLink: "Copiar link",
    linkCopied: "Link copiado.",
    download: "Baixar",
  },

  ended: {
    retried: "Tentado de novo.",
    change: "Mudar",
    cancelled: "Este vídeo foi cancelado.",
    other: "Algo deu errado no caminho.",
    reasons: {
      content_filtered: "O modelo não quis fazer isto. Talvez ajude descrever de outra forma.",
      invalid_request: "O modelo não aceita este pedido.",
      provider_unavailable: "O serviço de vídeo não está respondendo agora.",
      provider_quota: "Por enquanto, o serviço de vídeo não tem mais capacidade.",
      provider_error: "O serviço de vídeo teve um erro.",
      timeout: "Demorou demais, então paramos.",
      invalid_video: "O que chegou não pode ser reproduzido.",
      storage_error: "O vídeo foi feito, mas não pôde ser guardado.",
      submission_unknown: "Algo deu errado na entrega ao serviço de vídeo.",
      expired: "Não foi confirmado em sete dias.",
    },
  },

  variation: {
    show: "O que deve mostrar",
    model: "Modelo",
    about: "Cerca de",
  },

  gallery: {
    filters: "Quais vídeos",
    all: "Todos",
    none: "Os seus vídeos vão ficar aqui.",
    noneOfThese: "Não há nenhum destes.",
  },

  video: {
    gone: "Este vídeo não existe ou não é seu.",
    conversation: "Abrir a conversa",
    all: "Todos os vídeos",
  },

  usage: {
    today: "Hoje",
    month: "Este mês",
    spentOf: (budget) => `gastos de ${budget}`,
    spent: "gastos, sem limite",
    share: (spent, held) => `${spent} gastos, ${held} reservados`,
    held: "Reservado para vídeos em andamento",
    left: "Resta",
    of: (count, allowed) => `${count} de ${allowed}`,
    anew: (moment) => `Recomeça ${moment}.`,
    now: "Neste momento",
    open: "Não terminados",
    queued: "Destes, sendo feitos",
    byModel: "Este mês por modelo",
    model: "Modelo",
    cost: "Custo",
  },

  settings: {
    appearance: "Aparência",
    system: "Como o sistema",
    light: "Claro",
    dark: "Escuro",
    calm: "O seu sistema pede menos movimento, então nada se move sozinho aqui.",
    lively: "Se o seu sistema pedir menos movimento, nada se move sozinho aqui.",
    language: "Idioma",
    browser: "Como o navegador",
    languageHint: "O assistente responde no idioma em que você escreve.",
    languageMissing: (name) => `Não foi possível carregar ${name}. Tente mais tarde, por favor.`,
    notifications: "Notificações",
    tellMe: "Avise quando um vídeo estiver pronto",
    permissions: {
      unsupported: "Este navegador não mostra notificações desta página.",
      denied:
        "Este navegador não deixa a página avisar você. Isso se muda nas configurações dele para este site.",
      granted: "Só para vídeos que terminam enquanto esta página não está à vista.",
      default: "Só para vídeos que terminam enquanto esta página não está à vista. O navegador vai perguntar antes.",
    },
    account: "Conta",
    programs: "Para programas",
    programsText: "Tudo o que esta página faz, um programa também pode fazer:",
    programsLink: "a descrição da API",
  },

  notify: {
    completed: "O seu vídeo está pronto",
    failed: "O seu vídeo não foi feito",
  },

  errors: {
    copyId: "Copiar o código",
    idCopied: "Código copiado.",
    internal: "Algo deu errado do nosso lado.",
    internalWithId: (id) => `Algo deu errado do nosso lado. O código ${id} nos ajuda a encontrar o que foi.`,
    page: "Algo deu errado nesta página. Tente de novo, por favor.",
    unreachable: "Não foi possível contatar o Reelay. Verifique a sua conexão e tente de novo.",
    interrupted: "A página foi fechada, ou a sua sessão terminou, antes do envio.",
    unavailable: "Agora não é possível. Tente de novo daqui a pouco.",
    rateLimited: "Foram muitos pedidos de uma vez. Espere um momento e tente de novo.",
    unauthenticated: "Primeiro entre na sua conta.",
    wrongPassword: "O e-mail ou a senha não está certo.",
    emailTaken: "Já existe uma conta com este e-mail.",
    notFound: "Isto não existe mais ou não é seu.",
    inFlight: "Isto ainda está em andamento. Espere um momento.",
    invalidState: "Enquanto isso as coisas avançaram, então isto não é mais possível.",
    tooMuch: "Isto é grande demais para enviar.",
    noPicture:
      "Isto não serve como imagem: está danificada, se move, é pequena ou grande demais, ou " +
      "é de um tipo diferente do que o nome diz.",
    pictureGone: "Uma imagem já não está guardada. Remova-a e adicione-a de novo.",
    tooManyPictures: "Você já tem aqui todas as imagens que se pode ter. Espere até que algumas expirem.",
  },
};
