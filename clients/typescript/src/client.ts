// The client: each route a call with its types, and news of generations and conversations. It says who is asking once,
// and has one channel for all that it follows.

import {
  followConversation,
  followGeneration,
  type ConversationHandlers,
  type ConversationUpdate,
  type Follower,
  type GenerationHandlers,
  type Means,
  type Message,
  type Reads,
} from "./follow.js";
import type { Generation } from "./generation.js";
import { createHttp, type CallOptions, type HttpOptions, type QueryOf, type Token } from "./http.js";
import { createChannel } from "./push/channel.js";
import { browserSurroundings, systemClock, type Clock, type Surroundings } from "./push/environment.js";
import type { Transport } from "./push/link.js";
import { sseTransport } from "./push/sse.js";
import { webSocketTransport, type Socket } from "./push/websocket.js";
import type { components } from "./schema.js";
import { condense, iterate, latest, type WatchOptions } from "./watch.js";

type Schemas = components["schemas"];
export type AnswerValue = Schemas["AnswerValue"];
export type Money = Schemas["Money"];

export interface ClientOptions extends HttpOptions {
  /** Makes WebSockets where there is no global one (Node before 22); `null` goes without. */
  webSocket?: (new (url: string) => Socket) | null | undefined;
  /** For tests: another clock, other surroundings, other transports. */
  clock?: Clock | undefined;
  surroundings?: Surroundings | undefined;
  transports?: Transport[] | undefined;
}

/** How many items a page has when all pages are read. */
const PAGE = 100;

export type ReelayClient = ReturnType<typeof createClient>;

export function createClient(options: ClientOptions = {}) {
  const http = createHttp(options);
  const { call } = http;
  const clock = options.clock ?? systemClock;

  /** Whether the last that was heard of the service was not that it could not be reached. */
  let reachable = true;
  const socketClass = options.webSocket === undefined ? globalThis.WebSocket : options.webSocket;
  const channel = createChannel({
    transports: options.transports ?? [
      webSocketTransport({
        url: () => `${http.baseUrl.replace(/^http/, "ws")}/api/ws`,
        token: async () => http.bearer(),
        connect: socketClass ? (url) => new socketClass(url) as Socket : undefined,
        clock,
      }),
      sseTransport({
        async request({ conversationId, cursor }, signal) {
          const path = `/api/conversations/${conversationId}/events?${new URLSearchParams({ after: cursor })}`;
          try {
            return await http.send(path, { headers: { accept: "text/event-stream" }, signal });
          } catch (error) {
            // The next call that goes through then says that the service is back.
            if (!signal.aborted) reachable = false;
            throw error;
          }
        },
        clock,
      }),
    ],
    clock,
    surroundings: options.surroundings ?? browserSurroundings,
    lastCursor: async (id) => (await call("get", "/api/conversations/{id}", { id })).body.eventsCursor,
  });
  http.onReach((reached) => {
    if (reached && !reachable) channel.reached();
    reachable = reached;
  });

  /** The pages of a list, from `cursor` on, each with the cursor that leads to it. */
  async function* pages<Item>(
    read: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor?: string | null }>,
    from: string | null = null,
  ) {
    let cursor = from;
    do {
      const page = await read(cursor ?? undefined);
      yield { items: page.items, cursor };
      cursor = page.nextCursor ?? null;
    } while (cursor !== null);
  }

  async function* each<Item>(all: AsyncIterable<{ items: Item[] }>) {
    for await (const { items } of all) yield* items;
  }

  const messagePages = (id: string, from: string | null, more?: CallOptions) =>
    pages<Message>((cursor) => client.listMessages(id, { limit: PAGE, cursor }, more), from);
  const generationPages = (query: QueryOf<"/api/generations", "get">, more?: CallOptions) =>
    pages<Generation>((cursor) => client.listGenerations({ limit: PAGE, ...query, cursor }, more));

  const reads: Reads = {
    generation: (id, signal) => client.getGeneration(id, { signal }),
    status: (id, etag, signal) => client.getStatus(id, { etag, signal }),
    conversation: (id, signal) => client.getConversation(id, { signal }),
    messages: (id, cursor, signal) => messagePages(id, cursor, { signal }),
    async generations(conversationId, signal) {
      const all: Generation[] = [];
      for await (const { items } of generationPages({ conversationId }, { signal })) all.push(...items);
      return all;
    },
  };
  const means: Means = { reads, channel, clock };

  /** Lets the channel know that the browser's cookie is of another session now. */
  function renewed<Body>(body: Body): Body {
    channel.renewed();
    return body;
  }

  const client = {
    /** Says who is asking from now on; open connections are made anew. */
    setToken(token: Token) {
      http.setToken(token);
      channel.renewed();
    },

    // --- Accounts. These take no idempotency keys and are sent once.

    /**
     * Makes an account and signs in; open connections are made anew. The token is the caller's to keep; a browser has
     * the cookie.
     */
    register: async (body: Schemas["Registration"], more?: CallOptions) =>
      renewed((await call("post", "/api/auth/register", { body, ...more })).body),
    /** Signs in; open connections are made anew. */
    login: async (body: Schemas["Credentials"], more?: CallOptions) =>
      renewed((await call("post", "/api/auth/login", { body, ...more })).body),
    /** Ends the session; its streams are closed. */
    logout: async (more?: CallOptions): Promise<void> => {
      await call("post", "/api/auth/logout", { ...more });
    },
    /** Who is signed in; `user` is `null` if nobody is, which is no error. */
    me: async (more?: CallOptions) => (await call("get", "/api/auth/me", { ...more })).body,

    // --- Conversations.

    createConversation: async (body: Schemas["NewConversation"] = {}, more?: CallOptions) =>
      (await call("post", "/api/conversations", { body, keyed: true, ...more })).body,
    /** A page, newest first. */
    listConversations: async (query: QueryOf<"/api/conversations", "get"> = {}, more?: CallOptions) =>
      (await call("get", "/api/conversations", { query, ...more })).body,
    /** All of them, newest first, read page by page. */
    eachConversation: (more?: CallOptions) =>
      each(pages((cursor) => client.listConversations({ limit: PAGE, cursor }, more))),
    getConversation: async (id: string, more?: CallOptions) =>
      (await call("get", "/api/conversations/{id}", { id, ...more })).body,
    renameConversation: async (id: string, title: string | null, more?: CallOptions) =>
      (await call("patch", "/api/conversations/{id}", { id, body: { title }, ...more })).body,
    /** Hides it, and cancels what runs in it. */
    deleteConversation: async (id: string, more?: CallOptions): Promise<void> => {
      await call("delete", "/api/conversations/{id}", { id, ...more });
    },

    // --- Messages.

    /** A page, oldest first. */
    listMessages: async (
      id: string,
      query: QueryOf<"/api/conversations/{id}/messages", "get"> = {},
      more?: CallOptions,
    ) => (await call("get", "/api/conversations/{id}/messages", { id, query, ...more })).body,
    /** All of them, oldest first, read page by page. */
    eachMessage: (id: string, more?: CallOptions) => each(messagePages(id, null, more)),
    /** The pages from `cursor` on, each with the cursor that leads to it, to go on from later. */
    messagePages,
    /** Says something; the answer holds the assistant's reply, and the generation if there is one. */
    sendMessage: async (id: string, message: string | Schemas["NewMessage"], more?: CallOptions) => {
      const body = typeof message === "string" ? { content: message } : message;
      return (await call("post", "/api/conversations/{id}/messages", { id, body, keyed: true, ...more })).body;
    },

    // --- Generations.

    /** Asks for a video without a chat. */
    createGeneration: async (body: Schemas["NewGeneration"], more?: CallOptions): Promise<Generation> =>
      (await call("post", "/api/generations", { body, keyed: true, ...more })).body,
    /** A page, newest first. */
    listGenerations: async (query: QueryOf<"/api/generations", "get"> = {}, more?: CallOptions) =>
      (await call("get", "/api/generations", { query, ...more })).body,
    /** All of them, newest first, read page by page. */
    eachGeneration: (query: Omit<QueryOf<"/api/generations", "get">, "cursor"> = {}, more?: CallOptions) =>
      each(generationPages(query, more)),
    getGeneration: async (id: string, more?: CallOptions): Promise<Generation> =>
      (await call("get", "/api/generations/{id}", { id, ...more })).body,
    /** The short answer that polling asks for; `status` is `null` if nothing changed since `etag`. */
    getStatus: async (id: string, { etag, ...more }: CallOptions & { etag?: string | null | undefined } = {}) => {
      const headers = etag ? { "if-none-match": etag } : undefined;
      const answer = await call("get", "/api/generations/{id}/status", { id, headers, ...more });
      return { status: answer.status === 304 ? null : answer.body, etag: answer.etag ?? etag ?? null };
    },
    /** Answers the questions; what is left out takes its default. */
    clarify: async (id: string, responses: Record<string, AnswerValue>, more?: CallOptions): Promise<Generation> =>
      (await call("post", "/api/generations/{id}/clarify", { id, body: { responses }, keyed: true, ...more })).body,
    /**
     * Says yes to the price; with `estimatedCost` only if it is still that (else `price_changed`). `enhancedPrompt` is
     * what the model is asked for in place of the prompt, `null` the prompt itself; left out, it stays as it is.
     */
    confirm: async (
      id: string,
      estimatedCost?: Money | null,
      { enhancedPrompt, ...more }: CallOptions & { enhancedPrompt?: string | null | undefined } = {},
    ): Promise<Generation> => {
      const body = {
        ...(estimatedCost ? { estimatedCost } : {}),
        ...(enhancedPrompt === undefined ? {} : { enhancedPrompt }),
      };
      return (await call("post", "/api/generations/{id}/confirm", { id, body, keyed: true, ...more })).body;
    },
    /** Changes what the model is asked for until the yes: other words, or with `null` the prompt itself. */
    reword: async (id: string, enhancedPrompt: string | null, more?: CallOptions): Promise<Generation> =>
      (await call("patch", "/api/generations/{id}", { id, body: { enhancedPrompt }, keyed: true, ...more })).body,
    cancel: async (id: string, more?: CallOptions): Promise<Generation> =>
      (await call("post", "/api/generations/{id}/cancel", { id, keyed: true, ...more })).body,
    /** The same once more, as a new generation that waits for its yes. */
    retry: async (id: string, more?: CallOptions): Promise<Generation> =>
      (await call("post", "/api/generations/{id}/retry", { id, keyed: true, ...more })).body,

    // --- Pictures, models, money, health.

    /** Uploads a picture; its `type` says what it is. */
    uploadImage: async (image: Blob, more?: CallOptions): Promise<Schemas["Upload"]> =>
      (await call("post", "/api/uploads", { raw: image, keyed: true, ...more })).body,
    listModels: async (more?: CallOptions) => (await call("get", "/api/models", { ...more })).body.items,
    getUsage: async (more?: CallOptions) => (await call("get", "/api/usage", { ...more })).body,
    health: async (more?: CallOptions) => (await call("get", "/healthz", { ...more })).body,
    ready: async (more?: CallOptions) => (await call("get", "/readyz", { ...more })).body,

    // --- Addresses that lead to a fresh link each time they are opened, so that they never die. A browser opens them by
    // its cookie.

    videoUrl: (id: string, { download = false } = {}) =>
      `${http.baseUrl}/api/generations/${id}/video${download ? "?download=true" : ""}`,
    thumbnailUrl: (id: string) => `${http.baseUrl}/api/generations/${id}/thumbnail`,
    /** The video's first picture for a place that is `width` device pixels wide; without it, the largest that there is. */
    posterUrl: (id: string, { width }: { width?: number | undefined } = {}) =>
      `${http.baseUrl}/api/generations/${id}/poster${width === undefined ? "" : `?width=${Math.ceil(width)}`}`,
    uploadUrl: (id: string) => `${http.baseUrl}/api/uploads/${id}`,

    // --- News.

    /**
     * Each news of a generation, beginning with how it stands, until it is terminal. Never the same twice, never an
     * older one; what comes while the loop is busy is told as the latest. Throws a `ReelayError` if it cannot be
     * followed; what fails for a while only makes news come later.
     */
    watchGeneration: (id: string, { signal, onConnection }: WatchOptions = {}): AsyncGenerator<Generation> =>
      iterate(
        ({ push, end, fail }) =>
          followGeneration(means, id, {
            generation: push,
            connection: (state) => onConnection?.(state),
            ended: end,
            failed: fail,
          }),
        latest,
        signal,
      ),
    /** All that there is in a conversation, then each news, until the loop is left. */
    watchConversation: (id: string, { signal, onConnection }: WatchOptions = {}): AsyncGenerator<ConversationUpdate> =>
      iterate(
        ({ push, fail }) =>
          followConversation(means, id, { update: push, connection: (state) => onConnection?.(state), failed: fail }),
        condense,
        signal,
      ),
    /** As `watchGeneration`, by callbacks. */
    followGeneration: (id: string, handlers: GenerationHandlers): Follower => followGeneration(means, id, handlers),
    /** As `watchConversation`, by callbacks. */
    followConversation: (id: string, handlers: ConversationHandlers): Follower =>
      followConversation(means, id, handlers),
  };
  return client;
}
