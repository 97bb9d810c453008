// What is built and served: nothing inline, nothing too heavy, every drawing there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

/** `npm test` runs here. */
const web = process.cwd();
const read = (name: string) => readFileSync(join(web, name), "utf8");
const under = (folder: string) =>
  readdirSync(join(web, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`);
const sources = under("src").filter((name) => /\.tsx?$/.test(name));
const page = read("dist/index.html");

test("nothing is written inline, so that the policy can forbid it", () => {
  assert.doesNotMatch(page, /\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
  for (const name of sources) {
    assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|style="/i, name);
  }
});

test("every drawing that is named is there", () => {
  const drawn = new Set([...read("src/pictures/icons.svg").matchAll(/symbol id="([^"]+)"/g)].map(([, id]) => id));
  const named = [...read("src/parts/icon.tsx").matchAll(/^ {2}\| "([^"]+)"/gm)].map(([, id]) => id);
  assert.deepEqual(new Set(named), drawn);
});

test("the first load is light", () => {
  const begin = ["index.html", ...[...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])];
  const drawn = under("dist/assets").filter((name) => name.endsWith(".svg"));
  const weight = (name: string) => gzipSync(readFileSync(join(web, name)), { level: 9 }).length;
  const whole = [...begin.map((name) => `dist/${name}`), ...drawn].reduce((sum, name) => sum + weight(name), 0);
  assert.ok(begin.length >= 5, begin.join());
  assert.ok(whole < 60 * 1024, `${whole} bytes`);
});

test("no file is longer than a person reads at once", () => {
  for (const name of [...sources, ...under("src/styles")]) {
    assert.ok(read(name).split("\n").length <= 600, name);
  }
});
