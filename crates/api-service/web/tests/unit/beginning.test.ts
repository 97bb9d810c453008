// The first message of a conversation that is not made yet: it is kept, it makes the conversation, and nothing twice.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { type Asked, answering, asked, clear, conversation, elsewhere, keptKeys, message, refused } from "./stage";
import * as actions from "../../src/actions";
import { BEGINNING, writeDraft } from "../../src/drafts";
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

beforeEach(() => {
  dispatch({ type: "session.known", user: null });
  clear();
  dispatch({ type: "session.known", user: { id: "user_1" } as User });
  dispatch({ type: "route.changed", route: { name: "home" } });
});

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
    for (const { pending } of unsentOf(state.peek())) actions.dropUnsent(UNMADE, pending.key);
    return well(one);
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([paths(), unsent(), keptKeys()], [[CONVERSATIONS], [], []]);
});

test("whoever leaves while it is made says nothing in the next user's name", async () => {
  answering((one) => {
    dispatch({ type: "session.known", user: null });
    dispatch({ type: "session.known", user: { id: "user_2" } as User });
    return well(one);
  });
  await actions.send(UNMADE, "a boat", []);
  assert.deepEqual([paths(), unsent()], [[CONVERSATIONS], []]);
  assert.equal(location.hash, "#/");
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
  actions.followUnsent();
  await opened(3);
  const [place = ""] = keptKeys();
  const failed = { ...JSON.parse(localStorage.getItem(place) ?? "{}"), conversationId: "conv_1" };
  elsewhere(place, JSON.stringify({ ...failed, error: { status: 500, code: "internal", detail: "no", fields: {} } }));
  assert.deepEqual(unsent(), [["conv_1", "a boat", 500]]);
  elsewhere(place, null);
  assert.deepEqual(unsent(), []);
});
