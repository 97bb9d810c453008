// What the page says: numbers, money, times, addresses, the life of a video.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, day, moment, money, ratio, seconds, shorten, timeLeft } from "../../src/format";
import { parameterList, posterSet, posterUrl, reasonOf, resultLine } from "../../src/model/details";
import { costOfStopping, etaOf, faceOf, isRunning, isTerminal, isWaiting, RUNNING, stageOf } from "../../src/model/status";
import type { GenerationStatus, Period } from "../../src/model/types";
import { shareOf } from "../../src/model/usage";
import { conversationHref, galleryHref, parseRoute, videoHref, viewKey } from "../../src/routes";

test("numbers, money and times read as a person writes them", () => {
  assert.equal(money({ amount: "3.20", currency: "USD" }, "en-US"), "$3.20");
  assert.equal(money({ amount: "3.20", currency: "?" }, "en-US"), "3.20 ?");
  assert.equal(money(null), "");
  assert.deepEqual([seconds(8), seconds(7.96), seconds(60), seconds(95)], ["8 s", "8.0 s", "1 min", "1 min 35 s"]);
  assert.deepEqual([bytes(999), bytes(4_210_334), bytes(2.5e9)], ["1 kB", "4.2 MB", "2.5 GB"]);
  assert.deepEqual(
    [timeLeft(2), timeLeft(41), timeLeft(150)],
    ["A few seconds left", "About 45 s left", "About 3 min left"],
  );
});

test("a day is told by its distance", () => {
  const now = new Date(2026, 10, 23, 9, 0);
  const on = (month: number, date: number, year = 2026) => new Date(year, month, date, 8, 5).toISOString();
  assert.match(day(on(10, 23), now, "en-GB"), /08:05/);
  assert.equal(day(on(10, 22), now, "en-GB"), "Yesterday");
  assert.equal(day(on(2, 4), now, "en-GB"), "4 Mar");
  assert.equal(day(on(2, 4, 2025), now, "en-GB"), "4 Mar 2025");
});

test("when something begins again is told by its distance too", () => {
  const now = new Date(2026, 10, 30, 9, 0);
  const on = (month: number, date: number) => new Date(2026, month, date, 18, 5).toISOString();
  assert.equal(moment(on(10, 30), now, "en-GB"), "at 18:05");
  assert.equal(moment(on(11, 1), now, "en-GB"), "tomorrow at 18:05");
  assert.equal(moment(on(11, 4), now, "en-GB"), "on 4 December at 18:05");
});

test("text is cut at a word", () => {
  assert.equal(shorten("a paper boat", 20), "a paper boat");
  assert.equal(shorten("a paper boat crosses the street", 20), "a paper boat…");
  assert.equal(shorten("🦊".repeat(30), 10), `${"🦊".repeat(4)}…`);
  assert.equal(shorten("x".repeat(30), 10), `${"x".repeat(9)}…`);
});

test("a shape is read from either form", () => {
  assert.equal(ratio("9:16"), 9 / 16);
  assert.equal(ratio("1920x1080"), 16 / 9);
  for (const none of [null, "", "16:0", "wide"]) assert.equal(ratio(none), null);
});

test("addresses lead where they say", () => {
  assert.deepEqual(parseRoute(""), { name: "home" });
  assert.deepEqual(parseRoute("#/"), { name: "home" });
  for (const name of ["signin", "signup", "usage", "settings"]) assert.deepEqual(parseRoute(`#/${name}`), { name });
  assert.deepEqual(parseRoute(conversationHref("conv_01ab")), { name: "conversation", id: "conv_01ab" });
  assert.deepEqual(parseRoute(videoHref("gen_01ab")), { name: "video", id: "gen_01ab" });
  assert.deepEqual(parseRoute(galleryHref()), { name: "gallery", status: "" });
  assert.deepEqual(parseRoute(galleryHref("failed")), { name: "gallery", status: "failed" });
  assert.deepEqual(parseRoute(galleryHref("running")), { name: "gallery", status: "running" });
  assert.deepEqual(parseRoute("#/videos?status=processing"), { name: "gallery", status: "running" }, "an old link");
  assert.deepEqual(parseRoute("#/videos?status=nonsense"), { name: "gallery", status: "" });
  for (const wrong of ["#/c/", "#/c/../x", "#/c/a/b", "#/videos/a/b", "#/elsewhere"]) {
    assert.equal(parseRoute(wrong).name, "unknown", wrong);
  }
});

test("a filter changes what a view shows, another video is another view", () => {
  assert.equal(viewKey(parseRoute(galleryHref("failed"))), viewKey(parseRoute(galleryHref())));
  assert.notEqual(viewKey(parseRoute(videoHref("gen_1"))), viewKey(parseRoute(videoHref("gen_2"))));
});

const ALL: [GenerationStatus, string, boolean, boolean, boolean][] = [
  ["pending_clarification", "questions", true, false, false],
  ["pending_confirmation", "confirmation", true, false, false],
  ["confirmed", "progress", false, true, false],
  ["queued", "progress", false, true, false],
  ["processing", "progress", false, true, false],
  ["completed", "player", false, false, true],
  ["failed", "ended", false, false, true],
  ["cancelled", "ended", false, false, true],
];

test("each status has its face", () => {
  for (const [status, face, waiting, running, terminal] of ALL) {
    const found = [faceOf(status), isWaiting(status), isRunning(status), isTerminal(status)];
    assert.deepEqual(found, [face, waiting, running, terminal], status);
    assert.equal(RUNNING.includes(status), running, status);
  }
});

test("what stopping may cost is said while something is being made", () => {
  const told = ALL.map(([status]) => status).filter((status) => costOfStopping(status) !== "");
  assert.deepEqual(told, ["processing"]);
  assert.match(costOfStopping("processing"), /may be charged/);
});

test("the stage is said in words, and a stage of the future in general ones", () => {
  const queued = { status: "queued", stage: null } as const;
  assert.equal(stageOf({ ...queued, queuePosition: 3 }), "Number 3 in the queue");
  assert.equal(stageOf({ ...queued, queuePosition: 1 }), "Next in the queue");
  assert.equal(stageOf({ ...queued, queuePosition: null }), "Next in the queue");
  assert.match(stageOf({ status: "processing", stage: "retrying", queuePosition: null }), /again/);
  const unknown = "colour_grading" as "retrying";
  assert.equal(stageOf({ status: "processing", stage: unknown, queuePosition: null }), "Making your video");
});

test("the time left is the server's, and of a video that is late it is not said", () => {
  const base = { status: "processing", stage: "generating", etaSeconds: 25 } as const;
  assert.equal(etaOf(base), 25);
  assert.equal(etaOf({ ...base, etaSeconds: 0 }), 0);
  assert.equal(etaOf({ ...base, etaSeconds: null }), null);
  assert.equal(etaOf({ ...base, stage: "retrying" }), null);
  assert.equal(etaOf({ ...base, status: "queued" }), null);
});

test("the facts of a video leave out what is not known", () => {
  const parameters = { duration: 8, aspectRatio: "9:16", audio: false, seed: 0, negativePrompt: "people" };
  assert.deepEqual(parameterList({ parameters }), [
    ["Length", "8 s"],
    ["Shape", "9:16, upright"],
    ["Sound", "No"],
    ["Without", "people"],
    ["Seed", "0"],
  ]);
  const result = { duration: 8, resolution: "1280x720", fileSize: 588_000, format: "mp4", processingTime: 6.4 };
  assert.equal(resultLine(result), "8 s · 1280×720 · 588 kB · MP4 · made in 6 s");
  assert.equal(resultLine({}), "");
});

test("why there is no video is said of every code, and of one of the future", () => {
  assert.match(reasonOf({ status: "failed", errorCode: "content_filtered" }), /declined/);
  assert.match(reasonOf({ status: "failed", errorCode: null }), /went wrong/);
  assert.match(reasonOf({ status: "cancelled", errorCode: null }), /cancelled/);
  assert.match(reasonOf({ status: "cancelled", errorCode: "expired" }), /seven days/);
});

test("pictures are asked for where links never die", () => {
  const link = (width: number) => ({ width, height: width, url: `https://store/${width}?X-Amz-Expires=3600` });
  const posters = [320, 640].map(link);
  const address = "/api/generations/gen_1/poster?width=";
  assert.equal(posterSet({ id: "gen_1", posters }), `${address}320 320w, ${address}640 640w`);
  assert.equal(posterSet({ id: "gen_1", posters: [] }), "");
  assert.equal(posterSet({ id: "gen_1" }), "");
  assert.equal(posterUrl("gen_1", 680 * 1.3), `${address}884`);
});

test("a budget's parts never come to more than the whole", () => {
  const usd = (amount: string) => ({ amount, currency: "USD" });
  const period = (spent: string, held: string, budget: string | null) =>
    ({ spent: usd(spent), held: usd(held), budget: budget === null ? null : usd(budget) }) as Period;
  assert.deepEqual(shareOf(period("2.00", "1.00", "10.00")), { spent: 0.2, held: 0.1 });
  assert.deepEqual(shareOf(period("9.00", "4.00", "10.00")), { spent: 0.9, held: 1 - 0.9 });
  assert.deepEqual(shareOf(period("12.00", "4.00", "10.00")), { spent: 1, held: 0 });
  assert.equal(shareOf(period("1.00", "0.00", null)), null);
  assert.equal(shareOf(period("0.00", "0.00", "0.00")), null);
});
