// What was sent and not confirmed, and what was answered and not told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answersOf, keptOf } from "../../src/model/answers";
import { initialState, type Pending, reduce, threadOf, unsentOf } from "../../src/model/state";
import type { ClarificationQuestion, Failure } from "../../src/model/types";
import { goesAgain, INTERRUPTED, isOutdated } from "../../src/model/unsent";

const HOUR = 3_600_000;
const now = Date.UTC(2026, 10, 24, 9);
const failure = (status: number, code = "some_code"): Failure => ({ status, code, detail: "no", fields: {}, resetsAt: null });
const pending = (key: string, hours: number, error: Failure | null): Pending => ({
  key,
  content: "a boat",
  attachments: [],
  createdAt: new Date(now - hours * HOUR).toISOString(),
  error,
});

test("only what the way to the server stood against goes out again by itself", () => {
  const cases: [Failure | null, boolean][] = [
    [failure(0), true],
    [INTERRUPTED, true],
    [failure(503), true],
    [failure(401), true],
    // What a limit refused is not done late: by then it may mean something else.
    [failure(429), false],
    [failure(409, "idempotency_in_flight"), true],
    [failure(409, "invalid_state"), false],
    [failure(404), false],
    [failure(422), false],
    [failure(-1), false],
    // It is on its way.
    [null, false],
  ];
  for (const [error, again] of cases) assert.equal(goesAgain(pending("k", 0.01, error), now), again, JSON.stringify(error));
});

test("what was written for another moment is not sent again unasked", () => {
  assert.equal(goesAgain(pending("k", 1 / 60, failure(0)), now), true);
  assert.equal(goesAgain(pending("k", 3 / 60, failure(0)), now), false, "a yes could be for another price by now");
});

test("what is shown keeps the order of its writing, whichever is tried again", () => {
  const started = (one: Pending) => ({ type: "send.started", id: "conv_1", pending: one }) as const;
  const [early, late] = [pending("early", 2, null), pending("late", 1, null)];
  const state = [early, late, early].map(started).reduce(reduce, initialState);
  assert.deepEqual(threadOf(state, "conv_1").pending.map(({ key }) => key), ["early", "late"]);
});

test("what the server may not know any more by its key is another message", () => {
  assert.deepEqual([22, 24].map((hours) => isOutdated(pending("k", hours, null), now)), [false, true]);
});

test("what an earlier page left behind is there once, with its reason, in the order of its writing", () => {
  const restored = (id: string, one: Pending) => ({ type: "send.restored", id, pending: one }) as const;
  const state = [
    restored("conv_2", pending("late", 1, failure(0))),
    restored("conv_1", pending("early", 2, INTERRUPTED)),
    restored("conv_1", pending("early", 2, failure(422))),
  ].reduce(reduce, initialState);
  assert.deepEqual(
    unsentOf(state).map(({ id, pending: { key, error } }) => [id, key, error?.status]),
    [
      ["conv_1", "early", 422],
      ["conv_2", "late", 0],
    ],
  );
  const again = reduce(state, { type: "send.started", id: "conv_1", pending: pending("early", 2, null) });
  assert.deepEqual(threadOf(again, "conv_1").pending.map(({ error }) => error), [null]);
});

const questions: ClarificationQuestion[] = [
  { id: "duration", question: "How long?", kind: "choice", options: [], default: 8, required: false },
  { id: "subject", question: "What?", kind: "text", required: true },
];

test("answers that are given and not told come back", () => {
  assert.deepEqual(answersOf(questions, null), { duration: 8, subject: undefined });
  assert.equal(keptOf(questions, answersOf(questions, null)), null, "what is usual needs no keeping");
  const given = { duration: 4, subject: "a boat" };
  const kept = JSON.parse(JSON.stringify(keptOf(questions, given)));
  assert.deepEqual(answersOf(questions, kept), given);
  const cleared = JSON.parse(JSON.stringify(keptOf(questions, { duration: undefined, subject: undefined })));
  assert.deepEqual(answersOf(questions, cleared), { duration: undefined, subject: undefined });
});

test("an answer is no answer to another question of that name", () => {
  const kept = keptOf(questions, { duration: 4, subject: "a boat" });
  const [duration, subject] = questions as [ClarificationQuestion, ClarificationQuestion];
  const asked = [{ ...duration, default: 6 }, subject];
  const turned = Object.fromEntries(Object.entries(duration).reverse()) as ClarificationQuestion;
  assert.equal(answersOf([turned], kept)["duration"], 4, "the order of its fields does not make it another");
  assert.deepEqual(answersOf(asked, kept), { duration: 6, subject: "a boat" });
});
