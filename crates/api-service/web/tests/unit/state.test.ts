// The rules of the page's state: nothing is shown twice, the newest version wins, nothing of a user's stays.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Action,
  conversationsOf,
  foundOf,
  galleryOf,
  initialState,
  reduce,
  runningOf,
  type State,
  threadOf,
  timelineOf,
} from "../../src/model/state";
import type { Conversation, Failure, Generation, GenerationStatus, Message, User } from "../../src/model/types";

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 9, 0, second)).toISOString();
const message = (id: number, second: number, more: Partial<Message> = {}): Message => ({
  id: `msg_${id}`,
  conversationId: "conv_1",
  role: "assistant",
  type: "text",
  content: `words ${id}`,
  generationId: null,
  createdAt: at(second),
  ...more,
});
const generation = (id: number, status: GenerationStatus, second: number, more: Partial<Generation> = {}) =>
  ({
    id: `gen_${id}`,
    conversationId: "conv_1",
    status,
    progress: 0,
    attempt: 1,
    createdAt: at(0),
    updatedAt: at(second),
    ...more,
  }) as Generation;
const conversation = (id: number, second = id) =>
  ({ id: `conv_${id}`, title: null, eventsCursor: "1", createdAt: at(second), updatedAt: at(second) }) as Conversation;
const failure: Failure = { status: 422, code: "validation_failed", detail: "no", fields: {}, resetsAt: null };
const run = (...actions: Action[]) => actions.reduce(reduce, initialState);
const messages = (...list: Message[]): Action => ({ type: "messages.received", id: "conv_1", messages: list });
const generations = (...list: Generation[]): Action => ({ type: "generations.received", generations: list });
const keys = (state: State) => timelineOf(state, "conv_1").map(({ key }) => key);
const pending = { key: "k1", content: "a boat", attachments: [], createdAt: at(1) };

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

test("a generation that is known from elsewhere waits until its conversation is read", () => {
  const state = run({ type: "thread.loading", id: "conv_1" }, generations(generation(1, "queued", 1)));
  assert.deepEqual(keys(state), []);
  assert.deepEqual(keys(reduce(state, { type: "thread.loaded", id: "conv_1" })), ["gen_1"]);
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
  const same = reduce(state, generations(generation(1, "processing", 6, { progress: 50, stage: "generating" })));
  assert.equal(same.generations["gen_1"]?.progress, 60);
  const next = reduce(state, generations(generation(1, "processing", 6, { progress: 0, attempt: 2 })));
  assert.equal(next.generations["gen_1"]?.progress, 0);
});

test("a sent message that is pushed before its answer is shown once", () => {
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
  const failed = run(
    { type: "send.started", id: "conv_1", pending },
    { type: "send.failed", id: "conv_1", key: "k1", error: failure },
    messages(message(1, 1, { role: "user", content: "a boat" })),
  );
  assert.deepEqual(keys(failed), ["msg_1", "k1"]);
  const again = reduce(failed, { type: "send.started", id: "conv_1", pending });
  assert.equal(threadOf(again, "conv_1").pending.length, 1);
  assert.equal(threadOf(again, "conv_1").pending[0]?.error, null);
});

test("what was dropped unsent is gone", () => {
  const state = run({ type: "send.started", id: "conv_1", pending }, { type: "send.dropped", id: "conv_1", key: "k1" });
  assert.deepEqual(keys(state), []);
});

test("the end of a session leaves nothing of the user's", () => {
  const used = run(
    { type: "session.known", user: { id: "user_1" } as User },
    { type: "route.changed", route: { name: "conversation", id: "conv_1" } },
    { type: "conversation.received", conversation: conversation(1) },
    { type: "search.changed", query: "boat" },
    { type: "gallery.loading", status: "", first: true },
    { type: "gallery.loaded", status: "", items: [generation(2, "completed", 1)], nextCursor: null, first: true },
    messages(message(1, 1)),
    generations(generation(1, "queued", 1)),
  );
  const ends: Action[] = [
    { type: "session.ended", notice: true },
    { type: "session.known", user: null },
  ];
  for (const end of ends) {
    const state = reduce(used, end);
    assert.equal(state.session.phase, "anonymous");
    assert.deepEqual([state.threads, state.generations, state.conversations.byId], [{}, {}, {}]);
    assert.deepEqual([state.search, state.gallery.ids], [null, []]);
    assert.deepEqual(state.route, { name: "conversation", id: "conv_1" }, "the address stays, to return to");
  }
});

test("what was answered after somebody left is not for who comes next", () => {
  const late = run(
    { type: "session.known", user: { id: "user_1" } as User },
    { type: "session.ended" },
    { type: "conversations.loaded", items: [conversation(1)], nextCursor: null, first: true },
    generations(generation(1, "queued", 1)),
    { type: "session.known", user: { id: "user_2" } as User },
  );
  assert.deepEqual([late.conversations.byId, late.generations], [{}, {}]);
});

test("conversations are listed newest first, and a deleted one goes with its thread and its videos", () => {
  const items = [1, 2, 3].map((id) => conversation(id));
  const state = run(
    { type: "conversations.loaded", items, nextCursor: null, first: true },
    messages(message(1, 1)),
    { type: "gallery.loading", status: "", first: true },
    { type: "gallery.loaded", status: "", items: [generation(1, "completed", 1)], nextCursor: null, first: true },
  );
  assert.deepEqual(
    conversationsOf(state).map(({ id }) => id),
    ["conv_3", "conv_2", "conv_1"],
  );
  const less = reduce(state, { type: "conversation.removed", id: "conv_1" });
  assert.equal(conversationsOf(less).length, 2);
  assert.deepEqual([less.threads, less.generations, galleryOf(less)], [{}, {}, []]);
});

test("a search shows what its own words found, in the server's order", () => {
  const asked = run({ type: "search.changed", query: "bo" }, { type: "search.changed", query: "boat" });
  const late = reduce(asked, {
    type: "search.loaded",
    query: "bo",
    items: [conversation(9)],
    nextCursor: null,
    first: true,
  });
  assert.deepEqual(foundOf(late), [], "the answer to what was typed before");
  const found = [conversation(2), conversation(5)];
  const page = { type: "search.loaded", query: "boat", nextCursor: "c", first: true } as const;
  const state = reduce(asked, { ...page, items: found });
  const more = reduce(state, { ...page, items: [conversation(5), conversation(1)], first: false });
  assert.deepEqual(
    foundOf(more).map(({ id }) => id),
    ["conv_2", "conv_5", "conv_1"],
  );
  assert.equal(reduce(more, { type: "search.changed", query: "" }).search, null);
  assert.equal(reduce(asked, { type: "search.failed", query: "bo", error: failure }), asked);
});

test("the gallery keeps to its filter while generations change", () => {
  const load = { type: "gallery.loaded", status: "failed", nextCursor: null, first: true } as const;
  const state = run(
    { type: "gallery.loading", status: "failed", first: true },
    { ...load, items: [generation(1, "failed", 1), generation(2, "failed", 1)] },
    generations(generation(4, "completed", 1)),
  );
  assert.deepEqual(
    galleryOf(state).map(({ id }) => id),
    ["gen_1", "gen_2"],
  );
  // The answer for a filter that is no longer chosen brings generations, but no list.
  const other = reduce(state, { type: "gallery.loading", status: "cancelled", first: true });
  const late = reduce(other, { ...load, items: [generation(3, "failed", 1)] });
  assert.deepEqual([galleryOf(late), late.gallery.phase], [[], "loading"]);
  assert.ok(late.generations["gen_3"]);
});

test("all that is being made is in the making, from the yes to the end", () => {
  const state = run(
    { type: "gallery.loading", status: "running", first: true },
    generations(
      generation(1, "processing", 1, { createdAt: at(1) }),
      generation(2, "confirmed", 1, { createdAt: at(2) }),
      generation(3, "queued", 1, { createdAt: at(3) }),
      generation(4, "pending_confirmation", 1),
      generation(5, "completed", 1),
    ),
  );
  const shown = (of: State) => galleryOf(of).map(({ id }) => id);
  assert.deepEqual(shown(state), ["gen_3", "gen_2", "gen_1"]);
  // What begins and ends in the meantime comes and goes without the list being read again.
  const later = reduce(state, generations(generation(1, "completed", 2), generation(4, "queued", 2)));
  assert.deepEqual(shown(later), ["gen_3", "gen_2", "gen_4"]);
});

test("pages of the gallery follow one another, and nothing is there twice", () => {
  const load = { type: "gallery.loaded", status: "", nextCursor: "c", first: true } as const;
  const state = run(
    { type: "gallery.loading", status: "", first: true },
    { ...load, items: [generation(3, "completed", 1), generation(2, "completed", 1)] },
    { type: "gallery.loading", status: "", first: false },
    { ...load, items: [generation(2, "completed", 1), generation(1, "completed", 1)], first: false },
  );
  assert.deepEqual(
    galleryOf(state).map(({ id }) => id),
    ["gen_3", "gen_2", "gen_1"],
  );
});

test("where something is being made is known with how far it is", () => {
  const state = run(
    generations(
      generation(1, "processing", 1, { progress: 40 }),
      generation(2, "completed", 1, { conversationId: "conv_2" }),
      generation(3, "queued", 1, { conversationId: "conv_3" }),
    ),
  );
  assert.deepEqual([...runningOf(state)].sort(), [
    ["conv_1", 40],
    ["conv_3", 0],
  ]);
});

test("what was asked of a generation is busy until it is answered", () => {
  const asked = run({ type: "deed.started", id: "gen_1", name: "confirm", status: "pending_confirmation" });
  assert.equal(asked.deeds["gen_1"]?.busy, true);
  const failed = reduce(asked, { type: "deed.failed", id: "gen_1", error: failure });
  assert.deepEqual([failed.deeds["gen_1"]?.busy, failed.deeds["gen_1"]?.error], [false, failure]);
  assert.equal(reduce(failed, { type: "deed.done", id: "gen_1" }).deeds["gen_1"]?.error, null);
});

test("a connection that is as it was changes nothing", () => {
  const state = run({ type: "connection.changed", push: "live" });
  assert.equal(reduce(state, { type: "connection.changed", push: "live" }), state);
  assert.equal(reduce(state, { type: "network.changed", unreachable: false }), state);
  assert.equal(reduce(state, { type: "network.changed", offline: true }).connection.offline, true);
});
