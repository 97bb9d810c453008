// The first message of a conversation that is not made yet: it is kept, it makes the conversation, and nothing twice.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { type Asked, answering, asked, clear, conversation, elsewhere, keptKeys, message, refused } from "./stage";
import * as actions from "../../src/actions";
import { BEGINNING, picturesPlace, writeDraft, writeThing } from "../../src/drafts";
import { UNMADE, unsentOf } from "../../src/model/state";
import type { Attachment, User } from "../../src/model/types";
import { dispatch, state } from "../../src/store";
import { keep } from "../../src/unsent";

const PICTURE: Attachment = { uploadId: "upl_1", role: "first_frame", name: "dune.png" };
const MINUTE = 60_000;
const CONVERSATIONS = "/api/conversations";
const MESSAGES = "/api/conversations/conv_1/messages";

/** A server that is well. It knows a wish by its key. */
function well({ path, body }: Asked): unknown {
  if (path === CONVERSATIONS) return conversation("conv_1");
  return { message: message("msg_1", "conv_1", String(body["content"])), reply: null, generation: null };
}

const unsent = () =>
  unsentOf(state.peek()).map(({ id, pending }) => [id, pending.content, pending.error?.status ?? null]);
const paths = () => asked.map(({ path }) => path);

actions.followUnsent();
beforeEach(() => {
  dispatch({ type: "session.known", user: null });
  clear();
  dispatch({ type: "session.known", user: { id: "user_1" } as User });
  dispatch({ type: "route.changed", route: { name: "home" } });
});

/** Another user takes this one's place while something is under way. */
function nextUser(): void {
  dispatch({ type: "session.known", user: null });
  dispatch({ type: "session.known", user: { id: "user_2" } as User });
  actions.endStay();
}

/** As the page does it when it is opened. */
async function opened(minutesAgo: number): Promise<void> {
  const createdAt = new Date(Date.now() - minutesAgo * MINUTE).toISOString();
  keep("user_1", UNMADE, { key: "k1", content: "a boat", attachments: [PICTURE], createdAt, error: null });
  await actions.restoreUnsent();
}

test("what could not begin a conversation is kept, and begins one as soon as it can", async () => {
  await actions.send(UNMADE, "a boat", [PICTURE]);
  assert.deepEqual(unsent(), [[UNMADE, "a boat", 500]]);
  assert.equal(keptKeys().length, 1, "a reload finds it");
  answering(well);
  await actions.resendAll();
  assert.deepEqual(paths(), [CONVERSATIONS, CONVERSATIONS, MESSAGES]);
  assert.equal(new Set(asked.map(({ key }) => key)).size, 1, "by one key, so that nothing is there twice");
  assert.deepEqual(asked[2]?.body, { content: "a boat", attachments: [{ uploadId: "upl_1", role: "first_frame" }] });
  assert.deepEqual([unsent(), keptKeys()], [[], []]);
  assert.equal(location.hash, "#/c/conv_1");
});

test("what has its conversation and did not get there waits in it", async () => {
  answering((one) => (one.path === MESSAGES ? refused() : well(one)));
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual(unsent(), [["conv_1", "a boat", 500]]);
  assert.match(localStorage.getItem(keptKeys()[0] ?? "") ?? "", /"conversationId":"conv_1"/);
  answering(well);
  await actions.resendAll();
  assert.deepEqual(paths(), [CONVERSATIONS, MESSAGES, MESSAGES]);
  assert.deepEqual(unsent(), []);
});

test("an earlier page's goes out by itself while it is fresh, and is offered afterwards", async () => {
  answering(well);
  await opened(1);
  assert.deepEqual(paths(), [CONVERSATIONS, MESSAGES]);
  clear();
  answering(well);
  await opened(3);
  assert.deepEqual([paths(), unsent()], [[], [[UNMADE, "a boat", 0]]]);
  const [left] = unsentOf(state.peek());
  assert.ok(left);
  await actions.resend(left.id, left.pending);
  assert.deepEqual(paths(), [CONVERSATIONS, MESSAGES]);
  assert.deepEqual([unsent(), keptKeys()], [[], []]);
});

test("what was thrown away while its conversation was made is not said", async () => {
  answering((one) => {
    // As another tab does it in a browser that knows no locks.
    for (const place of keptKeys()) elsewhere(place, null);
    return well(one);
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([paths(), unsent(), keptKeys()], [[CONVERSATIONS], [], []]);
});

test("whoever leaves while it is made says nothing in the next user's name", async () => {
  answering((one) => {
    nextUser();
    return well(one);
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([paths(), unsent()], [[CONVERSATIONS], []]);
  assert.equal(location.hash, "#/");
});

test("nothing is tried again in the next user's name, nor is an answer shown to them", async () => {
  answering(() => {
    nextUser();
    throw Object.assign(new Error("away"), { status: 503 });
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual(paths(), [CONVERSATIONS]);
  dispatch({ type: "session.known", user: { id: "user_1" } as User });
  answering((one) => {
    nextUser();
    return well(one);
  });
  await actions.send("conv_1", "a boat", []);
  assert.deepEqual(state.peek().threads, {});
});

test("nobody is taken away from what they write, or from where they are", async () => {
  answering(well);
  writeDraft("user_1", BEGINNING, "and a");
  await actions.send(UNMADE, "a boat", []);
  assert.equal(location.hash, "#/");
  writeDraft("user_1", BEGINNING, "");
  dispatch({ type: "route.changed", route: { name: "usage" } });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([unsent(), location.hash], [[], "#/"]);
});

test("of one that another tab has brought to its conversation there is one here as well", async () => {
  await opened(3);
  const [place = ""] = keptKeys();
  const failed = { ...JSON.parse(localStorage.getItem(place) ?? "{}"), conversationId: "conv_1" };
  elsewhere(place, JSON.stringify({ ...failed, error: { status: 500, code: "internal", detail: "no", fields: {} } }));
  assert.deepEqual(unsent(), [["conv_1", "a boat", 500]]);
  elsewhere(place, null);
  assert.deepEqual(unsent(), []);
});

test("what is being sent is not taken back, what was not sent is", async () => {
  let taken = 0;
  const withdraw = () =>
    Promise.all(unsentOf(state.peek()).map(({ id, pending }) => actions.withdraw(id, pending.key, () => (taken += 1))));
  answering(async (one) => {
    await withdraw();
    return one.path === MESSAGES ? refused() : well(one);
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([unsent(), taken], [[["conv_1", "a boat", 500]], 0]);
  await withdraw();
  assert.deepEqual([unsent(), keptKeys(), taken], [[], [], 1]);
});

test("what is taken back while others go out by themselves does not go out", async () => {
  await actions.send(UNMADE, "a boat", []);
  await actions.send(UNMADE, "a kite", []);
  asked.length = 0;
  answering(async (one) => {
    const other = unsentOf(state.peek()).find(({ pending }) => pending.content === "a kite");
    if (other) await actions.withdraw(other.id, other.pending.key);
    return well(one);
  });
  await actions.resendAll();
  assert.deepEqual(paths(), [CONVERSATIONS, MESSAGES]);
  assert.deepEqual([unsent(), keptKeys()], [[], []]);
});

test("what was written behind something that was not sent waits to be asked for", async () => {
  await actions.send("conv_1", "make it 10 seconds", []);
  await actions.send("conv_1", "yes", []);
  asked.length = 0;
  answering(well);
  await actions.resendAll();
  await actions.resendAll();
  assert.deepEqual(asked.map(({ body }) => body["content"]), ["make it 10 seconds"]);
  const [left] = unsentOf(state.peek());
  assert.ok(left, "a price that the yes is not for may be offered by now");
  await actions.resend(left.id, left.pending);
  assert.deepEqual(unsent(), []);
});

test("nobody is taken away from the pictures that they have chosen", async () => {
  answering(well);
  writeThing("user_1", picturesPlace(BEGINNING), [PICTURE]);
  await actions.send(UNMADE, "a boat", []);
  assert.equal(location.hash, "#/");
});

test("what could not be sent before the machine fell asleep is not sent when it wakes", async (t) => {
  const now = Date.now();
  answering(() => {
    t.mock.method(Date, "now", () => now + 60 * MINUTE);
    throw Object.assign(new Error("away"), { status: 503 });
  });
  await actions.send("conv_1", "yes", []);
  await actions.resendAll();
  assert.deepEqual([paths(), unsent()], [[MESSAGES], [["conv_1", "yes", 503]]]);
});
