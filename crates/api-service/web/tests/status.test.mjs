import assert from "node:assert/strict";
import { test } from "node:test";

import { etaOf, faceOf, isRunning, isTerminal, newest, stageOf } from "../js/status.js";

const ALL = [
  ["pending_clarification", "questions", false, false],
  ["pending_confirmation", "confirmation", false, false],
  ["confirmed", "progress", true, false],
  ["queued", "progress", true, false],
  ["processing", "progress", true, false],
  ["completed", "player", false, true],
  ["failed", "ended", false, true],
  ["cancelled", "ended", false, true],
];

test("each status has its face", () => {
  for (const [status, face, running, terminal] of ALL) {
    assert.deepEqual(
      [faceOf(status), isRunning(status), isTerminal(status)],
      [face, running, terminal],
      status,
    );
  }
});

test("of any two statuses the later one stays, and of two terminal ones the first", () => {
  ALL.forEach(([older], i) => {
    ALL.forEach(([newer, , , terminal], j) => {
      if (i >= j) return;
      const [a, b] = [
        { status: older, updatedAt: "" },
        { status: newer, updatedAt: "" },
      ];
      const first = isTerminal(older);
      assert.equal(newest(a, b).status, first ? older : newer, `${older} then ${newer}`);
      assert.equal(newest(b, a).status, newer, `${newer} then ${older}${terminal}`);
    });
  });
});

test("the stage is said in words, and a stage of the future in general ones", () => {
  assert.equal(stageOf({ status: "queued", queuePosition: 3 }), "Number 3 in the queue");
  assert.equal(stageOf({ status: "queued", queuePosition: 1 }), "Next in the queue");
  assert.equal(stageOf({ status: "queued", queuePosition: null }), "Next in the queue");
  assert.match(stageOf({ status: "processing", stage: "retrying" }), /again/);
  assert.equal(stageOf({ status: "processing", stage: "colour_grading" }), "Making your video");
});

test("the time left is the server's, else what the pace suggests, else not said", () => {
  const now = Date.parse("2026-11-23T09:00:40.000Z");
  const base = { status: "processing", attempt: 1, startedAt: "2026-11-23T09:00:00.000Z", progress: 80 };
  assert.equal(etaOf({ ...base, etaSeconds: 25 }, now), 25);
  assert.equal(etaOf(base, now), 10);
  assert.equal(etaOf({ ...base, progress: 3 }, now), null);
  assert.equal(etaOf({ ...base, attempt: 2 }, now), null);
  assert.equal(etaOf({ ...base, stage: "retrying", etaSeconds: 25 }, now), null);
  assert.equal(etaOf({ ...base, status: "queued" }, now), null);
});
