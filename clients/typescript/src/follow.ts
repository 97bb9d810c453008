// Follows one generation to its end, or a conversation until it is told to stop: reads, listens from the cursor that
// was read, polls while nothing is pushed, and reads anew when told that something was missed. Every snapshot that is
// handed on is news.

import { ReelayError } from "./error.js";
import { isRunning, isTerminal, newest, type Generation } from "./generation.js";
import { backoff } from "./push/backoff.js";
import type { Channel, ConnectionState, Following, Listener } from "./push/channel.js";
import type { Clock } from "./push/environment.js";
import { createPoller, USUAL } from "./push/polling.js";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
export type Conversation = Schemas["Conversation"];
export type Message = Schemas["Message"];
export type Status = Schemas["StatusView"];

/** The reads that following needs; the client has them. */
export interface Reads {
  generation(id: string, signal: AbortSignal): Promise<Generation>;
  /** `null` if nothing changed since `etag`. */
  status(id: string, etag: string | null, signal: AbortSignal): Promise<{ status: Status | null; etag: string | null }>;
  conversation(id: string, signal: AbortSignal): Promise<Conversation>;
  /** The pages from `cursor` on, oldest first, each with the cursor that leads to it. */
  messages(
    id: string,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncIterable<{ items: Message[]; cursor: string | null }>;
  generations(id: string, signal: AbortSignal): Promise<Generation[]>;
}

export interface Means {
  reads: Reads;
  channel: Channel;
  clock: Clock;
}

/** What is told of a generation that is followed. */
export interface GenerationHandlers {
  generation(generation: Generation): void;
  connection?(state: ConnectionState): void;
  /** It is terminal, and was told; nothing more comes. */
  ended?(): void;
  /** It cannot be followed: not there, not this user's, or nobody is signed in. Nothing more comes. */
  failed(error: unknown): void;
}

/** What is told of a conversation: all that there is, then each news. */
export type ConversationUpdate =
  | {
      /** All that there is, at the beginning and again after events were missed: take it in place of what was known. */
      type: "snapshot";
      conversation: Conversation;
      messages: Message[];
      generations: Generation[];
    }
  | { type: "message"; message: Message }
  | { type: "generation"; generation: Generation };

export interface ConversationHandlers {
  update(update: ConversationUpdate): void;
  connection?(state: ConnectionState): void;
  failed(error: unknown): void;
}

/** Follows until `stop()`; nothing is told after it. */
export interface Follower {
  stop(): void;
}

export function followGeneration(means: Means, id: string, on: GenerationHandlers): Follower {
  const { reads } = means;
  let known: Generation | null = null;
  let etag: string | null = null;
  const follower = createFollower(means, on, {
    async read(signal) {
      const generation = await reads.generation(id, signal);
      take(generation);
      return { conversationId: generation.conversationId, cursor: generation.eventsCursor };
    },
    async poll(signal) {
      const answer = await reads.status(id, etag, signal);
      if (answer.status && differs(known, answer.status)) take(await reads.generation(id, signal));
      // Only now: had the read failed, the same answer would have to count as news again.
      etag = answer.etag;
      return answer.status?.pollAfterMs ?? null;
    },
    event(event, data) {
      const { generation } = (data ?? {}) as { generation?: Generation };
      if (event === "generation.updated" && generation?.id === id) take(generation);
    },
  });

  function take(arrived: Generation) {
    if (follower.stopped()) return;
    const merged = newest(known, arrived);
    if (merged === known) return;
    known = merged;
    on.generation(merged);
    if (!isTerminal(merged.status) || follower.stopped()) return;
    follower.stop();
    on.ended?.();
  }

  follower.begin();
  return follower;
}

/** Whether a status answer says something that is not known. */
function differs(known: Generation | null, status: Status): boolean {
  return (
    known === null ||
    status.status !== known.status ||
    status.progress > known.progress ||
    (status.queuePosition ?? null) !== (known.queuePosition ?? null) ||
    Date.parse(status.updatedAt) > Date.parse(known.updatedAt)
  );
}

export function followConversation(means: Means, id: string, on: ConversationHandlers): Follower {
  const { reads } = means;
  const seen = new Set<string>();
  const generations = new Map<string, Generation>();
  const etags = new Map<string, string | null>();
  /** The conversation's cursor at the last whole read or poll. */
  let readAt: string | null = null;
  /** The last page of messages that was read; new ones are there or behind it. */
  let tail: string | null = null;
  let complete = false;
  /** What was told while a snapshot was read, which may be older than it. */
  const meanwhile: [event: string, data: unknown][] = [];

  const follower = createFollower(means, on, {
    async read(signal) {
      complete = false;
      const conversation = await reads.conversation(id, signal);
      const [messages, all] = await Promise.all([readMessages(null, signal), reads.generations(id, signal)]);
      seen.clear();
      generations.clear();
      for (const message of messages) seen.add(message.id);
      for (const generation of all) generations.set(generation.id, generation);
      readAt = conversation.eventsCursor;
      complete = true;
      if (!follower.stopped()) on.update({ type: "snapshot", conversation, messages, generations: all });
      for (const [event, data] of meanwhile.splice(0)) takeEvent(event, data);
      return { conversationId: id, cursor: conversation.eventsCursor };
    },
    async poll(signal) {
      await Promise.all([...generations.values()].map((generation) => ask(generation, signal)));
      const { eventsCursor } = await reads.conversation(id, signal);
      if (eventsCursor !== readAt) {
        const [messages, all] = await Promise.all([readMessages(tail, signal), reads.generations(id, signal)]);
        messages.forEach(takeMessage);
        all.forEach(takeGeneration);
        readAt = eventsCursor;
      }
      return null;
    },
    event(event, data) {
      if (complete) takeEvent(event, data);
      else meanwhile.push([event, data]);
    },
  });

  function takeEvent(event: string, data: unknown) {
    const { message, generation } = (data ?? {}) as { message?: Message; generation?: Generation };
    if (event === "message.created" && message) takeMessage(message);
    if (event === "generation.updated" && generation) takeGeneration(generation);
  }

  /** A question about what is being made makes the service look after it. */
  async function ask({ id: generationId, status }: Generation, signal: AbortSignal) {
    if (!isRunning(status)) return;
    const answer = await reads.status(generationId, etags.get(generationId) ?? null, signal);
    const known = generations.get(generationId) ?? null;
    if (answer.status && differs(known, answer.status)) takeGeneration(await reads.generation(generationId, signal));
    etags.set(generationId, answer.etag);
  }

  async function readMessages(from: string | null, signal: AbortSignal) {
    const all: Message[] = [];
    for await (const { items, cursor } of reads.messages(id, from, signal)) {
      tail = cursor;
      all.push(...items);
    }
    return all;
  }

  function takeMessage(message: Message) {
    if (follower.stopped() || seen.has(message.id)) return;
    seen.add(message.id);
    on.update({ type: "message", message });
  }

  function takeGeneration(arrived: Generation) {
    if (follower.stopped()) return;
    const known = generations.get(arrived.id) ?? null;
    const merged = newest(known, arrived);
    if (merged === known) return;
    generations.set(merged.id, merged);
    on.update({ type: "generation", generation: merged });
  }

  follower.begin();
  return follower;
}

/** What differs between following a generation and following a conversation. */
interface Subject {
  /** Reads everything; brings what to listen to, and the cursor from before the read. */
  read(signal: AbortSignal): Promise<{ conversationId: string; cursor: string }>;
  /** Asks for news; brings the milliseconds until the next time. */
  poll(signal: AbortSignal): Promise<number | null>;
  event(event: string, data: unknown): void;
}

interface Told {
  connection?(state: ConnectionState): void;
  failed(error: unknown): void;
}

/** The course that both take. Whatever of it fails for a while is tried again; what cannot succeed ends it. */
function createFollower({ channel, clock }: Means, on: Told, subject: Subject) {
  const abort = new AbortController();
  let following: Following | null = null;
  let state: ConnectionState | null = null;
  let tries = 0;
  let refusals = 0;
  let retry: unknown = null;
  let reading = false;
  let readAgain = false;

  const stopped = () => abort.signal.aborted;
  const poller = createPoller(async () => {
    try {
      return await subject.poll(abort.signal);
    } catch (error) {
      if (!isTransient(error)) fail(error);
      throw error;
    }
  }, clock);

  function say(next: ConnectionState) {
    if (stopped() || state === next) return;
    state = next;
    on.connection?.(next);
  }

  function stop() {
    if (stopped()) return;
    abort.abort();
    poller.stop();
    following?.stop();
    if (retry !== null) clock.clearTimeout(retry);
  }

  function fail(error: unknown) {
    if (stopped()) return;
    stop();
    on.failed(error);
  }

  const listener: Listener = {
    event: (event, data) => !stopped() && subject.event(event, data),
    resync: () => void read(),
    state(next) {
      if (stopped()) return;
      if (next === "live") poller.stop();
      else poller.start();
      say(next);
    },
    // The read knows why, and its error is the one to tell. If it succeeds nevertheless, it listens again.
    refused() {
      following = null;
      poller.start();
      say("polling");
      again(refusals++);
    },
  };

  function again(tried: number) {
    if (retry !== null) clock.clearTimeout(retry);
    retry = clock.setTimeout(() => void read(), Math.min(USUAL, 2 * backoff(tried, clock.random)));
  }

  async function read(): Promise<void> {
    if (stopped()) return;
    if (reading) {
      readAgain = true;
      return;
    }
    reading = true;
    try {
      do {
        readAgain = false;
        const { conversationId, cursor } = await subject.read(abort.signal);
        if (stopped()) return;
        if (following) following.resume(cursor);
        else {
          following = channel.follow(conversationId, cursor, listener);
          if (following.joined) await subject.poll(abort.signal);
        }
      } while (readAgain);
      tries = 0;
    } catch (error) {
      if (stopped()) return;
      if (!isTransient(error)) return fail(error);
      if (!following) say("polling");
      again(tries++);
    } finally {
      reading = false;
    }
  }

  return {
    begin() {
      say("connecting");
      void read();
    },
    stop,
    stopped,
  };
}

function isTransient(error: unknown): boolean {
  return error instanceof ReelayError && error.transient;
}
