// What the page says in English, and with it what there is to say: every other language has the same phrases. What is
// filled in comes as it is shown, numbers and money included; a count is a number only where the words depend on it.

import { pluralOf } from "./plural";

const plural = pluralOf("en");

export const en = {
  app: {
    offline: "You are offline.",
    unreachable: "Reelay cannot be reached. Trying again…",
    offlineBanner: "You are offline. What you write and send is kept here until you are back.",
    unreachableBanner: "Reelay cannot be reached just now. Trying again…",
    skip: "Skip to the content",
    notFound: "Not found",
    noSuchPage: "There is no such page.",
    start: "Start a new video",
    partMissing: "This part of the page could not be loaded.",
    loading: "Loading…",
    moment: "One moment…",
  },

  /** What buttons do. */
  act: {
    retry: "Try again",
    cancel: "Cancel",
    continue: "Continue",
    keep: "Keep",
    signOut: "Sign out",
    copied: "Copied",
    vary: "Make a variation",
  },

  places: {
    newVideo: "New video",
    videos: "Videos",
    video: "Video",
    usage: "Usage",
    settings: "Settings",
    conversation: "Conversation",
  },

  time: {
    yesterday: "Yesterday",
    at: (clock: string) => `at ${clock}`,
    tomorrowAt: (clock: string) => `tomorrow at ${clock}`,
    onAt: (date: string, clock: string) => `on ${date} at ${clock}`,
    fewSecondsLeft: "A few seconds left",
    /** `duration` is short: `40 s`, `3 min`. */
    left: (duration: string) => `About ${duration} left`,
  },

  auth: {
    line: "Say what you want to see. Watch it come to be.",
    create: "Create your account",
    welcome: "Welcome back",
    name: "Name",
    nameHint: "Optional. How we address you.",
    email: "Email",
    password: "Password",
    createAccount: "Create account",
    signIn: "Sign in",
    haveAccount: "Already have an account?",
    newHere: "New to Reelay?",
    createOne: "Create an account",
    enterEmail: "Enter your email address, like name@example.com.",
    enterPassword: "Enter your password.",
    passwordShort: (least: string) => `Your password needs at least ${least} characters.`,
    passwordLong: "This password is too long.",
    nameWrong: "This name is too long, or has characters that nobody can see.",
    sessionEnded: "Your session has ended. Please sign in again.",
  },

  home: {
    question: "What shall we film?",
    questionTo: (name: string) => `What shall we film, ${name}?`,
    about:
      "Say it in your own words. We ask only for what is missing, show you the price, and start when you say so.",
    describe: "Describe your video",
    describeHere: "Describe your video…",
    begin: "Or begin with one of these",
    ideas: [
      "A paper boat crossing a rainy street at dusk",
      "A slow drone shot over terraced tea fields at sunrise, 8 seconds",
      "A fox in a red scarf waits for the last train, vertical, in watercolour",
    ],
  },

  composer: {
    send: "Send",
    tooLong: (over: number) => `Too long: please cut about ${over} ${plural(over, "character", "characters")}.`,
    pictureUnderWay: "One moment, a picture is on its way.",
    messageUnderWay: "One moment, your last message is on its way.",
  },

  pictures: {
    title: "Pictures",
    add: "Add a picture",
    one: (number: string) => `Picture ${number}`,
    purposeOf: (name: string) => `What ${name} is for`,
    remove: (name: string) => `Remove ${name}`,
    removeOne: (number: string) => `Remove picture ${number}`,
    roles: { first_frame: "Begins with it", last_frame: "Ends with it", reference: "Shows it" },
    wrongType: "Only JPEG, PNG and WebP pictures can be used.",
    tooLarge: (limit: string) => `This picture is larger than ${limit}.`,
    oneBegins: "A video begins with one picture.",
    oneEnds: "A video ends with one picture.",
    endNeedsBegin: "A picture to end with needs one to begin with.",
    takesSome: (model: string, most: number) =>
      `${model} takes ${most} ${plural(most, "picture", "pictures")} to show.`,
    takesNone: (model: string) => `${model} takes no pictures to show.`,
    notBoth: (model: string) => `${model} takes pictures to begin or end with, or pictures to show, but not both.`,
    oneLeftOut: (model: string) => `${model} does not take the picture, so it is left out.`,
    allLeftOut: (model: string) => `${model} does not take the pictures, so they are left out.`,
    someLeftOut: (model: string, left: number) =>
      `${model} does not take ${left} of the pictures, so ${plural(left, "it is", "they are")} left out.`,
  },

  chat: {
    messages: "Messages",
    message: "Message",
    messageHere: "Message Reelay…",
    you: "You",
    youNow: "You, now",
    notSent: "Not sent",
    notSentYet: "Not sent yet",
    notSentFor: (reason: string) => `Not sent. ${reason}`,
    discard: "Discard",
    edit: "Edit",
    discardTitle: "Discard this message?",
    discardText: "It was not sent, and it is kept nowhere else.",
    rename: "Rename",
    renameTitle: "Rename the conversation",
    title: "Title",
    delete: "Delete",
    deleteTitle: "Delete this conversation?",
    deleteText: "Its messages and videos go with it, and what is being made is cancelled. This cannot be undone.",
    toEnd: "To the newest",
    loading: "Loading the conversation…",
    gone: "This conversation does not exist, or it is not yours.",
    empty: "Nothing has been said here yet. Describe the video you want.",
    updates: (how: string) => `Updates: ${how}`,
    push: {
      live: "Live",
      polling: "Checking every few seconds",
      offline: "Offline",
      connecting: "Connecting",
    },
  },

  sidebar: {
    menu: "Menu",
    close: "Close the menu",
    start: "Reelay, start",
    places: "Places",
    signedIn: "Signed in",
    search: "Search",
    searchLabel: "Search the conversations",
    searching: "Searching…",
    nothingFound: "Nothing found.",
    conversations: "Your conversations",
    none: "Your conversations will be listed here.",
    older: "Show older",
    untitled: "Untitled",
  },

  card: {
    untitled: "A new video",
    details: "Details",
    askedAs: "Asked for as",
    spoken: (what: string) => `Video: ${what}`,
  },

  status: {
    pending_clarification: "A few questions",
    pending_confirmation: "Ready when you are",
    confirmed: "Confirmed",
    queued: "Queued",
    processing: "In the making",
    completed: "Ready",
    failed: "Not made",
    cancelled: "Cancelled",
  },

  stages: {
    confirmed: "Getting ready",
    place: (place: string) => `Number ${place} in the queue`,
    next: "Next in the queue",
    submitting: "Handing it to the model",
    generating: "Making the pictures",
    downloading: "Fetching the footage",
    processing: "Checking the footage",
    uploading: "Putting it in your library",
    retrying: "That take failed, trying again",
    other: "Making your video",
  },

  facts: {
    length: "Length",
    shape: "Shape",
    shapes: { "16:9": "16:9, wide", "9:16": "9:16, upright", "1:1": "1:1, square" },
    resolution: "Resolution",
    sound: "Sound",
    style: "Style",
    without: "Without",
    seed: "Seed",
    pictures: "Pictures",
    price: "Price",
    yes: "Yes",
    no: "No",
    madeIn: (duration: string) => `made in ${duration}`,
  },

  questions: {
    needsAnswer: "This needs an answer.",
  },

  confirmation: {
    unknownPrice: "Not known",
    make: "Make it",
    makeFor: (price: string) => `Make it for ${price}`,
    change: "Change the words",
    words: "What we ask the model for",
    own: "Use my own words",
    priceChanged: (price: string) => `The price has changed to ${price}. Nothing was begun yet.`,
    priceUnsure: "The price has changed. Nothing was begun yet.",
    until: (moment: string) => `That is ${moment} where you are.`,
    seeUsage: "See what was spent",
  },

  progress: {
    label: "Progress of the video",
    mayClose: "You may close this page; we go on without you.",
    tellMe: "Tell me when it is done",
    stopping: "Stopping…",
    cost: "What the provider has begun may be charged.",
    stopTitle: "Stop making this video?",
    stopText: "What has been made of it so far is thrown away.",
    stop: "Stop it",
    goOn: "Keep going",
  },

  player: {
    label: (prompt: string) => `Video: ${prompt}`,
    untitled: "untitled",
    broken: "The video could not be loaded.",
    copyLink: "Copy link",
    linkCopied: "Link copied.",
    download: "Download",
  },

  ended: {
    retried: "Tried again.",
    change: "Change it",
    cancelled: "This video was cancelled.",
    other: "Something went wrong on the way.",
    /** By the codes. The server's own message, which says more, and what is charged, stands below. */
    reasons: {
      content_filtered: "The model declined to make this. Describing it differently may help.",
      invalid_request: "The model does not accept this request.",
      provider_unavailable: "The video service is not answering just now.",
      provider_quota: "The video service has no capacity left for now.",
      provider_error: "The video service ran into an error.",
      timeout: "It took too long, so we stopped.",
      invalid_video: "What came back was not a playable video.",
      storage_error: "The video was made but could not be stored.",
      submission_unknown: "Handing it over to the video service went wrong.",
      expired: "It was not confirmed within seven days.",
    },
  },

  variation: {
    show: "What it shall show",
    model: "Model",
    about: "About",
  },

  gallery: {
    filters: "Which videos",
    all: "All",
    none: "Your videos will hang here.",
    noneOfThese: "There are none of these.",
  },

  video: {
    gone: "This video does not exist, or it is not yours.",
    conversation: "Open the conversation",
    all: "All videos",
  },

  usage: {
    today: "Today",
    month: "This month",
    spentOf: (budget: string) => `spent of ${budget}`,
    spent: "spent, without a limit",
    share: (spent: string, held: string) => `${spent} spent, ${held} held`,
    held: "Held for videos in the making",
    left: "Left",
    of: (count: string, allowed: string) => `${count} of ${allowed}`,
    anew: (moment: string) => `It begins anew ${moment}.`,
    now: "Just now",
    open: "Not finished",
    queued: "Of these being made",
    byModel: "This month by model",
    model: "Model",
    cost: "Cost",
  },

  settings: {
    appearance: "Appearance",
    system: "As the system",
    light: "Light",
    dark: "Dark",
    calm: "Your system asks for less motion, so nothing moves here by itself.",
    lively: "If your system asks for less motion, nothing moves here by itself.",
    language: "Language",
    browser: "As the browser",
    languageHint: "The assistant answers in the language that you write in.",
    languageMissing: (name: string) => `${name} could not be loaded. Please try again later.`,
    notifications: "Notifications",
    tellMe: "Tell me when a video is done",
    permissions: {
      unsupported: "This browser shows no notifications of this page.",
      denied: "This browser does not let the page notify you. Its own settings for this site change that.",
      granted: "Only for videos that end while this page is not in sight.",
      default: "Only for videos that end while this page is not in sight. The browser will ask you first.",
    },
    account: "Account",
    programs: "For programs",
    programsText: "All that this page does, a program can do as well:",
    programsLink: "the API’s description",
  },

  notify: {
    completed: "Your video is ready",
    failed: "Your video was not made",
  },

  errors: {
    copyId: "Copy the id",
    idCopied: "Request id copied.",
    internal: "Something went wrong on our side.",
    internalWithId: (id: string) => `Something went wrong on our side. The request id ${id} helps us to find it.`,
    page: "Something went wrong on this page. Please try again.",
    unreachable: "Reelay could not be reached. Check your connection and try again.",
    interrupted: "The page was closed, or your session ended, before it was on its way.",
    unavailable: "Reelay cannot do this just now. Try again in a moment.",
    rateLimited: "That was a lot at once. Please wait a moment and try again.",
    unauthenticated: "Please sign in first.",
    wrongPassword: "The address or the password is wrong.",
    emailTaken: "There is an account with this address already.",
    notFound: "This does not exist any more, or it is not yours.",
    inFlight: "This is still being worked on. Please wait a moment.",
    invalidState: "It has gone on in the meantime, so this cannot be done any more.",
    tooMuch: "That is too large to be sent.",
    noPicture:
      "This cannot be used as a picture: it is damaged, it moves, it is too small or too " +
      "large, or it is of another type than its name says.",
    pictureGone: "A picture is not kept any longer. Please remove it and add it anew.",
    tooManyPictures: "You have as many pictures here as one may have. Wait until some of them expire.",
  },
};

/** What there is to say. A language that lacks a phrase, or has one too many, does not compile. */
export type Phrases = typeof en;
