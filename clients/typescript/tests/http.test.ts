// Requests: who is asking, what is sent again, and what an answer becomes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient, ReelayError, type ClientOptions } from "../src/index.js";

interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: string | null;
}

type Reply = Response | Error | "never";

/** A client whose requests are answered from a list, in order. */
function world(replies: Reply[], options: ClientOptions = {}) {
  const asked: Asked[] = [];
  const client = createClient({
    baseUrl: "https://reelay.test/",
    fetch: async (input, init = {}) => {
      asked.push({
        method: init.method ?? "GET",
        url: String(input),
        headers: new Headers(init.headers),
        body: typeof init.body === "string" ? init.body : null,
      });
      const reply = replies.shift();
      if (reply instanceof Error) throw reply;
      if (reply instanceof Response) return reply;
      return new Promise((_resolve, reject) =>
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)),
      );
    },
    ...options,
  });
  return { client, asked };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  json({ type: "about:blank", title: "t", status, detail: "d", code, requestId: "req_1", ...more }, status, headers);
const away = () => new TypeError("fetch failed");

async function failure(call: Promise<unknown>): Promise<ReelayError> {
  const error = await call.then(
    () => assert.fail("it went well"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ReelayError, String(error));
  return error;
}

test("a call says who is asking, what it wants, and by which key it is known", async () => {
  const { client, asked } = world([json({}), json({}), json({ items: [] })], { token: () => "secret" });
  await client.sendMessage("conv_1", "hello", { idempotencyKey: "k1" });
  client.setToken(null);
  await client.cancel("gen_1");
  await client.listGenerations({ status: "queued", cursor: undefined });
  const [said, cancelled, listed] = asked;
  assert.deepEqual(
    [said?.method, said?.url, said?.body],
    ["POST", "https://reelay.test/api/conversations/conv_1/messages", '{"content":"hello"}'],
  );
  const header = (of: Asked | undefined, name: string) => of?.headers.get(name);
  assert.deepEqual(
    [header(said, "authorization"), header(said, "idempotency-key"), header(said, "content-type")],
    ["Bearer secret", "k1", "application/json"],
  );
  assert.equal(header(cancelled, "authorization"), null);
  assert.match(header(cancelled, "idempotency-key") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(listed?.url, "https://reelay.test/api/generations?status=queued");
  assert.equal(header(listed, "content-type"), null);
});

test("an id cannot lead to another route", async () => {
  const { client, asked } = world([json({})]);
  await client.getGeneration("../auth/me?x=");
  assert.equal(asked[0]?.url, "https://reelay.test/api/generations/..%2Fauth%2Fme%3Fx%3D");
});

test("an error answer becomes a typed error with all that it says", async () => {
  const { client } = world([
    problem(422, "validation_failed", { errors: [{ field: "email", message: "no e-mail" }] }),
    problem(409, "invalid_state", { currentStatus: "queued" }),
    problem(429, "too_many_requests", {}, { "retry-after": "7" }),
    new Response("<html>", { status: 418, headers: { "x-request-id": "req_9" } }),
  ]);
  const invalid = await failure(client.register({ email: "x", password: "y" }));
  assert.deepEqual([invalid.status, invalid.code, invalid.message], [422, "validation_failed", "d"]);
  assert.deepEqual([invalid.field("email"), invalid.field("name"), invalid.requestId], ["no e-mail", undefined, "req_1"]);
  assert.equal((await failure(client.confirm("gen_1"))).currentStatus, "queued");
  const limited = await failure(client.getUsage());
  assert.deepEqual([limited.retryAfter, limited.transient], [7, true]);
  const other = await failure(client.getUsage());
  assert.deepEqual([other.status, other.code, other.requestId, other.problem], [418, "unknown", "req_9", null]);
});

type Client = ReturnType<typeof createClient>;
const read = (client: Client) => client.getGeneration("gen_1");
const keyed = (client: Client) => client.confirm("gen_1");
const rename = (client: Client) => client.renameConversation("conv_1", "t");
const login = (client: Client) => client.login({ email: "a", password: "b" });
const busy = () => problem(503, "unavailable");
const inFlight = () => problem(409, "idempotency_in_flight");

const repeated: [name: string, call: (client: Client) => Promise<unknown>, replies: Reply[], tries: number, code: string | null][] = [
  ["a read that got no answer", read, [away(), json({})], 2, null],
  ["a read that the service had no time for", read, [busy(), json({})], 2, null],
  ["a keyed change that got no answer", keyed, [away(), json({})], 2, null],
  ["a change whose first try is still at work", keyed, [away(), inFlight(), json({})], 3, null],
  ["a key that somebody else uses", keyed, [inFlight()], 1, "idempotency_in_flight"],
  ["a change without a key", rename, [away()], 1, "unreachable"],
  ["signing in", login, [away()], 1, "unreachable"],
  ["what is refused", keyed, [problem(409, "invalid_state")], 1, "invalid_state"],
  ["what asks for a long wait", read, [problem(503, "unavailable", {}, { "retry-after": "60" })], 1, "unavailable"],
];
for (const [name, call, replies, tries, code] of repeated) {
  test(`${name} is sent ${tries === 1 ? "once" : `${tries} times`}`, async () => {
    const { client, asked } = world([...replies]);
    if (code === null) await call(client);
    else assert.equal((await failure(call(client))).code, code);
    assert.equal(asked.length, tries);
    const keys = new Set(asked.map(({ headers }) => headers.get("idempotency-key")));
    assert.equal(keys.size, 1, "one wish has one key");
  });
}

test("repetition has an end", async () => {
  const { client, asked } = world([away(), away(), away(), away(), json({})]);
  assert.equal((await failure(read(client))).status, 0);
  assert.equal(asked.length, 4);
});

test("what would come too late is not repeated, also if it was still early when it began to wait", async (t) => {
  for (const until of [Date.now() - 1, Date.now() + 3_600_000]) {
    const { client, asked } = world([busy(), json({})]);
    const call = failure(client.confirm("gen_1", undefined, { until }));
    // The machine sleeps while the call waits to be repeated.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = Date.now();
    t.mock.method(Date, "now", () => now + 2 * 3_600_000);
    assert.equal((await call).code, "unavailable");
    t.mock.restoreAll();
    assert.equal(asked.length, 1);
  }
});

test("a service that does not answer is given up after the time that was given", async () => {
  const { client } = world(["never"]);
  const error = await failure(client.renameConversation("conv_1", "t", { timeout: 20 }));
  assert.deepEqual([error.code, error.status], ["timeout", 0]);
});

test("a call that is given up ends with the signal's reason, also while it waits to be repeated", async () => {
  for (const replies of [["never"], [busy(), "never"]] as Reply[][]) {
    const { client, asked } = world(replies);
    const abort = new AbortController();
    const call = client.getGeneration("gen_1", { signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await assert.rejects(call, /enough/);
    assert.equal(asked.length, 1);
  }
});

test("a change that is given up is not taken for a service that is away", async () => {
  const reached: boolean[] = [];
  const { client } = world(["never"], { onReach: (is) => reached.push(is) });
  const signal = AbortSignal.timeout(20);
  await assert.rejects(client.renameConversation("conv_1", "t", { signal }), { name: "TimeoutError" });
  assert.deepEqual(reached, []);
});

test("a 304 brings nothing but its tag", async () => {
  const { client, asked } = world([
    json({ id: "gen_1", status: "queued" }, 200, { etag: '"a"' }),
    new Response(null, { status: 304, headers: { etag: '"a"' } }),
  ]);
  const first = await client.getStatus("gen_1");
  assert.deepEqual([first.status?.status, first.etag], ["queued", '"a"']);
  assert.deepEqual(await client.getStatus("gen_1", { etag: first.etag }), { status: null, etag: '"a"' });
  assert.equal(asked[1]?.headers.get("if-none-match"), '"a"');
});

test("lists are read page by page, to the end", async () => {
  const { client, asked } = world([
    json({ items: [{ id: "msg_1" }, { id: "msg_2" }], nextCursor: "c2" }),
    json({ items: [{ id: "msg_3" }], nextCursor: null }),
  ]);
  const ids: string[] = [];
  for await (const { id } of client.eachMessage("conv_1")) ids.push(id);
  assert.deepEqual(ids, ["msg_1", "msg_2", "msg_3"]);
  assert.deepEqual(
    asked.map(({ url }) => new URL(url).search),
    ["?limit=100", "?limit=100&cursor=c2"],
  );
});

test("the page is told whether the service can be reached, and when a session has ended", async () => {
  const reached: boolean[] = [];
  const ended: string[] = [];
  const { client } = world(
    [away(), json({}), new Response("", { status: 502 }), json({}), problem(401, "unauthenticated"), problem(401, "invalid_credentials")],
    { onReach: (is) => reached.push(is), onUnauthorized: ({ code }) => ended.push(code) },
  );
  await read(client);
  await read(client);
  await failure(read(client));
  await failure(login(client));
  assert.deepEqual([reached, ended], [[false, true, false, true, true, true], ["unauthenticated"]]);
});

test("what is no JSON is said to be none", async () => {
  const { client } = world([new Response("<html>hello</html>")]);
  assert.equal((await failure(read(client))).code, "unreadable");
});

test("addresses that a browser opens say what is wanted", () => {
  const { client } = world([]);
  const path = "https://reelay.test/api/generations/gen_1";
  assert.equal(client.videoUrl("gen_1"), `${path}/video`);
  assert.equal(client.videoUrl("gen_1", { download: true }), `${path}/video?download=true`);
  assert.equal(client.thumbnailUrl("gen_1"), `${path}/thumbnail`);
  assert.equal(client.posterUrl("gen_1"), `${path}/poster`);
  // What a layout measures need not be whole; the service takes nothing else.
  assert.equal(client.posterUrl("gen_1", { width: 640.2 }), `${path}/poster?width=641`);
  assert.equal(client.uploadUrl("upl_1"), "https://reelay.test/api/uploads/upl_1");
});

test("outside of a browser an address is needed", () => {
  assert.throws(() => createClient(), /baseUrl/);
});
