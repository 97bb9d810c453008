// The routes of api-service, one function each. The session is the cookie's business; this file holds no token.

const TIMEOUT = 20_000;
const PAGE = 100;

/** An answer that is not the wished one, or none at all. */
export class ApiError extends Error {
  constructor({ status, code, detail, errors, ...rest }) {
    super(detail);
    this.name = "ApiError";
    /** The HTTP status; 0 if the server could not be reached. */
    this.status = status;
    this.code = code;
    this.detail = detail;
    /** What is wrong with each field: `{field: message}`. */
    this.fields = Object.fromEntries((errors ?? []).map(({ field, message }) => [field, message]));
    this.requestId = rest.requestId ?? null;
    this.currentStatus = rest.currentStatus ?? null;
  }
}

/** A new key for one wish of the user's, the same however often it has to be sent. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Over plain HTTP from another machine browsers offer only the raw bytes.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(
    "",
  );
}

/**
 * `onReach(reached)` is told after every call whether the server answered; `onUnauthorized()` when a session
 * has ended.
 */
export function createApi({ onReach, onUnauthorized }) {
  async function call(method, path, { body, key, headers = {}, signal } = {}) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT);
    const stop = () => timeout.abort();
    signal?.addEventListener("abort", stop);
    const changes = method !== "GET";
    try {
      const response = await fetch(path, {
        method,
        headers: {
          accept: "application/json",
          ...(changes && { "content-type": "application/json" }),
          ...(key && { "idempotency-key": key }),
          ...headers,
        },
        body: changes && method !== "DELETE" ? JSON.stringify(body ?? {}) : undefined,
        cache: "no-store",
        signal: timeout.signal,
      });
      onReach(true);
      if (response.ok || response.status === 304) return await success(response);
      throw await failure(response);
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) throw error;
      onReach(false);
      throw new ApiError({
        status: 0,
        code: "unreachable",
        detail: "Reelay could not be reached. Check your connection and try again.",
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  async function success(response) {
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get("etag"),
      body: text ? JSON.parse(text) : null,
    };
  }

  async function failure(response) {
    const problem = await response.json().catch(() => ({}));
    const asks = new URL(response.url).pathname;
    if (response.status === 401 && !asks.startsWith("/api/auth/")) onUnauthorized();
    return new ApiError({
      ...problem,
      status: response.status,
      code: problem.code ?? "unknown",
      detail: problem.detail ?? problem.title ?? "Something went wrong on our side. Please try again.",
      requestId: problem.requestId ?? response.headers.get("x-request-id"),
    });
  }

  const get = async (path, options) => (await call("GET", path, options)).body;
  const post = async (path, options) => (await call("POST", path, options)).body;

  /** Yields the pages of a list, from `cursor` on: `{items, cursor}` with the cursor that led to the page. */
  async function* pages(path, query, { cursor = null, signal } = {}) {
    let next = cursor;
    do {
      const params = new URLSearchParams({ ...query, limit: PAGE, ...(next && { cursor: next }) });
      const { items, nextCursor } = await get(`${path}?${params}`, { signal });
      yield { items, cursor: next };
      next = nextCursor;
    } while (next);
  }

  return {
    me: () => get("/api/auth/me"),
    register: (body) => post("/api/auth/register", { body }),
    login: (body) => post("/api/auth/login", { body }),
    logout: () => post("/api/auth/logout"),

    conversations: (cursor) =>
      get(`/api/conversations?${new URLSearchParams({ limit: 50, ...(cursor && { cursor }) })}`),
    conversation: (id, options) => get(`/api/conversations/${id}`, options),
    createConversation: (body, key) => post("/api/conversations", { body, key }),
    renameConversation: async (id, title) =>
      (await call("PATCH", `/api/conversations/${id}`, { body: { title } })).body,
    deleteConversation: (id) => call("DELETE", `/api/conversations/${id}`),

    messages: (id, options) => pages(`/api/conversations/${id}/messages`, {}, options),
    sendMessage: (id, content, key) => post(`/api/conversations/${id}/messages`, { body: { content }, key }),

    generations: (conversationId, options) => pages("/api/generations", { conversationId }, options),
    generation: (id) => get(`/api/generations/${id}`),
    /** `{snapshot, etag}`, `snapshot` null if nothing changed since `etag`. */
    async status(id, etag, signal) {
      const headers = etag ? { "if-none-match": etag } : {};
      const answer = await call("GET", `/api/generations/${id}/status`, { headers, signal });
      return { snapshot: answer.body, etag: answer.etag ?? etag };
    },
    clarify: (id, responses, key) => post(`/api/generations/${id}/clarify`, { body: { responses }, key }),
    confirm: (id, body, key) => post(`/api/generations/${id}/confirm`, { body, key }),
    reword: async (id, enhancedPrompt) =>
      (await call("PATCH", `/api/generations/${id}`, { body: { enhancedPrompt } })).body,
    cancel: (id, key) => post(`/api/generations/${id}/cancel`, { key }),
    retry: (id, key) => post(`/api/generations/${id}/retry`, { key }),
  };
}

/** Links that redirect to a fresh link each time, so they never die. */
export const videoUrl = (id) => `/api/generations/${id}/video`;
/** The smallest poster that fills a place of so many pixels, or the largest that there is. */
export const posterUrl = (id, width) => `/api/generations/${id}/poster?width=${Math.ceil(width)}`;
