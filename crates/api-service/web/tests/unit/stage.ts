// What the page's modules expect of a browser, for tests without one: imported before them. Nothing goes over a
// network.

import type { Conversation, Message } from "../../src/model/types";

const kept = new Map<string, string>();
// Methods that are not enumerable, so that `Object.keys` names what is kept, as it does in a browser.
const storage = Object.defineProperties({} as Record<string, string>, {
  getItem: { value: (key: string) => kept.get(key) ?? null },
  setItem: {
    value(key: string, text: string) {
      kept.set(key, text);
      storage[key] = text;
    },
  },
  removeItem: {
    value(key: string) {
      kept.delete(key);
      delete storage[key];
    },
  },
});

type Told = { key?: string | null; persisted?: boolean };

/** Who listens to the window, by what they listen for. */
const listeners: [name: string, listener: (event: Told) => void][] = [];

/** Something that happens to the window. */
export function happen(name: string, event: Told): void {
  for (const [wanted, tell] of listeners) if (wanted === name) tell(event);
}

/** A request as the server sees it. */
export interface Asked {
  path: string;
  key: string | null;
  body: Record<string, unknown>;
}

export const asked: Asked[] = [];

type Answer = (asked: Asked) => unknown;
let answer: Answer = refused;

/** Says what the server answers from now on. */
export function answering(next: Answer): void {
  answer = next;
}

/** As of a server that has made a mistake: the client asks no second time by itself. */
export function refused(): never {
  throw Object.assign(new Error("Something went wrong."), { status: 500 });
}

/** Something that another tab does with what is kept. */
export function elsewhere(key: string, text: string | null): void {
  if (text === null) localStorage.removeItem(key);
  else localStorage.setItem(key, text);
  happen("storage", { key });
}

export const keptKeys = () => [...kept.keys()];

/** How often the page began anew. */
export let reloads = 0;

/** As if the page had just been opened in a browser that has nothing of its own. */
export function clear(): void {
  for (const key of keptKeys()) localStorage.removeItem(key);
  asked.length = 0;
  reloads = 0;
  answer = refused;
  location.hash = "#/";
}

const at = new Date(0).toISOString();
export const conversation = (id: string): Conversation =>
  ({ id, title: null, eventsCursor: "1", createdAt: at, updatedAt: at }) as Conversation;
export const message = (id: string, conversationId: string, content: string): Message => ({
  id,
  conversationId,
  role: "user",
  type: "text",
  content,
  generationId: null,
  createdAt: at,
});

async function fetched(input: string, init: RequestInit): Promise<Response> {
  const one: Asked = {
    path: new URL(input).pathname,
    key: new Headers(init.headers).get("idempotency-key"),
    body: JSON.parse(String(init.body ?? "{}")) as Record<string, unknown>,
  };
  asked.push(one);
  try {
    return Response.json(await answer(one), { status: 201 });
  } catch (error) {
    const { status = 500 } = error as { status?: number };
    const headers = { "content-type": "application/problem+json" };
    const problem = { type: "about:blank", title: "No", status, code: "internal", detail: "no", requestId: "req_1" };
    return new Response(JSON.stringify(problem), { status, headers });
  }
}

Object.defineProperties(globalThis, {
  localStorage: { value: storage },
  location: { value: { origin: "http://page.example", hash: "#/", reload: () => (reloads += 1) } },
  // Without locks, as in an old browser: there is one tab.
  navigator: { value: {} },
  fetch: { value: fetched },
  addEventListener: {
    value: (name: string, listener: (event: Told) => void) => listeners.push([name, listener]),
  },
});
