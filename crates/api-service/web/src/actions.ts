// What the user can do. Each action asks the server and puts the answer, or the error, into the state; none touches
// the document.

import { type components, newKey, ReelayError } from "@reelay/client";

import { models } from "./catalogue";
import {
  answersPlace,
  BEGINNING,
  forgetDrafts,
  picturesPlace,
  readDraft,
  readThing,
  wordsPlace,
  writeThing,
} from "./drafts";
import { shorten } from "./format";
import { type Pending, threadOf, UNMADE, unsentOf } from "./model/state";
import { RUNNING } from "./model/status";
import type { AnswerValue, Attachment, Generation, Usage } from "./model/types";
import { FRESH, goesAgain, INTERRUPTED, isOutdated } from "./model/unsent";
import { type Draft, meant } from "./model/wording";
import { conversationHref, homeHref } from "./routes";
import { failureOf, server } from "./server";
import { dispatch, state } from "./store";
import { alone, forget, isKept, keep, kept, underWay, watchKept } from "./unsent";

export { reload } from "./follow";

type Schemas = components["schemas"];

const LIST = 50;
const SHELF = 24;
/** How long somebody may go on typing before the search begins, in milliseconds. */
const TYPING = 250;

/** The keys of wishes whose outcome is unknown, so that asking again cannot do it twice. */
const keys = new Map<string, string>();

/** Runs `call(key)`. The key is used again until the server has given a definite answer. */
async function once<T>(wish: string, call: (key: string) => Promise<T>): Promise<T> {
  const key = keys.get(wish) ?? newKey();
  keys.set(wish, key);
  try {
    const answer = await call(key);
    keys.delete(wish);
    return answer;
  } catch (error) {
    const refused = error instanceof ReelayError && error.status >= 400 && error.status < 500;
    // The first sending may still be at work; with another key this one would be a second wish.
    if (refused && !error.code.includes("in_flight")) keys.delete(wish);
    throw error;
  }
}

const go = (href: string) => {
  location.hash = href;
};

const userId = () => state.peek().session.user?.id ?? "";

/** Ends with the stay of whoever is here. */
let stay = new AbortController();

/** Whoever was here has left: what is still being sent in their name must not go on in the next one's. */
export function endStay(): void {
  stay.abort();
  stay = new AbortController();
}

// Who is here. The first two throw, and the form shows why.

export async function register(body: Schemas["Registration"]): Promise<void> {
  const { user } = await server.register(body);
  dispatch({ type: "session.known", user });
}

export async function signIn(body: Schemas["Credentials"]): Promise<void> {
  const { user } = await server.login(body);
  dispatch({ type: "session.known", user });
}

/** Throws if the server could not be told. */
export async function signOut(): Promise<void> {
  try {
    await server.logout();
  } catch (error) {
    if (failureOf(error).status <= 0) throw error;
  }
  forgetDrafts();
  keys.clear();
  dispatch({ type: "session.known", user: null });
  go(homeHref);
}

// Conversations.

export async function loadConversations(cursor: string | null = null): Promise<void> {
  dispatch({ type: "conversations.loading" });
  try {
    const { items, nextCursor } = await server.listConversations({ limit: LIST, ...(cursor ? { cursor } : {}) });
    dispatch({ type: "conversations.loaded", items, nextCursor: nextCursor ?? null, first: cursor === null });
  } catch (error) {
    dispatch({ type: "conversations.failed", error: failureOf(error) });
  }
}

let typing: ReturnType<typeof setTimeout> | undefined;
let searching: AbortController | null = null;

/** Searches as soon as the typing rests; an empty query shows all conversations again. */
export function search(query: string): void {
  clearTimeout(typing);
  searching?.abort();
  dispatch({ type: "search.changed", query });
  if (query) typing = setTimeout(() => void find(query, null), TYPING);
}

/** Reads a page of what the search finds. */
export async function find(q: string, cursor: string | null): Promise<void> {
  searching = new AbortController();
  const { signal } = searching;
  try {
    const query = { q, limit: LIST, ...(cursor ? { cursor } : {}) };
    const { items, nextCursor } = await server.listConversations(query, { signal });
    dispatch({ type: "search.loaded", query: q, items, nextCursor: nextCursor ?? null, first: cursor === null });
  } catch (error) {
    if (!signal.aborted) dispatch({ type: "search.failed", query: q, error: failureOf(error) });
  }
}

/** Throws, and the dialog shows why. */
export async function renameConversation(id: string, title: string): Promise<void> {
  dispatch({ type: "conversation.received", conversation: await server.renameConversation(id, title) });
}

/** Throws, and the dialog shows why. */
export async function deleteConversation(id: string): Promise<void> {
  try {
    await server.deleteConversation(id);
  } catch (error) {
    if (failureOf(error).status !== 404) throw error;
  }
  for (const { key } of threadOf(state.peek(), id).pending) forget(userId(), key);
  dispatch({ type: "conversation.removed", id });
  go(homeHref);
}

// Messages.

/** Sends a message to a conversation, or with `UNMADE` to one that it begins. */
export async function send(id: string, content: string, attachments: Attachment[]): Promise<void> {
  const behind = id !== UNMADE && threadOf(state.peek(), id).pending.length > 0;
  const pending = { key: newKey(), content, attachments, createdAt: new Date().toISOString(), behind };
  // Kept before anything else: whoever clears the field that it was written in relies on it.
  begin(id, pending);
  await alone(pending.key, () => deliver(id, pending));
}

function begin(id: string, pending: Omit<Pending, "error">): void {
  keep(userId(), id, { ...pending, error: null });
  dispatch({ type: "send.started", id, pending });
}

/**
 * Makes the conversation that a first message begins, and leads there. Resolves to its id, or to `null` if the message
 * was thrown away in the meantime. It goes by the message's key: however often it is tried, there is one.
 */
async function makeConversation(pending: Omit<Pending, "error">, signal: AbortSignal): Promise<string | null> {
  const { key, content } = pending;
  const user = userId();
  const wish = { title: shorten(content, 60) };
  const conversation = await server.createConversation(wish, { idempotencyKey: key, signal });
  if (!threadOf(state.peek(), UNMADE).pending.some((one) => one.key === key)) return null;
  const { id } = conversation;
  dispatch({ type: "conversation.received", conversation });
  if (isKept(user, key)) keep(user, id, { ...pending, error: null });
  dispatch({ type: "send.placed", id, key });
  // Whoever waits there goes along, but nobody is taken away from what they are writing.
  const writing = readDraft(user, BEGINNING) || readDraft(user, picturesPlace(BEGINNING));
  if (state.peek().route.name === "home" && !writing) go(conversationHref(id));
  return id;
}

/** Sends it, to its conversation or to the one that is made for it: `UNMADE`. */
async function deliver(to: string, pending: Omit<Pending, "error">): Promise<void> {
  const { key, content, attachments } = pending;
  const user = userId();
  const { signal } = stay;
  // The machine may sleep while it is on its way.
  const until = Date.now() + FRESH;
  let id = to;
  try {
    if (to === UNMADE) {
      const made = await makeConversation(pending, signal);
      if (made === null) return;
      id = made;
    }
    const pictures = attachments.map(({ uploadId, role }) => ({ uploadId, role }));
    const body = { content, ...(pictures.length > 0 ? { attachments: pictures } : {}) };
    const { message, reply, generation } = await server.sendMessage(id, body, { idempotencyKey: key, signal, until });
    forget(user, key);
    if (!signal.aborted) dispatch({ type: "send.done", id, key, message, reply, generation: generation ?? null });
  } catch (error) {
    // It stays where it is kept, if it still is, until whoever wrote it comes back.
    if (signal.aborted) return;
    const failure = failureOf(error);
    // Signing out, or another tab, may have thrown it away; and without its conversation it leads nowhere.
    if (failure.status === 404 && id !== UNMADE) forget(user, key);
    else if (isKept(user, key)) keep(user, id, { ...pending, error: failure });
    dispatch({ type: "send.failed", id, key, error: failure });
  }
}

/** Sends it again. By its key the server knows it if it was taken before. */
export async function resend(id: string, { error: _, ...pending }: Pending): Promise<void> {
  if (isOutdated(pending, Date.now())) {
    dropUnsent(id, pending.key);
    return send(id, pending.content, pending.attachments);
  }
  return alone(pending.key, () => {
    begin(id, pending);
    return deliver(id, pending);
  });
}

function dropUnsent(id: string, key: string): void {
  forget(userId(), key);
  dispatch({ type: "send.dropped", id, key });
}

/**
 * Takes a message away that was not sent, unless it is being sent just now, be it in another tab: what is said must not
 * be edited and said once more. `first` is done before it goes, for whoever wants to have it elsewhere.
 */
export async function withdraw(id: string, key: string, first: () => void = () => {}): Promise<void> {
  await alone(key, async () => {
    if (!unsentOf(state.peek()).some(({ pending }) => pending.key === key)) return;
    first();
    dropUnsent(id, key);
  });
}

/** How often a message goes out by itself. */
const AGAIN = 5;
/** How often each did since it could not for want of a network. */
const again = new Map<string, number>();
let resending = false;

/** Sends what did not go out for want of a connection, in order, until there is none again. */
export async function resendAll(): Promise<void> {
  if (resending) return;
  resending = true;
  const user = userId();
  const sent = new Set<string>();
  const tried = (key: string) => again.get(key) ?? 0;
  try {
    // The session may end, or its user leave, while one of them is on its way.
    while (user && userId() === user) {
      // Looked for anew each time: what was to go next may have been taken back in the meantime.
      const next = unsentOf(state.peek()).find(
        ({ pending }) => !sent.has(pending.key) && tried(pending.key) < AGAIN && goesAgain(pending, Date.now()),
      );
      if (!next) break;
      const { key } = next.pending;
      sent.add(key);
      again.set(key, tried(key) + 1);
      await resend(next.id, next.pending);
      const left = unsentOf(state.peek()).find(({ pending }) => pending.key === key);
      const status = left?.pending.error?.status;
      if (status === 0 || status === 401) break;
    }
  } finally {
    resending = false;
  }
}

/** The network is back: whatever was tried in vain may go now. */
export function networkReturned(): void {
  again.clear();
  void resendAll();
}

/** Takes up what an earlier page could not send. */
export async function restoreUnsent(): Promise<void> {
  const elsewhere = await underWay();
  for (const { conversationId: id, ...pending } of kept(userId())) {
    if (elsewhere.has(pending.key)) continue;
    dispatch({ type: "send.restored", id, pending: { ...pending, error: pending.error ?? INTERRUPTED } });
  }
  if (!state.peek().connection.offline) await resendAll();
}

/** Follows what becomes of unsent messages in other tabs. */
export function followUnsent(): void {
  watchKept(userId, (key, now) => {
    if (now?.error) {
      const { conversationId: id, ...pending } = now;
      dispatch({ type: "send.restored", id, pending });
    } else if (!now) {
      const gone = unsentOf(state.peek()).find(({ pending }) => pending.key === key);
      if (gone) dispatch({ type: "send.dropped", id: gone.id, key });
    }
  });
}

export const upload = (file: Blob) => server.uploadImage(file, { timeout: 120_000 });

// Generations.

/** Something asked of one generation; its card shows that it is under way, and what came of it. */
async function deed(
  generation: Generation,
  name: string,
  details: unknown,
  call: (key: string) => Promise<Generation>,
): Promise<void> {
  const { id } = generation;
  const user = userId();
  if (state.peek().deeds[id]?.busy) return;
  dispatch({ type: "deed.started", id, name, status: generation.status });
  try {
    const answer = await once(`${name} ${id} ${JSON.stringify(details)}`, call);
    // What stood in its forms is told by now, or of no use any more.
    for (const place of [wordsPlace(id), answersPlace(id)]) writeThing(user, place, null);
    dispatch({ type: "generations.received", generations: [answer] });
    dispatch({ type: "deed.done", id });
  } catch (error) {
    const failure = failureOf(error);
    // Somebody was faster: another tab, or the worker. What is so now says more than the refusal.
    if (failure.status === 409) await loadGeneration(id).catch(() => {});
    dispatch({ type: "deed.failed", id, error: failure });
  }
}

export const clarify = (generation: Generation, responses: Record<string, AnswerValue>) =>
  deed(generation, "clarify", responses, (idempotencyKey) =>
    server.clarify(generation.id, responses, { idempotencyKey }),
  );

/** `enhancedPrompt` is left out where the server knows no such thing; `null` means the user's own words. */
export function confirm(generation: Generation, enhancedPrompt?: string | null): Promise<void> {
  const { id, estimatedCost } = generation;
  const words = enhancedPrompt === undefined ? {} : { enhancedPrompt };
  return deed(generation, "confirm", { estimatedCost, ...words }, (idempotencyKey) =>
    server.confirm(id, estimatedCost, { ...words, idempotencyKey }),
  );
}

/**
 * Goes along with whatever else is asked of the generation: a yes that is on its way has these words, too. Resolves to
 * what the server made of it, or to `null`.
 */
export async function reword(generation: Generation, enhancedPrompt: string | null): Promise<Generation | null> {
  const { id, status } = generation;
  const user = userId();
  try {
    const answer = await server.reword(id, enhancedPrompt);
    const draft = readThing<Draft>(user, wordsPlace(id));
    // What was typed on in the meantime stays.
    if (draft && meant(draft) === enhancedPrompt) writeThing(user, wordsPlace(id), null);
    dispatch({ type: "generations.received", generations: [answer] });
    return answer;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.status === 409) await loadGeneration(id).catch(() => {});
    else if (!state.peek().deeds[id]?.busy) {
      dispatch({ type: "deed.started", id, name: "reword", status });
      dispatch({ type: "deed.failed", id, error: failure });
    }
    return null;
  }
}

export const cancel = (generation: Generation) =>
  deed(generation, "cancel", null, (idempotencyKey) => server.cancel(generation.id, { idempotencyKey }));

export const retry = (generation: Generation) =>
  deed(generation, "retry", null, (idempotencyKey) => server.retry(generation.id, { idempotencyKey }));

/** Asks for another video like one that is there. Throws, and the dialog shows why. */
export async function vary(body: Schemas["NewGeneration"]): Promise<void> {
  const generation = await once(`vary ${JSON.stringify(body)}`, (idempotencyKey) =>
    server.createGeneration(body, { idempotencyKey }),
  );
  dispatch({ type: "generations.received", generations: [generation] });
}

/** Throws if it cannot be read. */
export async function loadGeneration(id: string): Promise<Generation> {
  const generation = await server.getGeneration(id);
  dispatch({ type: "generations.received", generations: [generation] });
  return generation;
}

/** A page of the gallery: the first one, or the next. */
export async function loadGallery(status: string, first: boolean): Promise<void> {
  const { gallery } = state.peek();
  const cursor = first ? null : gallery.nextCursor;
  if (!first && (gallery.phase === "loading" || !cursor)) return;
  dispatch({ type: "gallery.loading", status, first });
  try {
    const { items, nextCursor } = await (status === "running" ? readRunning() : readShelf(status, cursor));
    dispatch({ type: "gallery.loaded", status, items, nextCursor: nextCursor ?? null, first });
  } catch (error) {
    dispatch({ type: "gallery.failed", status, error: failureOf(error) });
  }
}

const readShelf = (status: string, cursor: string | null) =>
  server.listGenerations({
    limit: SHELF,
    ...(cursor ? { cursor } : {}),
    ...(status ? { status: status as Generation["status"] } : {}),
  });

/** All that is being made; a user's place in the queue is limited, so it is not much. */
async function readRunning(): Promise<{ items: Generation[]; nextCursor: null }> {
  const found = new Map<string, Generation>();
  // One after another, as a video goes through them: none can slip by from a status not read yet to one that was.
  for (const status of RUNNING) {
    for await (const generation of server.eachGeneration({ status })) found.set(generation.id, generation);
  }
  return { items: [...found.values()], nextCursor: null };
}

/** What is being made, wherever it was asked for, so that its end can be told. */
export async function loadRunning(): Promise<void> {
  try {
    const { items } = await readRunning();
    dispatch({ type: "generations.received", generations: items });
  } catch {
    // The conversation that is open tells of its own; for the others the next reload will.
  }
}

// What the server offers.

let asked: Promise<void> | null = null;

export function loadModels(): Promise<void> {
  asked ??= server.listModels().then(
    (items) => {
      models.value = items;
    },
    () => {
      asked = null;
    },
  );
  return asked;
}

/** Throws if it cannot be read. */
export const loadUsage = (): Promise<Usage> => server.getUsage();
