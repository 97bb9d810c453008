// Which of two versions of a generation is newer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isRunning, isTerminal, isWaiting, newest, type Generation } from "../src/index.js";
import { generation } from "./fixtures.js";

type Part = Partial<Generation>;

const known: Part = { status: "processing", attempt: 1, progress: 40, updatedAt: "2026-01-01T00:00:10.000Z" };
const later = "2026-01-01T00:00:11.000Z";
const earlier = "2026-01-01T00:00:09.000Z";

const cases: [name: string, before: Part, arrived: Part, outcome: "older" | Part][] = [
  ["progress", known, { ...known, progress: 50, updatedAt: later }, { progress: 50 }],
  ["the same again", known, known, "older"],
  ["the same with another link", known, { ...known, resultUrl: "https://elsewhere" }, "older"],
  ["the same with its keys in another order", { ...known, parameters: { duration: 4, style: "ink" } }, { ...known, parameters: { style: "ink", duration: 4, seed: null } }, "older"],
  ["an older one", known, { ...known, progress: 30, updatedAt: earlier }, "older"],
  ["an earlier status, however late", known, { ...known, status: "queued", updatedAt: later }, "older"],
  ["a later status, however early", known, { ...known, status: "completed", updatedAt: earlier }, { status: "completed" }],
  ["a new attempt, which begins again", known, { ...known, attempt: 2, progress: 0, updatedAt: later }, { attempt: 2, progress: 0 }],
  ["an earlier attempt", { ...known, attempt: 2 }, { ...known, attempt: 1, updatedAt: later }, "older"],
  ["less progress within an attempt", known, { ...known, progress: 30, stage: "uploading", updatedAt: later }, { progress: 40, stage: "uploading" }],
  ["another end", { ...known, status: "cancelled" }, { ...known, status: "completed", updatedAt: later }, "older"],
  ["a status after the end", { ...known, status: "completed" }, { ...known, updatedAt: later }, "older"],
  ["a guess at the time left", known, { ...known, etaSeconds: 7 }, { etaSeconds: 7 }],
  ["no guess any more", { ...known, etaSeconds: 7 }, { ...known, etaSeconds: null, updatedAt: later }, { etaSeconds: null }],
  ["an older guess", { ...known, etaSeconds: 7 }, { ...known, etaSeconds: 9, updatedAt: earlier }, "older"],
  ["a place in the queue", { status: "queued", queuePosition: 3 }, { status: "queued", queuePosition: 2 }, { queuePosition: 2 }],
];

for (const [name, before, arrived, outcome] of cases) {
  test(`${name} is ${outcome === "older" ? "no news" : "news"}`, () => {
    const old = generation(before);
    const merged = newest(old, generation(arrived));
    if (outcome === "older") assert.equal(merged, old);
    else assert.deepEqual({ ...merged, ...outcome }, merged);
    assert.equal(merged === old, outcome === "older");
  });
}

test("the first version is news, and a status is exactly one of waiting, running and terminal", () => {
  const first = generation({});
  assert.equal(newest(null, first), first);
  const statuses = [
    "pending_clarification",
    "pending_confirmation",
    "confirmed",
    "queued",
    "processing",
    "completed",
    "failed",
    "cancelled",
  ] as const;
  for (const status of statuses) {
    assert.equal([isWaiting, isRunning, isTerminal].filter((is) => is(status)).length, 1, status);
  }
});
