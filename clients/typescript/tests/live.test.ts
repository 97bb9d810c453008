// The client against the real system: the whole way of a video, by each transport, and through crashes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  createClient,
  isTerminal,
  ReelayError,
  type ClientOptions,
  type ConnectionState,
  type ConversationUpdate,
  type Generation,
  type ReelayClient,
} from "../src/index.js";
import { Server, until } from "./server.js";

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server?.finish());

/** Asks in a chat, answers, says yes. */
async function confirmed(client: ReelayClient, prompt: string): Promise<Generation> {
  const { id } = await client.createConversation();
  const { message, reply, generation } = await client.sendMessage(id, `Make me a video of ${prompt}`);
  assert.deepEqual([message.role, reply.role, reply.type], ["user", "assistant", "clarification"]);
  assert.equal(generation?.status, "pending_clarification");
  const questions = generation?.clarificationQuestions ?? [];
  assert.ok(questions.some(({ id }) => id === "duration"));
  const priced = await client.clarify(generation?.id ?? "", { duration: 4, aspect_ratio: "16:9" });
  assert.equal(priced.status, "pending_confirmation");
  assert.ok(priced.estimatedCost);
  return client.confirm(priced.id, priced.estimatedCost);
}

/** What every watcher may rely on. */
function checkCourse(course: Generation[]) {
  const order = ["confirmed", "queued", "processing", "completed"];
  course.forEach((one, at) => {
    const before = course[at - 1];
    if (!before) return;
    assert.ok(order.indexOf(one.status) >= order.indexOf(before.status), `${before.status} → ${one.status}`);
    assert.ok(one.progress >= before.progress, `progress ${before.progress} → ${one.progress}`);
    assert.ok(one.updatedAt >= before.updatedAt, "an older one came later");
    const told = ({ status, progress, stage, queuePosition, attempt, updatedAt }: Generation) =>
      JSON.stringify([status, progress, stage, queuePosition, attempt, updatedAt]);
    assert.notEqual(told(one), told(before), "the same came twice");
  });
  assert.equal(course.at(-1)?.status, "completed");
  assert.equal(course.filter(({ status }) => isTerminal(status)).length, 1);
}

test("from a message to a video, watched by a socket", async () => {
  const client = await server.client();
  const { id, conversationId } = await confirmed(client, "a paper boat [sim:latency=3s]");
  const course: Generation[] = [];
  const states: ConnectionState[] = [];
  for await (const one of client.watchGeneration(id, { onConnection: (state) => states.push(state) })) course.push(one);
  checkCourse(course);
  assert.ok(course.length >= 5, `only ${course.length} snapshots`);
  assert.deepEqual(states, ["connecting", "live"]);
  assert.ok(course.some(({ etaSeconds }) => typeof etaSeconds === "number"), "nobody said how long it takes");

  const done = course.at(-1);
  assert.match((await fetch(done?.resultUrl ?? "")).headers.get("content-type") ?? "", /^video\//);
  const messages: string[] = [];
  for await (const { type } of client.eachMessage(conversationId)) messages.push(type);
  assert.deepEqual(messages.filter((type) => type === "generation_result").length, 1);
  const again: Generation[] = [];
  for await (const one of client.watchGeneration(id)) again.push(one);
  assert.deepEqual(again.map(({ status }) => status), ["completed"]);
});

test("the addresses of a video lead to links that work", async () => {
  const email = `someone-${crypto.randomUUID()}@reelay.test`;
  const { token } = await createClient({ baseUrl: server.api }).register({ email, password: "correct horse battery" });
  const client = createClient({ baseUrl: server.api, token });
  const { id } = await confirmed(client, "a lantern");
  let done: Generation | undefined;
  for await (const one of client.watchGeneration(id)) done = one;
  const posters = [...(done?.posters ?? [])].sort((a, b) => a.width - b.width);
  assert.ok(posters.length > 1);

  /** Where an address leads, as a browser would go there. */
  async function follow(address: string) {
    const headers = { authorization: `Bearer ${token}` };
    const redirect = await fetch(address, { headers, redirect: "manual" });
    assert.equal(redirect.status, 302, address);
    const link = redirect.headers.get("location") ?? "";
    const answer = await fetch(link);
    assert.ok(answer.ok, link);
    await answer.body?.cancel();
    return { path: new URL(link).pathname, type: answer.headers.get("content-type") };
  }
  const pathOf = (address: string | undefined) => new URL(address ?? "").pathname;
  const [smallest, second, largest] = [posters[0], posters[1], posters.at(-1)];
  for (const [address, wanted, type] of [
    [client.videoUrl(id), done?.resultUrl ?? "", "video/mp4"],
    [client.thumbnailUrl(id), done?.thumbnailUrl ?? "", "image/jpeg"],
    [client.posterUrl(id, { width: 1 }), smallest?.url, "image/jpeg"],
    [client.posterUrl(id, { width: (smallest?.width ?? 0) + 0.5 }), second?.url, "image/jpeg"],
    [client.posterUrl(id, { width: 99_999 }), largest?.url, "image/jpeg"],
    [client.posterUrl(id), largest?.url, "image/jpeg"],
  ] as const) {
    assert.deepEqual(await follow(address), { path: pathOf(wanted), type });
  }
});

/** A transport that does not get through, as behind a proxy that knows nothing of it. */
class NoSocket {
  constructor() {
    throw new Error("refused");
  }
}
const noStreams: typeof fetch = async (input, init) =>
  /\/events\b/.test(String(input)) ? new Response("<html>", { status: 502 }) : fetch(input, init);

const ways: [name: string, options: ClientOptions, last: ConnectionState][] = [
  ["event streams where there are no sockets", { webSocket: null }, "live"],
  ["event streams where sockets are refused", { webSocket: NoSocket as never }, "live"],
  ["polling where nothing can be pushed", { webSocket: null, fetch: noStreams }, "polling"],
];
for (const [name, options, last] of ways) {
  test(`the same by ${name}`, async () => {
    const client = await server.client(options);
    const { id } = await confirmed(client, "a kite [sim:latency=7s]");
    const course: Generation[] = [];
    const states: ConnectionState[] = [];
    for await (const one of client.watchGeneration(id, { onConnection: (state) => states.push(state) })) {
      course.push(one);
    }
    checkCourse(course);
    assert.equal(states.at(-1), last);
  });
}

/** What an app that shows a conversation would hold, and how often it was told each thing. */
function showing(client: ReelayClient, id: string) {
  const messages = new Map<string, number>();
  const course: Generation[] = [];
  const states: ConnectionState[] = [];
  let error: unknown = null;
  const count = (id: string) => messages.set(id, (messages.get(id) ?? 0) + 1);
  const follower = client.followConversation(id, {
    update(update: ConversationUpdate) {
      if (update.type === "message") count(update.message.id);
      if (update.type === "generation") course.push(update.generation);
      if (update.type === "snapshot") {
        for (const message of update.messages) count(message.id);
        course.push(...update.generations);
      }
    },
    connection: (state) => states.push(state),
    failed: (failure) => (error = failure),
  });
  return { messages, course, states, follower, error: () => error };
}

const outages: [name: string, outage: () => Promise<void>][] = [
  ["a crash of the API", async () => server.crashApi()],
  [
    "a restart of everything, seconds apart",
    async () => {
      await server.halt();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      await server.resume();
    },
  ],
];
for (const [name, outage] of outages) {
  test(`through ${name} nothing is missed and nothing comes twice`, async () => {
    const client = await server.client();
    const { id, conversationId } = await confirmed(client, "a lighthouse [sim:latency=8s]");
    const shown = showing(client, conversationId);
    const course: Generation[] = [];
    const watched = (async () => {
      for await (const one of client.watchGeneration(id)) course.push(one);
    })();
    await until(() => course.some(({ progress }) => progress > 0), "progress");
    await outage();
    await watched;
    checkCourse(course);
    assert.ok(course.some(({ status, progress }) => status === "processing" && progress > 0));

    await until(() => shown.course.at(-1)?.status === "completed", "the end in the conversation");
    await until(() => shown.states.at(-1) === "live", "a connection");
    checkCourse(shown.course);
    const { reply } = await client.sendMessage(conversationId, "Thank you!");
    await until(() => shown.messages.has(reply.id), "a message after the outage");
    const stored: string[] = [];
    for await (const message of client.eachMessage(conversationId)) stored.push(message.id);
    assert.deepEqual([...shown.messages.keys()].sort(), stored.sort());
    assert.deepEqual(new Set(shown.messages.values()), new Set([1]));
    assert.equal(shown.error(), null);
    shown.follower.stop();
  });
}

test("errors come typed", async () => {
  const [client, other] = [await server.client(), await server.client()];
  const nobody = createClient({ baseUrl: server.api });
  const { id } = await confirmed(client, "a lantern [sim:latency=30s]");
  const cases: [name: string, call: () => Promise<unknown>, status: number, code: string][] = [
    ["nobody", () => nobody.listConversations(), 401, "unauthenticated"],
    ["a wrong password", () => nobody.login({ email: "no@reelay.test", password: "wrong wrong" }), 401, "invalid_credentials"],
    ["a bad address", () => nobody.register({ email: "no", password: "long enough" }), 422, "validation_failed"],
    ["somebody else's", () => other.getGeneration(id), 404, "not_found"],
    ["the wrong state", () => client.retry(id), 409, "invalid_state"],
    ["no such model", () => client.createGeneration({ prompt: "a boat", model: "no-such" }), 422, "validation_failed"],
    ["no picture", () => client.uploadImage(new Blob(["text"], { type: "image/png" })), 422, "validation_failed"],
  ];
  for (const [name, call, status, code] of cases) {
    const error = await call().then(
      () => assert.fail(name),
      (error: unknown) => error,
    );
    assert.ok(error instanceof ReelayError, `${name}: ${String(error)}`);
    assert.deepEqual([error.status, error.code], [status, code], name);
    assert.match(error.requestId ?? "", /./, name);
    if (code === "invalid_state") assert.ok(error.currentStatus, name);
  }
  const cancelled = await client.cancel(id);
  assert.equal((await client.cancel(id)).updatedAt, cancelled.updatedAt, "twice is once");
});

test("a key makes a repeated wish one wish", async () => {
  const client = await server.client();
  const { id } = await client.createConversation({ title: "boats" }, { idempotencyKey: "k" });
  assert.equal((await client.createConversation({ title: "boats" }, { idempotencyKey: "k" })).id, id);
  const error = await client.createConversation({ title: "kites" }, { idempotencyKey: "k" }).catch((e: unknown) => e);
  assert.equal((error as ReelayError).code, "idempotency_key_reused");
});

test("what cannot be watched says why, and a session that ends ends what it watched", async () => {
  const client = await server.client();
  const watch = async (who: ReelayClient, id: string) => {
    for await (const one of who.watchGeneration(id)) if (isTerminal(one.status)) return;
  };
  await assert.rejects(watch(client, "gen_0192f0c1d2e37a4b8c5d6e7f80912a3b"), { status: 404, code: "not_found" });
  await assert.rejects(watch(createClient({ baseUrl: server.api }), "gen_1"), { status: 401 });
  const { id } = await confirmed(client, "a river [sim:latency=60s]");
  let live = false;
  const watched = (async () => {
    const onConnection = (state: ConnectionState) => (live ||= state === "live");
    for await (const one of client.watchGeneration(id, { onConnection })) if (isTerminal(one.status)) return;
  })();
  watched.catch(() => {});
  await until(() => live, "a connection");
  await client.logout();
  await assert.rejects(watched, { status: 401 });
});

/** A browser: tabs of it share the cookie, which their clients do not see. */
function browser() {
  let cookie = "";
  type Headed = new (url: string, options: { headers: Record<string, string> }) => WebSocket;
  /** Node's takes headers, where a browser would send the cookie by itself. */
  class Socket extends (WebSocket as unknown as Headed) {
    constructor(url: string) {
      super(url, { headers: { cookie } });
    }
  }
  const tab = () =>
    createClient({
      baseUrl: server.api,
      webSocket: Socket as never,
      async fetch(input, init) {
        const headers = new Headers(init?.headers);
        headers.set("cookie", cookie);
        const response = await fetch(input, { ...init, headers });
        for (const set of response.headers.getSetCookie()) cookie = set.split(";", 1)[0] ?? "";
        return response;
      },
    });
  return { tab };
}

for (const [name, other] of [
  ["in the same tab", false],
  ["in another tab", true],
] as const) {
  test(`after a session that another tab ended, news are pushed again once somebody signs in ${name}`, async () => {
    const { tab } = browser();
    const [a, b] = [tab(), tab()];
    const email = `someone-${crypto.randomUUID()}@reelay.test`;
    await a.register({ email, password: "correct horse battery" });
    const { id } = await confirmed(a, "a harbour [sim:latency=60s]");
    const watch = () => {
      const states: ConnectionState[] = [];
      const course = (async () => {
        let last: Generation | null = null;
        for await (last of a.watchGeneration(id, { onConnection: (state) => states.push(state) }));
        return last;
      })();
      course.catch(() => {});
      return { course, live: () => states.at(-1) === "live" };
    };
    const before = watch();
    await until(before.live, "a connection");
    await b.logout();
    await assert.rejects(before.course, { status: 401 });

    await (other ? b : a).login({ email, password: "correct horse battery" });
    const after = watch();
    await until(after.live, "a connection of the new session", 15_000);
    await b.cancel(id);
    assert.equal((await after.course)?.status, "cancelled");
  });
}

test("each route can be called", async () => {
  const client = await server.client();
  assert.equal((await client.health()).status, "ok");
  assert.ok((await client.ready()).status);
  assert.ok((await client.me()).user);
  assert.equal((await createClient({ baseUrl: server.api }).me()).user ?? null, null);
  assert.ok((await client.listModels()).length > 0);
  assert.equal((await client.getUsage()).open.count, 0);
  const { id } = await client.createConversation({ title: "one" });
  assert.equal((await client.renameConversation(id, "two")).title, "two");
  assert.equal((await client.getConversation(id)).title, "two");
  const titles: (string | null | undefined)[] = [];
  for await (const { title } of client.eachConversation()) titles.push(title);
  assert.deepEqual(titles, ["two"]);
  const direct = await client.createGeneration({
    conversationId: id,
    prompt: "a boat",
    parameters: { duration: 4, aspectRatio: "16:9" },
  });
  assert.equal(direct.status, "pending_confirmation");
  let answer = await client.getStatus(direct.id);
  assert.equal(answer.status?.status, "pending_confirmation");
  // The worker's accepting it may come between two questions; then nothing changes any more.
  for (let asked = 0; answer.status !== null && asked < 5; asked += 1) {
    answer = await client.getStatus(direct.id, { etag: answer.etag });
  }
  assert.equal(answer.status, null);
  const found: string[] = [];
  for await (const one of client.eachGeneration({ conversationId: id })) found.push(one.id);
  assert.deepEqual(found, [direct.id]);
  await client.cancel(direct.id);
  const retried = await client.retry(direct.id);
  assert.deepEqual([retried.status, retried.retryOf], ["pending_confirmation", direct.id]);
  await client.deleteConversation(id);
  await assert.rejects(client.getConversation(id), { status: 404 });
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  const error = await client.uploadImage(new Blob([png], { type: "image/png" })).catch((e: unknown) => e);
  // One pixel is too small for a video: it was read, and that is what is said of it.
  assert.deepEqual([(error as ReelayError).status, (error as ReelayError).code], [422, "validation_failed"]);
});
