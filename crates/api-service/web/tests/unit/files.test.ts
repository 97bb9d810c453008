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

test("a colour is said once, for light and for dark", () => {
  const said = (name: string) => [...read(name).matchAll(/^ *(--[\w-]+):/gm)].map(([, one]) => one);
  const names = under("src/styles").flatMap(said);
  assert.ok(names.length > 20, names.join());
  assert.deepEqual(names, [...new Set(names)]);
  for (const name of under("src/styles")) assert.doesNotMatch(read(name), /prefers-color-scheme/, name);
  // The bar of a phone's browser has the page's own.
  const [, light, dark] = /--paper: light-dark\((#\w+), (#\w+)\)/.exec(read("src/styles/base.css")) ?? [];
  const bars = [...page.matchAll(/name="theme-color" content="(#\w+)"[^>]*\((?:prefers-color-scheme: )(\w+)\)/g)];
  assert.deepEqual(Object.fromEntries(bars.map(([, colour, scheme]) => [scheme, colour])), { light, dark });
});

test("what is written in has letters of 16 pixels where a finger touches it, or a phone zooms in", () => {
  const small = /[^{}]*(?:\binput|select|textarea|\.input)[^{},]*\{[^}]*font-size: 0?\.\d+rem/g;
  for (const name of under("src/styles")) {
    const everywhere = read(name).replace(/@media \(pointer: fine\) \{[^}]*\}\s*\}/g, "");
    assert.deepEqual(everywhere.match(small) ?? [], [], name);
  }
});

test("a heading that takes the focus by script has no ring", () => {
  assert.match(read("src/styles/base.css"), /h1\[tabindex="-1"\]:focus-visible \{\s*outline: none/);
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
