// All that the page knows, and how each thing that happens changes it. Pure: no clock, no network, no document.
// Messages are kept by id and generations by id, so whatever arrives twice is there once.

import { newest } from "./status.js";

export const initialState = {
  /** `phase`: unknown (not asked yet), anonymous, signedIn. `notice` says why the user has to sign in again. */
  session: { phase: "unknown", user: null, notice: null },
  route: { name: "home" },
  conversations: { byId: {}, phase: "idle", nextCursor: null, error: null },
  /** Of each conversation that was opened: `{phase, error, messages: {id: message}, pending: [..]}`. */
  threads: {},
  generations: {},
  /** Of each generation what the user last asked of it: `{name, status (then), busy, error}`. */
  deeds: {},
  /** `transport`: null (none yet), websocket, sse, polling. */
  connection: { transport: null, offline: false, unreachable: false },
};

const emptyThread = { phase: "idle", error: null, messages: {}, pending: [] };

/** The state after `action`; the same object if nothing changed. */
export function reduce(state, action) {
  const change = changes[action.type];
  if (!change) throw new Error(`no such action: ${action.type}`);
  return change(state, action);
}

const changes = {
  "session.known": (state, { user }) => ({
    ...(user ? state : { ...initialState, route: state.route, connection: state.connection }),
    session: { phase: user ? "signedIn" : "anonymous", user, notice: null },
  }),
  "session.ended": (state, { notice }) => ({
    ...initialState,
    route: state.route,
    connection: { ...initialState.connection, offline: state.connection.offline },
    session: { phase: "anonymous", user: null, notice: notice ?? null },
  }),
  "route.changed": (state, { route }) => ({ ...state, route }),

  "conversations.loading": (state) => withConversations(state, { phase: "loading", error: null }),
  "conversations.loaded": (state, { items, nextCursor }) =>
    withConversations(state, {
      phase: "ready",
      error: null,
      nextCursor: nextCursor ?? null,
      byId: { ...state.conversations.byId, ...byId(items) },
    }),
  "conversations.failed": (state, { error }) => withConversations(state, { phase: "failed", error }),
  "conversation.received": (state, { conversation }) => {
    const { byId: known } = state.conversations;
    const merged = { ...known[conversation.id], ...conversation };
    return withConversations(state, { byId: { ...known, [conversation.id]: merged } });
  },
  "conversation.removed": (state, { id }) => {
    const { [id]: _gone, ...rest } = state.conversations.byId;
    const { [id]: _thread, ...threads } = state.threads;
    return { ...withConversations(state, { byId: rest }), threads };
  },

  "thread.loading": (state, { id }) => withThread(state, id, { phase: "loading", error: null }),
  "thread.loaded": (state, { id }) => withThread(state, id, { phase: "ready", error: null }),
  "thread.failed": (state, { id, error }) => withThread(state, id, { phase: "failed", error }),
  "messages.received": (state, { id, messages }) => receiveMessages(state, id, messages),
  "generations.received": (state, { generations }) => generations.reduce(receiveGeneration, state),
  /** A status answer: a part of a generation. Of one that is not known it says too little. */
  "status.received": (state, { snapshot }) => {
    if (!state.generations[snapshot.id]) return state;
    const { terminal: _t, pollAfterMs: _p, ...part } = snapshot;
    return receiveGeneration(state, part);
  },

  "send.started": (state, { id, pending }) =>
    withThread(state, id, { pending: [...without(state, id, pending.key), { ...pending, error: null }] }),
  "send.failed": (state, { id, key, error }) =>
    withThread(state, id, {
      pending: threadOf(state, id).pending.map((p) => (p.key === key ? { ...p, error } : p)),
    }),
  "send.dropped": (state, { id, key }) => withThread(state, id, { pending: without(state, id, key) }),
  "send.done": (state, { id, key, message, reply, generation }) => {
    const sent = withThread(state, id, { pending: without(state, id, key) });
    const told = receiveMessages(sent, id, [message, reply].filter(Boolean));
    return generation ? receiveGeneration(told, generation) : told;
  },

  "deed.started": (state, { id, name, status }) =>
    withDeed(state, id, { name, status, busy: true, error: null }),
  "deed.failed": (state, { id, error }) => withDeed(state, id, { ...state.deeds[id], busy: false, error }),
  "deed.done": (state, { id }) => withDeed(state, id, { ...state.deeds[id], busy: false, error: null }),

  "connection.changed": (state, { transport }) => withConnection(state, { transport }),
  "network.changed": (state, { type: _t, ...network }) => withConnection(state, network),
};

function withConversations(state, part) {
  return { ...state, conversations: { ...state.conversations, ...part } };
}

function withThread(state, id, part) {
  return { ...state, threads: { ...state.threads, [id]: { ...threadOf(state, id), ...part } } };
}

function withDeed(state, id, deed) {
  return { ...state, deeds: { ...state.deeds, [id]: deed } };
}

function withConnection(state, part) {
  const same = Object.entries(part).every(([key, value]) => state.connection[key] === value);
  return same ? state : { ...state, connection: { ...state.connection, ...part } };
}

function without(state, id, key) {
  return threadOf(state, id).pending.filter((p) => p.key !== key);
}

function byId(items) {
  return Object.fromEntries(items.map((item) => [item.id, item]));
}

/**
 * Takes messages in. A message of the user's own may be pushed before the answer to its sending is here: the
 * first pending one with the same words then gives way to it, so that it is not shown twice.
 */
function receiveMessages(state, id, messages) {
  const thread = threadOf(state, id);
  const fresh = messages.filter((message) => !thread.messages[message.id]);
  if (fresh.length === 0) return state;
  let { pending } = thread;
  for (const message of fresh.filter(({ role }) => role === "user")) {
    const at = pending.findIndex((p) => p.content === message.content && !p.error);
    if (at >= 0) pending = pending.toSpliced(at, 1);
  }
  return withThread(state, id, { messages: { ...thread.messages, ...byId(fresh) }, pending });
}

function receiveGeneration(state, arrived) {
  const known = state.generations[arrived.id];
  const merged = newest(known, arrived);
  if (merged === known) return state;
  return { ...state, generations: { ...state.generations, [arrived.id]: merged } };
}

// What the views read.

/** A conversation's thread; an empty one if it was never opened. */
export const threadOf = (state, id) => state.threads[id] ?? emptyThread;

/** The conversations, newest first. */
export function conversationsOf(state) {
  return Object.values(state.conversations.byId).sort((a, b) => later(b, a));
}

/** The generations of a conversation, oldest first. */
export function generationsOf(state, id) {
  return Object.values(state.generations)
    .filter(({ conversationId }) => conversationId === id)
    .sort(later);
}

/**
 * What a conversation shows, in order: `{key, kind: message|generation|pending, …}`. A generation stands once,
 * after the last thing that the assistant said of it, so its card is where the talk about it is.
 */
export function timelineOf(state, id) {
  const { messages, pending } = threadOf(state, id);
  const items = Object.values(messages)
    .sort(later)
    .map((message) => ({ key: message.id, kind: "message", message, createdAt: message.createdAt }));
  for (const generation of generationsOf(state, id)) {
    const item = { key: generation.id, kind: "generation", generation, createdAt: generation.createdAt };
    items.splice(placeFor(items, generation), 0, item);
  }
  return items.concat(pending.map((p) => ({ key: p.key, kind: "pending", pending: p })));
}

function placeFor(items, generation) {
  const said = items.findLastIndex(
    ({ message }) => message?.role === "assistant" && message.generationId === generation.id,
  );
  if (said >= 0) return said + 1;
  // Not spoken of yet (a retry, or a generation made without the chat): where its time puts it.
  const next = items.findIndex(({ createdAt }) => Date.parse(createdAt) > Date.parse(generation.createdAt));
  return next < 0 ? items.length : next;
}

/** Oldest first. Ids are made in time order, so they settle a tie within a millisecond. */
function later(a, b) {
  const apart = Date.parse(a.createdAt) - Date.parse(b.createdAt);
  return apart || (a.id < b.id ? -1 : Number(a.id > b.id));
}
