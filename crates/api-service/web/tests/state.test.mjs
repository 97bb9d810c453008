import assert from "node:assert/strict";
import { test } from "node:test";

import { conversationsOf, initialState, reduce, threadOf, timelineOf } from "../js/state.js";

const at = (second) => new Date(Date.UTC(2026, 10, 23, 9, 0, second)).toISOString();
const message = (id, second, more = {}) => ({
  id: `msg_${id}`,
  conversationId: "conv_1",
  role: "assistant",
  type: "text",
  content: `words ${id}`,
  generationId: null,
  createdAt: at(second),
  ...more,
});
const generation = (id, status, second, more = {}) => ({
  id: `gen_${id}`,
  conversationId: "conv_1",
  status,
  progress: 0,
  attempt: 1,
  createdAt: at(0),
  updatedAt: at(second),
  ...more,
});
const run = (...actions) => actions.reduce(reduce, initialState);
const messages = (...list) => ({ type: "messages.received", id: "conv_1", messages: list });
const generations = (...list) => ({ type: "generations.received", generations: list });
const keys = (state) => timelineOf(state, "conv_1").map(({ key }) => key);

test("what arrives twice is there once, and changes nothing the second time", () => {
  const once = run(messages(message(1, 1)), generations(generation(1, "queued", 1)));
  const twice = [messages(message(1, 1)), generations(generation(1, "queued", 1))].reduce(reduce, once);
  assert.equal(twice, once);
  assert.deepEqual(keys(once), ["gen_1", "msg_1"]);
});

test("messages stand in the order of their making, whatever order they arrive in", () => {
  const state = run(messages(message(3, 3)), messages(message(2, 1), message(1, 1)));
  assert.deepEqual(keys(state), ["msg_1", "msg_2", "msg_3"]);
});

test("a generation stands after the last thing the assistant said of it", () => {
  const about = { generationId: "gen_1" };
  const asked = run(
    messages(message(1, 1, { role: "user", ...about }), message(2, 2, about)),
    generations(generation(1, "pending_clarification", 2)),
    messages(message(4, 4, { role: "user" })),
  );
  assert.deepEqual(keys(asked), ["msg_1", "msg_2", "gen_1", "msg_4"]);
  const done = reduce(asked, messages(message(5, 5, about)));
  assert.deepEqual(keys(done), ["msg_1", "msg_2", "msg_4", "msg_5", "gen_1"]);
});

test("a generation that nobody spoke of stands where its time puts it", () => {
  const retry = generation(2, "pending_confirmation", 3, { createdAt: at(3) });
  const state = run(messages(message(1, 1), message(4, 4)), generations(retry));
  assert.deepEqual(keys(state), ["msg_1", "gen_2", "msg_4"]);
});

test("an older version of a generation changes nothing", () => {
  const state = run(generations(generation(1, "processing", 5, { progress: 40 })));
  assert.equal(reduce(state, generations(generation(1, "processing", 4, { progress: 20 }))), state);
  assert.equal(reduce(state, generations(generation(1, "queued", 9))), state);
});

test("a terminal generation stays as it ended", () => {
  const state = run(generations(generation(1, "cancelled", 5)));
  assert.equal(reduce(state, generations(generation(1, "completed", 9))), state);
});

test("progress does not go back within an attempt, and begins again with the next", () => {
  const state = run(generations(generation(1, "processing", 5, { progress: 60 })));
  const same = reduce(
    state,
    generations(generation(1, "processing", 6, { progress: 50, stage: "generating" })),
  );
  assert.equal(same.generations.gen_1.progress, 60);
  const next = reduce(state, generations(generation(1, "processing", 6, { progress: 0, attempt: 2 })));
  assert.equal(next.generations.gen_1.progress, 0);
});

test("a status answer fills in what it tells and leaves the rest", () => {
  const state = run(generations(generation(1, "queued", 1, { prompt: "a boat" })));
  const snapshot = {
    id: "gen_1",
    status: "processing",
    progress: 10,
    terminal: false,
    pollAfterMs: 5000,
    updatedAt: at(2),
  };
  const after = reduce(state, { type: "status.received", snapshot }).generations.gen_1;
  assert.deepEqual([after.prompt, after.progress, after.pollAfterMs], ["a boat", 10, undefined]);
  assert.equal(reduce(initialState, { type: "status.received", snapshot }), initialState);
});

test("a sent message that is pushed before its answer is shown once", () => {
  const pending = { key: "k1", content: "a boat", createdAt: at(1) };
  const mine = message(1, 1, { role: "user", content: "a boat" });
  const reply = message(2, 2);
  const pushed = run({ type: "send.started", id: "conv_1", pending }, messages(mine));
  assert.deepEqual(keys(pushed), ["msg_1"]);
  const done = reduce(pushed, {
    type: "send.done",
    id: "conv_1",
    key: "k1",
    message: mine,
    reply,
    generation: null,
  });
  assert.deepEqual(keys(done), ["msg_1", "msg_2"]);
  assert.deepEqual(threadOf(done, "conv_1").pending, []);
});

test("a message from elsewhere with the words of a failed one does not hide the failure", () => {
  const pending = { key: "k1", content: "a boat", createdAt: at(1) };
  const failed = run(
    { type: "send.started", id: "conv_1", pending },
    { type: "send.failed", id: "conv_1", key: "k1", error: { status: 422 } },
    messages(message(1, 1, { role: "user", content: "a boat" })),
  );
  assert.deepEqual(keys(failed), ["msg_1", "k1"]);
  const again = reduce(failed, { type: "send.started", id: "conv_1", pending });
  assert.equal(threadOf(again, "conv_1").pending.length, 1);
  assert.equal(threadOf(again, "conv_1").pending[0].error, null);
});

test("the end of a session leaves nothing of the user's", () => {
  const user = { id: "user_1" };
  const used = run(
    { type: "session.known", user },
    { type: "route.changed", route: { name: "conversation", id: "conv_1" } },
    { type: "conversation.received", conversation: { id: "conv_1", createdAt: at(1) } },
    messages(message(1, 1)),
    generations(generation(1, "queued", 1)),
  );
  for (const end of [
    { type: "session.ended", notice: "why" },
    { type: "session.known", user: null },
  ]) {
    const state = reduce(used, end);
    assert.equal(state.session.phase, "anonymous");
    assert.deepEqual([state.threads, state.generations, state.conversations.byId], [{}, {}, {}]);
    assert.equal(state.route.id, "conv_1", "the address stays, to return to");
  }
});

test("conversations are listed newest first, and a deleted one goes with its thread", () => {
  const items = [1, 2, 3].map((n) => ({ id: `conv_${n}`, createdAt: at(n) }));
  const state = run({ type: "conversations.loaded", items, nextCursor: null }, messages(message(1, 1)));
  assert.deepEqual(
    conversationsOf(state).map(({ id }) => id),
    ["conv_3", "conv_2", "conv_1"],
  );
  const less = reduce(state, { type: "conversation.removed", id: "conv_1" });
  assert.equal(conversationsOf(less).length, 2);
  assert.deepEqual(less.threads, {});
});

test("an unknown action is a mistake in the page and is not swallowed", () => {
  assert.throws(() => reduce(initialState, { type: "nonsense" }));
});
