// The last resort: when it asks, and when it does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createPoller } from "../src/push/polling.js";
import { FakeClock } from "./world.js";

/** Polls answers of a list; `at` are the seconds at which it asked. */
function world(answers: (number | null | "fails" | Promise<null>)[]) {
  const clock = new FakeClock();
  const start = clock.time;
  const at: number[] = [];
  const poller = createPoller(async () => {
    at.push((clock.time - start) / 1000);
    const answer = answers.shift() ?? null;
    if (answer === "fails") throw new Error("away");
    return answer;
  }, clock);
  return { clock, at, poller };
}

test("asks as often as the service says, later after each failure, and as before once it goes", async () => {
  const { clock, at, poller } = world([null, 2_000, "fails", "fails", null, "fails", null]);
  poller.start();
  await clock.pass(45_000);
  assert.deepEqual(at, [5, 10, 12, 17, 27, 32, 37, 42]);
});

test("asks no more once it is stopped, and one question at a time if it is started again meanwhile", async () => {
  let answer = () => {};
  const slow = new Promise<null>((resolve) => (answer = () => resolve(null)));
  const { clock, at, poller } = world([slow]);
  poller.start(0);
  poller.start(0);
  await clock.pass(1_000);
  poller.stop();
  poller.start();
  answer();
  await clock.pass(12_000);
  assert.deepEqual(at, [0, 6, 11]);
  poller.stop();
  await clock.pass(60_000);
  assert.deepEqual([at.length, clock.waiting], [3, 0]);
});
