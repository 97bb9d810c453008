// All that the page knows, and how each thing that happens changes it. Pure: no clock, no network, no document.
// Messages are kept by id and generations by id, so whatever arrives twice is there once.

import { isRunning, newest } from "./status";
import type {
  Attachment,
  ConnectionState,
  Conversation,
  Failure,
  Generation,
  GenerationStatus,
  Message,
  User,
} from "./types";
import type { Route } from "../routes";

/** A message of the user's that the server has not confirmed. */
export interface Pending {
  key: string;
  content: string;
  attachments: Attachment[];
  createdAt: string;
  error: Failure | null;
  /** Whether another one of its conversation was not sent when it was written. */
  behind?: boolean;
}

/**
 * Stands for the conversation of a first message until that is made. No address leads there, and no id of the
 * server's looks like it.
 */
export const UNMADE = "(unmade)";

/** What is known of a conversation that was opened. */
export interface Thread {
  phase: "idle" | "loading" | "ready" | "failed";
  error: Failure | null;
  messages: Readonly<Record<string, Message>>;
  pending: readonly Pending[];
}

/** What the user last asked of a generation, and what came of it. `status` is the one at that time. */
export interface Deed {
  name: string;
  status: GenerationStatus;
  busy: boolean;
  error: Failure | null;
}

/** A list that is read page by page. */
export interface Listing {
  phase: "idle" | "loading" | "ready" | "failed";
  error: Failure | null;
  nextCursor: string | null;
  /** The ids that the server gave, in its order. */
  ids: readonly string[];
}

export interface State {
  /** `phase`: unknown (not asked yet), anonymous, signedIn. `notice` says that a session
   * has ended by itself. */
  session: { phase: "unknown" | "anonymous" | "signedIn"; user: User | null; notice: boolean };
  route: Route;
  conversations: Listing & { byId: Readonly<Record<string, Conversation>> };
  /** What a search for `query` has found; `null` while none is asked for. */
  search: (Listing & { query: string }) | null;
  threads: Readonly<Record<string, Thread>>;
  generations: Readonly<Record<string, Generation>>;
  /** The gallery's list: of one status, of what is being made (`running`), or of all (`""`). */
  gallery: Listing & { status: string };
  deeds: Readonly<Record<string, Deed>>;
  /** `push` is how the page hears of news; `null` while it follows nothing. */
  connection: { push: ConnectionState | null; offline: boolean; unreachable: boolean };
}

const EMPTY: Listing = { phase: "idle", error: null, nextCursor: null, ids: [] };

export const initialState: State = {
  session: { phase: "unknown", user: null, notice: false },
  route: { name: "home" },
  conversations: { ...EMPTY, byId: {} },
  search: null,
  threads: {},
  generations: {},
  gallery: { ...EMPTY, status: "" },
  deeds: {},
  connection: { push: null, offline: false, unreachable: false },
};

const emptyThread: Thread = { phase: "idle", error: null, messages: {}, pending: [] };

export type Action =
  | { type: "session.known"; user: User | null }
  | { type: "session.ended"; notice?: boolean }
  | { type: "route.changed"; route: Route }
  | { type: "conversations.loading" }
  | { type: "conversations.loaded"; items: Conversation[]; nextCursor: string | null; first: boolean }
  | { type: "conversations.failed"; error: Failure }
  | { type: "search.changed"; query: string }
  | {
      type: "search.loaded";
      query: string;
      items: Conversation[];
      nextCursor: string | null;
      first: boolean;
    }
  | { type: "search.failed"; query: string; error: Failure }
  | { type: "conversation.received"; conversation: Partial<Conversation> & { id: string } }
  | { type: "conversation.removed"; id: string }
  | { type: "thread.loading"; id: string }
  | { type: "thread.loaded"; id: string }
  | { type: "thread.failed"; id: string; error: Failure }
  | { type: "messages.received"; id: string; messages: Message[] }
  | { type: "generations.received"; generations: Generation[] }
  | { type: "gallery.loading"; status: string; first: boolean }
  | { type: "gallery.loaded"; status: string; items: Generation[]; nextCursor: string | null; first: boolean }
  | { type: "gallery.failed"; status: string; error: Failure }
  | { type: "send.started"; id: string; pending: Omit<Pending, "error"> }
  | { type: "send.failed"; id: string; key: string; error: Failure }
  | { type: "send.restored"; id: string; pending: Pending }
  | { type: "send.placed"; id: string; key: string }
  | { type: "send.dropped"; id: string; key: string }
  | {
      type: "send.done";
      id: string;
      key: string;
      message: Message;
      reply: Message | null;
      generation: Generation | null;
    }
  | { type: "deed.started"; id: string; name: string; status: GenerationStatus }
  | { type: "deed.failed"; id: string; error: Failure }
  | { type: "deed.done"; id: string }
  | { type: "connection.changed"; push: ConnectionState | null }
  | { type: "network.changed"; offline?: boolean; unreachable?: boolean };

/** The state after `action`; the same object if nothing changed. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "session.known":
      // What arrived for whoever was here before, be it after they left, is not for whoever comes in.
      return {
        ...(action.user && action.user.id === state.session.user?.id
          ? state
          : { ...initialState, route: state.route, connection: state.connection }),
        session: { phase: action.user ? "signedIn" : "anonymous", user: action.user, notice: false },
      };
    case "session.ended":
      return {
        ...initialState,
        route: state.route,
        connection: { ...initialState.connection, offline: state.connection.offline },
        session: { phase: "anonymous", user: null, notice: action.notice ?? false },
      };
    case "route.changed":
      return { ...state, route: action.route };

    case "conversations.loading":
      return withConversations(state, { phase: "loading", error: null });
    case "conversations.loaded": {
      const known = withKnown(state, action.items);
      return withConversations(known, listed(known.conversations, action));
    }
    case "conversations.failed":
      return withConversations(state, { phase: "failed", error: action.error });
    case "search.changed":
      if (!action.query) return state.search ? { ...state, search: null } : state;
      return { ...state, search: { ...EMPTY, query: action.query, phase: "loading" } };
    case "search.loaded": {
      // What was asked before the user typed on is of no use any more.
      if (state.search?.query !== action.query) return state;
      const known = withKnown(state, action.items);
      return { ...known, search: { ...state.search, ...listed(state.search, action) } };
    }
    case "search.failed":
      if (state.search?.query !== action.query) return state;
      return { ...state, search: { ...state.search, phase: "failed", error: action.error } };
    case "conversation.received": {
      const { byId } = state.conversations;
      const merged = { ...byId[action.conversation.id], ...action.conversation } as Conversation;
      return withConversations(state, { byId: { ...byId, [merged.id]: merged } });
    }
    case "conversation.removed":
      return removeConversation(state, action.id);

    case "thread.loading":
      return withThread(state, action.id, { phase: "loading", error: null });
    case "thread.loaded":
      return withThread(state, action.id, { phase: "ready", error: null });
    case "thread.failed":
      return withThread(state, action.id, { phase: "failed", error: action.error });
    case "messages.received":
      return receiveMessages(state, action.id, action.messages);
    case "generations.received":
      return action.generations.reduce(receiveGeneration, state);
    case "gallery.loading": {
      const same = state.gallery.status === action.status && !action.first;
      const base = same ? state.gallery : { ...EMPTY, status: action.status };
      return { ...state, gallery: { ...base, phase: "loading", error: null } };
    }
    case "gallery.loaded": {
      const known = action.items.reduce(receiveGeneration, state);
      if (state.gallery.status !== action.status) return known;
      return { ...known, gallery: { ...state.gallery, ...listed(state.gallery, action) } };
    }
    case "gallery.failed":
      if (state.gallery.status !== action.status) return state;
      return { ...state, gallery: { ...state.gallery, phase: "failed", error: action.error } };

    case "send.started":
      return withPending(state, action.id, { ...action.pending, error: null });
    case "send.failed": {
      const mark = (one: Pending) => (one.key === action.key ? { ...one, error: action.error } : one);
      return withThread(state, action.id, { pending: threadOf(state, action.id).pending.map(mark) });
    }
    case "send.restored":
      return withPending(state, action.id, action.pending);
    case "send.placed": {
      const placed = unsentOf(state).find(({ pending }) => pending.key === action.key);
      return placed ? withPending(state, action.id, placed.pending) : state;
    }
    case "send.dropped":
      return withoutPending(state, action.key);
    case "send.done": {
      const sent = withoutPending(state, action.key);
      const said = [action.message, action.reply].filter((one) => one !== null);
      const told = receiveMessages(sent, action.id, said);
      return action.generation ? receiveGeneration(told, action.generation) : told;
    }

    case "deed.started": {
      const { name, status } = action;
      return withDeed(state, action.id, { name, status, busy: true, error: null });
    }
    case "deed.failed":
    case "deed.done": {
      const deed = state.deeds[action.id];
      const error = action.type === "deed.failed" ? action.error : null;
      return deed ? withDeed(state, action.id, { ...deed, busy: false, error }) : state;
    }

    case "connection.changed":
      return withConnection(state, { push: action.push });
    case "network.changed": {
      const { type: _, ...network } = action;
      return withConnection(state, network);
    }
  }
}

function withConversations(state: State, part: Partial<State["conversations"]>): State {
  return { ...state, conversations: { ...state.conversations, ...part } };
}

function withKnown(state: State, items: Conversation[]): State {
  return withConversations(state, { byId: { ...state.conversations.byId, ...byId(items) } });
}

/** A list after one more of its pages; the first one begins it anew. */
function listed(
  list: Listing,
  page: { items: { id: string }[]; nextCursor: string | null; first: boolean },
): Listing {
  const before = page.first ? [] : list.ids;
  const ids = [...new Set([...before, ...page.items.map(({ id }) => id)])];
  return { phase: "ready", error: null, nextCursor: page.nextCursor, ids };
}

function withThread(state: State, id: string, part: Partial<Thread>): State {
  return { ...state, threads: { ...state.threads, [id]: { ...threadOf(state, id), ...part } } };
}

function withDeed(state: State, id: string, deed: Deed): State {
  return { ...state, deeds: { ...state.deeds, [id]: deed } };
}

function withConnection(state: State, part: Partial<State["connection"]>): State {
  const merged = { ...state.connection, ...part };
  const same =
    merged.push === state.connection.push &&
    merged.offline === state.connection.offline &&
    merged.unreachable === state.connection.unreachable;
  return same ? state : { ...state, connection: merged };
}

/**
 * With an unsent message in one conversation, where its time puts it, and in no other: a first one moves to what is
 * made of it.
 */
function withPending(state: State, id: string, pending: Pending): State {
  const others = withoutPending(state, pending.key);
  return withThread(others, id, { pending: [...threadOf(others, id).pending, pending].sort(earlier) });
}

function withoutPending(state: State, key: string): State {
  const at = unsentOf(state).find(({ pending }) => pending.key === key);
  if (!at) return state;
  return withThread(state, at.id, { pending: threadOf(state, at.id).pending.filter((one) => one.key !== key) });
}

function byId<T extends { id: string }>(items: readonly T[]): Record<string, T> {
  return Object.fromEntries(items.map((item) => [item.id, item]));
}

function removeConversation(state: State, id: string): State {
  const { [id]: _gone, ...rest } = state.conversations.byId;
  const { [id]: _thread, ...threads } = state.threads;
  const kept = Object.values(state.generations).filter(({ conversationId }) => conversationId !== id);
  const { ids } = state.gallery;
  const generations = byId(kept);
  const gallery = { ...state.gallery, ids: ids.filter((one) => generations[one]) };
  return { ...withConversations(state, { byId: rest }), threads, generations, gallery };
}

/**
 * Takes messages in. A message of the user's own may be pushed before the answer to its sending is here: the
 * first pending one with the same words then gives way to it, so that it is not shown twice.
 */
function receiveMessages(state: State, id: string, messages: readonly Message[]): State {
  const thread = threadOf(state, id);
  const fresh = messages.filter((message) => !thread.messages[message.id]);
  if (fresh.length === 0) return state;
  let { pending } = thread;
  for (const message of fresh.filter(({ role }) => role === "user")) {
    const at = pending.findIndex((one) => one.content === message.content && !one.error);
    if (at >= 0) pending = pending.toSpliced(at, 1);
  }
  return withThread(state, id, { messages: { ...thread.messages, ...byId(fresh) }, pending });
}

function receiveGeneration(state: State, arrived: Generation): State {
  const known = state.generations[arrived.id];
  const merged = newest(known ?? null, arrived);
  if (merged === known) return state;
  return { ...state, generations: { ...state.generations, [arrived.id]: merged } };
}

/** The messages that the server has not confirmed, of all conversations, in the order in which they were written. */
export function unsentOf(state: State): { id: string; pending: Pending }[] {
  return Object.entries(state.threads)
    .flatMap(([id, thread]) => thread.pending.map((pending) => ({ id, pending })))
    .sort((a, b) => earlier(a.pending, b.pending));
}

/** The oldest first. Their keys are made by chance, so a tie stays as it is. */
const earlier = (a: Pending, b: Pending) => Date.parse(a.createdAt) - Date.parse(b.createdAt);

// What the views read.

/** A conversation's thread; an empty one if it was never opened. */
export const threadOf = (state: State, id: string): Thread => state.threads[id] ?? emptyThread;

/** The conversations, newest first: what the server listed and what was begun since. */
export function conversationsOf(state: State): Conversation[] {
  return Object.values(state.conversations.byId).sort((a, b) => later(b, a));
}

/** What the search has found, in the server's order. */
export function foundOf(state: State): Conversation[] {
  const { byId: known } = state.conversations;
  return (state.search?.ids ?? []).flatMap((id) => known[id] ?? []);
}

/** The generations of a conversation, oldest first. */
export function generationsOf(state: State, id: string): Generation[] {
  return Object.values(state.generations)
    .filter(({ conversationId }) => conversationId === id)
    .sort(later);
}

/** Of every conversation in which something is being made, how far that is: 0–100. */
export function runningOf(state: State): Map<string, number> {
  const running = Object.values(state.generations).filter(({ status }) => isRunning(status));
  return new Map(running.sort(later).map(({ conversationId, progress }) => [conversationId, progress]));
}

/**
 * What the gallery shows, newest first: the listed ones that still have the wished status, or all that is being made,
 * which is known whether it was listed or not.
 */
export function galleryOf(state: State): Generation[] {
  const { ids, status } = state.gallery;
  if (status === "running") {
    return Object.values(state.generations)
      .filter((generation) => isRunning(generation.status))
      .sort((a, b) => later(b, a));
  }
  return ids
    .flatMap((id) => state.generations[id] ?? [])
    .filter((generation) => !status || generation.status === status);
}

/** One thing that a conversation shows. */
export type Item =
  | { key: string; kind: "message"; message: Message; createdAt: string }
  | { key: string; kind: "generation"; generation: Generation; createdAt: string }
  | { key: string; kind: "pending"; pending: Pending; createdAt: string };

/**
 * What a conversation shows, in order. A generation stands once, after the last thing that the assistant said
 * of it, so its card is where the talk about it is.
 */
export function timelineOf(state: State, id: string): Item[] {
  const { messages, pending, phase } = threadOf(state, id);
  const items: Item[] = Object.values(messages)
    .sort(later)
    .map((message) => ({ key: message.id, kind: "message", message, createdAt: message.createdAt }));
  // A card that is known from elsewhere waits for the talk about it, or it would jump when that is there.
  const isRead = items.length > 0 || phase === "ready";
  for (const generation of isRead ? generationsOf(state, id) : []) {
    const { createdAt } = generation;
    items.splice(placeFor(items, generation), 0, {
      key: generation.id,
      kind: "generation",
      generation,
      createdAt,
    });
  }
  const unsent = pending.map(
    (one): Item => ({ key: one.key, kind: "pending", pending: one, createdAt: one.createdAt }),
  );
  return [...items, ...unsent];
}

function placeFor(items: readonly Item[], generation: Generation): number {
  const said = items.findLastIndex(
    (item) =>
      item.kind === "message" &&
      item.message.role === "assistant" &&
      item.message.generationId === generation.id,
  );
  if (said >= 0) return said + 1;
  // Not spoken of yet (a retry, or a generation made without the chat): where its time puts it.
  const next = items.findIndex(({ createdAt }) => Date.parse(createdAt) > Date.parse(generation.createdAt));
  return next < 0 ? items.length : next;
}

/** Oldest first. Ids are made in time order, so they settle a tie within a millisecond. */
function later(a: { id: string; createdAt: string }, b: { id: string; createdAt: string }): number {
  const apart = Date.parse(a.createdAt) - Date.parse(b.createdAt);
  return apart || (a.id < b.id ? -1 : Number(a.id > b.id));
}
