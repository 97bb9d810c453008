// The hook, in a document, against the real system.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { JSDOM } from "jsdom";
import { StrictMode } from "react";

import { ReelayError, type ClientOptions, type Generation, type ReelayClient } from "../src/index.js";
import { ReelayProvider, useGenerationStatus, useReelay, type GenerationView } from "../src/react.js";
import { Server, until } from "./server.js";

const { window } = new JSDOM('<div id="root"></div>', { url: "http://localhost/" });
for (const [name, value] of Object.entries({ window, document: window.document, navigator: window.navigator })) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
// React looks for the document when it is loaded.
const { createRoot } = await import("react-dom/client");

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server?.finish());

/** A generation that runs for so long. */
async function running(client: ReelayClient, latency: string): Promise<Generation> {
  const parameters = { duration: 4, aspectRatio: "16:9" };
  const { id } = await client.createGeneration({ prompt: `a boat [sim:latency=${latency}]`, parameters });
  return client.confirm(id);
}

/** What is there before the first view. */
const unseen: GenerationView = {
  generation: null,
  status: null,
  progress: 0,
  terminal: false,
  error: null,
  connection: null,
};

/** A mounted component that shows what the hook says; `views` are all that it said. */
function mount(client: ReelayClient, first: string | null) {
  const views: GenerationView[] = [];
  function Shown({ id }: { id: string | null }) {
    assert.equal(useReelay(), client);
    const view = useGenerationStatus(id);
    views.push(view);
    return <p>{view.error ? "error" : `${view.status} ${view.progress}`}</p>;
  }
  const container = window.document.createElement("div");
  const reactRoot = createRoot(container);
  const show = (id: string | null) =>
    reactRoot.render(
      <StrictMode>
        <ReelayProvider client={client}>
          <Shown id={id} />
        </ReelayProvider>
      </StrictMode>,
    );
  show(first);
  return {
    views,
    show,
    text: () => container.textContent ?? "",
    last: () => views.at(-1) ?? unseen,
    unmount: () => reactRoot.unmount(),
  };
}

/** Time that passes several times as fast as everybody else's, so that a test need not wait for 5 s. */
function hurried(factor: number) {
  return {
    now: () => Date.now() * factor,
    setTimeout: (run: () => void, delay: number) => setTimeout(run, delay / factor),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
    random: Math.random,
  };
}

/** A network on which nothing can be pushed until the test says so, and which counts. */
function network() {
  const seen = { sockets: [] as WebSocket[], requests: [] as string[], open: false };
  const options: ClientOptions = {
    webSocket: class extends WebSocket {
      constructor(url: string) {
        if (!seen.open) throw new Error("refused");
        super(url);
        seen.sockets.push(this);
      }
    } as never,
    fetch: async (input, init) => {
      const { pathname } = new URL(String(input));
      seen.requests.push(pathname);
      return pathname.endsWith("/events") && !seen.open ? new Response("", { status: 502 }) : fetch(input, init);
    },
  };
  return { seen, options };
}

test("polls at first, is pushed to once that goes, and stops at the end", async () => {
  const { seen, options } = network();
  const client = await server.client({ ...options, clock: hurried(5) });
  const { id } = await running(client, "12s");
  const { last, views, text, unmount } = mount(client, id);
  await until(() => last().connection === "polling" && last().progress > 0, "progress by polling");
  assert.ok(seen.requests.filter((path) => path.endsWith("/status")).length > 0);
  seen.open = true;
  await until(() => last().connection === "live", "a connection");
  const polled = seen.requests.length;
  await until(() => last().terminal, "the end");
  assert.deepEqual(seen.requests.slice(polled), [], "what is pushed is not asked for");
  assert.equal(text(), "completed 100");
  assert.deepEqual([last().connection, last().error, last().generation?.status], [null, null, "completed"]);
  const progress = views.map((view) => view.progress);
  assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
  await until(() => seen.sockets.every(({ readyState }) => readyState === WebSocket.CLOSED), "closed sockets");
  unmount();
});

test("mounted twice by StrictMode it has one socket, and unmounted none", async () => {
  const { seen, options } = network();
  seen.open = true;
  const client = await server.client(options);
  const { id } = await running(client, "60s");
  const { last, unmount } = mount(client, id);
  await until(() => last().connection === "live", "a connection");
  assert.equal(seen.sockets.length, 1);
  unmount();
  await until(() => seen.sockets[0]?.readyState === WebSocket.CLOSED, "a closed socket");
  const before = seen.requests.length;
  await client.cancel(id);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(seen.requests.slice(before), [`/api/generations/${id}/cancel`]);
});

test("of another generation nothing is shown, not for one frame", async () => {
  const client = await server.client();
  const first = await running(client, "60s");
  const second = await running(client, "60s");
  const { last, views, show, text, unmount } = mount(client, null);
  await until(() => views.length > 0, "a first view");
  assert.deepEqual([last().generation, last().connection, last().terminal], [null, null, false]);
  show(first.id);
  await until(() => last().generation?.id === first.id, "the first one");
  const before = views.length;
  show(second.id);
  await until(() => last().generation?.id === second.id, "the second one");
  assert.ok(views.slice(before).every(({ generation }) => generation === null || generation.id === second.id));
  show(null);
  await until(() => text() === "null 0", "nothing");
  unmount();
  await Promise.all([client.cancel(first.id), client.cancel(second.id)]);
});

test("what cannot be followed is an error, and one that is over needs no connection", async () => {
  const { seen, options } = network();
  seen.open = true;
  const client = await server.client(options);
  const { last, show, text, unmount } = mount(client, "gen_0192f0c1d2e37a4b8c5d6e7f80912a3b");
  await until(() => text() === "error", "an error");
  assert.ok(last().error instanceof ReelayError && last().error instanceof Error);
  assert.deepEqual([(last().error as ReelayError).code, last().connection], ["not_found", null]);
  const { id } = await running(client, "60s");
  await client.cancel(id);
  show(id);
  await until(() => text() === "cancelled 0", "its end");
  assert.deepEqual([last().terminal, last().connection, last().error], [true, null, null]);
  assert.equal(seen.sockets.length, 0);
  unmount();
});
