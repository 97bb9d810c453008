// Requests and answers: who is asking, how long to wait, what may be sent again, and what an answer means. Which routes
// there are is the schema's business.

import { errorOf, ReelayError } from "./error.js";
import { backoff } from "./push/backoff.js";
import type { paths } from "./schema.js";

/** How long an answer may take, in milliseconds. */
const TIMEOUT = 20_000;
/** How often a request that may be repeated is sent at most. */
const TRIES = 4;
/** A wait that is asked for is honoured up to so long, in milliseconds; beyond it the caller decides. */
const LONGEST_WAIT = 10_000;

export type Method = "get" | "post" | "patch" | "delete";

type Of<Path extends keyof paths, M extends Method> = NonNullable<paths[Path][M]>;
type Json<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : undefined;

/** What a route answers when all is well. */
export type AnswerOf<Path extends keyof paths, M extends Method> =
  Of<Path, M> extends { responses: infer All }
    ? 201 extends keyof All
      ? Json<All[201]>
      : 200 extends keyof All
        ? Json<All[200]>
        : undefined
    : never;

/** What a route takes as its body. */
export type BodyOf<Path extends keyof paths, M extends Method> =
  Of<Path, M> extends { requestBody?: { content: { "application/json": infer Body } } } ? Body : never;

/** What is not wanted may be left out or be `undefined`. */
type Optional<Query> = { [Name in keyof Query]: Query[Name] | undefined };

/** What a route takes behind the question mark. */
export type QueryOf<Path extends keyof paths, M extends Method> =
  Of<Path, M> extends { parameters: { query?: infer Query } } ? Optional<NonNullable<Query>> : never;

/** What any call can be given. */
export interface CallOptions {
  /** Gives the call up; its promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * One wish of the user's has one key, however often it is sent. Without one the client makes one for each call, so
   * that only the client's own repetitions are recognised.
   */
  idempotencyKey?: string | undefined;
  /** Milliseconds in place of 20 s, for each try. */
  timeout?: number | undefined;
  /**
   * As of `Date.now()`: after it the call is not sent again, since by then it could mean something else. A machine that
   * sleeps between two tries makes any wait a long one.
   */
  until?: number | undefined;
}

export interface HttpOptions {
  /** Where the service is; in a browser the page's own origin by default. */
  baseUrl?: string | undefined;
  /** The bearer token, or who knows it. Without one the session cookie says who is asking. */
  token?: Token | undefined;
  /** As of `fetch`: `same-origin` by default. */
  credentials?: RequestCredentials | undefined;
  fetch?: typeof fetch | undefined;
  /** Told after each try whether the service could be reached. */
  onReach?: ((reached: boolean) => void) | undefined;
  /** Told of a 401 on any route but those for signing in. */
  onUnauthorized?: ((error: ReelayError) => void) | undefined;
}

export type Token = string | null | (() => string | null | Promise<string | null>);

export interface Request<Path extends keyof paths, M extends Method> extends CallOptions {
  /** Fills the braces of the path. */
  id?: string;
  query?: QueryOf<Path, M> | undefined;
  body?: BodyOf<Path, M> | undefined;
  /** A body that is no JSON. */
  raw?: Blob | undefined;
  /** Whether the route takes an idempotency key. */
  keyed?: boolean;
  headers?: Record<string, string> | undefined;
}

/** An answer with what stands beside its body. */
export interface Answer<Body> {
  /** `undefined` of a 304 and where there is none. */
  body: Body;
  status: number;
  etag: string | null;
}

export type Http = ReturnType<typeof createHttp>;

/** A new idempotency key. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // Over plain HTTP from another machine browsers offer only the raw bytes.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function createHttp(options: HttpOptions) {
  const baseUrl = (options.baseUrl ?? globalThis.location?.origin ?? "").replace(/\/+$/, "");
  if (!baseUrl) throw new TypeError("Outside of a browser the client needs a baseUrl.");
  const fetcher: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
  let token: Token = options.token ?? null;
  const reachListeners = new Set<(reached: boolean) => void>();
  if (options.onReach) reachListeners.add(options.onReach);

  const bearer = async () => (typeof token === "function" ? await token() : token);

  /** One request as it is, answered or not; what it means is the caller's to say. */
  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const secret = await bearer();
    const headers = new Headers(init.headers);
    if (secret !== null) headers.set("authorization", `Bearer ${secret}`);
    const credentials = options.credentials ?? "same-origin";
    return fetcher(`${baseUrl}${path}`, { cache: "no-store", credentials, ...init, headers });
  }

  function reach(reached: boolean) {
    for (const tell of reachListeners) tell(reached);
  }

  /** One try: the answer, read to its end, or a `ReelayError`. */
  async function attempt<Body>(path: string, init: RequestInit, call: CallOptions): Promise<Answer<Body>> {
    const limit = new AbortController();
    const giveUp = () => limit.abort(call.signal?.reason);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.abort();
    }, call.timeout ?? TIMEOUT);
    call.signal?.addEventListener("abort", giveUp);
    try {
      call.signal?.throwIfAborted();
      const response = await send(path, { ...init, signal: limit.signal });
      if (!response.ok && response.status !== 304) {
        const error = await errorOf(response);
        // What stands between may answer for a service that is away.
        reach(error.problem !== null || ![502, 503, 504].includes(error.status));
        throw error;
      }
      const text = await response.text();
      reach(true);
      const body = (text ? readJson(text, response) : undefined) as Body;
      return { body, status: response.status, etag: response.headers.get("etag") };
    } catch (error) {
      if (error instanceof ReelayError) throw error;
      call.signal?.throwIfAborted();
      reach(false);
      const [code, detail] = late
        ? ["timeout", "The service did not answer in time."]
        : ["unreachable", "The service could not be reached."];
      throw new ReelayError({ status: 0, code, detail, cause: error });
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", giveUp);
    }
  }

  /** One call of a route, sent again where that can do no harm. */
  async function call<Path extends keyof paths & string, M extends Method>(
    method: M,
    path: Path,
    request: Request<Path, M> = {},
  ): Promise<Answer<AnswerOf<Path, M>>> {
    const headers: Record<string, string> = { accept: "application/json", ...request.headers };
    if (request.keyed) headers["idempotency-key"] = request.idempotencyKey ?? newKey();
    const init: RequestInit = { method: method.toUpperCase(), headers };
    if (request.raw !== undefined) {
      init.body = request.raw;
      headers["content-type"] = request.raw.type;
    } else if (method !== "get") {
      // Without a body as well: what another site's form can send is refused.
      headers["content-type"] = "application/json";
      if (method !== "delete") init.body = JSON.stringify(request.body ?? {});
    }
    const address = path.replace("{id}", encodeURIComponent(request.id ?? "")) + queryText(request.query);
    const repeatable = method === "get" || request.keyed === true;
    const late = () => request.until !== undefined && Date.now() > request.until;
    for (let tried = 1; ; tried += 1) {
      try {
        return await attempt(address, init, request);
      } catch (error) {
        if (!(error instanceof ReelayError)) throw error;
        const wait = repeatable && tried < TRIES && !late() ? waitBefore(error, tried) : null;
        if (wait === null) {
          if (error.status === 401 && !path.startsWith("/api/auth/")) options.onUnauthorized?.(error);
          throw error;
        }
        await sleep(wait, request.signal);
        if (late()) throw error;
      }
    }
  }

  return {
    baseUrl,
    bearer,
    send,
    call,
    setToken(next: Token) {
      token = next;
    },
    /** Lets `tell` know after each try whether the service could be reached; returns how to stop. */
    onReach(tell: (reached: boolean) => void) {
      reachListeners.add(tell);
      return () => void reachListeners.delete(tell);
    },
  };
}

/** Milliseconds until the next try, or `null` if there is to be none. */
function waitBefore(error: ReelayError, tried: number): number | null {
  // The first try may still be at work, or its answer may have been lost on the way.
  const again = error.status === 0 || [502, 503, 504].includes(error.status);
  const busy = error.code === "idempotency_in_flight" && tried > 1;
  if (!again && !busy) return null;
  const asked = (error.retryAfter ?? 0) * 1000;
  return asked > LONGEST_WAIT ? null : Math.max(asked, backoff(tried - 1));
}

function queryText(query: object | undefined): string {
  const filled = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return filled.length === 0 ? "" : `?${new URLSearchParams(filled.map(([name, value]) => [name, String(value)]))}`;
}

function readJson(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = "The answer is no JSON. Is this the service's address?";
    throw new ReelayError({ status: response.status, code: "unreadable", detail, cause });
  }
}

/** Waits, unless `signal` gives up first. */
export function sleep(time: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, time);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
