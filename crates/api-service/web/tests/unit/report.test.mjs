// What the report on the page says of what was measured.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { SHOWN } from "../../report/images.mjs";
import { columns, complaints, countImpacts, markdown, summary, tables } from "../../report/verdict.mjs";

const violation = (impact, id = "color-contrast") => ({
  id,
  impact,
  help: "Enough contrast",
  helpUrl: "https://rules.example/contrast",
  nodes: [{ target: [".price"] }, { target: ["#frame", ".eta"] }],
});
const look = (view, colorScheme, violations = []) => ({
  view,
  where: `${view}-desktop-${colorScheme}`,
  violations,
  incomplete: [],
});
const full = { performance: 100, accessibility: 95, "best-practices": 99 };
const good = {
  examined: [look("empty", "light"), look("empty", "dark", [violation("moderate"), violation("minor")])],
  scores: [{ where: "empty-mobile", scores: full, runs: 3 }],
  loads: [{ where: "empty", requests: 9, bytes: 100 * 1024 }],
};

test("what is good enough has nothing said against it", () => {
  assert.deepEqual(complaints(good), []);
});

test("each thing that is not good enough is named, with where", () => {
  for (const impact of ["serious", "critical"]) {
    assert.deepEqual(complaints({ ...good, examined: [look("usage", "dark", [violation(impact)])] }), [
      `usage-desktop-dark: color-contrast (${impact}) at .price, #frame .eta`,
    ]);
  }
  for (const [name, score] of [
    ["performance", 94],
    ["accessibility", 0],
    ["best-practices", null],
  ]) {
    const [line, ...more] = complaints({ ...good, scores: [{ where: "player-mobile", scores: { ...full, [name]: score } }] });
    assert.match(line, new RegExp(`^player-mobile: ${name} is ${score ?? "not known"}`));
    assert.deepEqual(more, []);
  }
  assert.deepEqual(complaints({ ...good, loads: [{ where: "empty", requests: 9, bytes: 100 * 1024 + 60 }] }), [
    "empty: the first load has 100.1 KiB, more than 100.0",
  ]);
});

test("what was not measured is not good", () => {
  assert.deepEqual(complaints({ examined: [], scores: [], loads: [] }), [
    "examined: nothing was measured",
    "scores: nothing was measured",
    "loads: nothing was measured",
  ]);
  assert.equal(complaints({ ...good, scores: [{ where: "empty-mobile", scores: {} }] }).length, 3);
});

test("a view's violations are counted over all its looks, by impact", () => {
  assert.deepEqual(countImpacts([violation("minor"), violation("critical"), violation("minor")]), [1, 0, 0, 2]);
  const { axe, lighthouse, weight } = tables(good);
  assert.deepEqual(axe, [
    ["view", "critical", "serious", "moderate", "minor", "times looked at"],
    ["empty", 0, 0, 1, 1, 2],
  ]);
  assert.deepEqual(lighthouse[1], ["empty-mobile", 100, 95, 99, 3]);
  assert.deepEqual(weight[1], ["empty", 9, "100.0"]);
});

test("tables line up, and are tables in Markdown", () => {
  const rows = [
    ["view", "KiB"],
    ["sign-in", 7],
  ];
  assert.equal(columns(rows), "view     KiB\n-------  ---\nsign-in    7");
  assert.equal(markdown(rows), "| view | KiB |\n| --- | --- |\n| sign-in | 7 |");
});

test("the summary says first what is wrong, and where each thing was found", () => {
  assert.match(summary(good), /^# The page, measured\n\nAll of it is good enough/);
  const text = summary({ ...good, examined: [look("usage", "dark", [violation("serious")])] });
  assert.match(text, /^# The page, measured\n\nNot good enough:\n\n- usage-desktop-dark: color-contrast/);
  assert.match(text, /- \*\*color-contrast\*\* \(serious\): Enough contrast\. https:\/\/rules\.example\/contrast\n {2}- usage-desktop-dark: `\.price`\n/);
  assert.match(text, /leaves to people to look at\n\nNothing\./);
});

test("the README shows the views that it has pictures of, in their order", () => {
  const readme = readFileSync(new URL("../../../../../README.md", import.meta.url), "utf8");
  assert.deepEqual([...readme.matchAll(/\]\(docs\/images\/([\w-]+)\.jpg\)/g)].map(([, name]) => name), SHOWN);
});
