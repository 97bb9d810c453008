import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../", import.meta.url);
const read = (name) => readFileSync(new URL(name, web), "utf8");
const modules = readdirSync(new URL("js/", web)).sort();
const styles = readdirSync(web)
  .filter((name) => name.endsWith(".css"))
  .map(read);
const page = read("index.html");

test("the page announces every module, so that none is found out late", () => {
  const announced = [...page.matchAll(/rel="modulepreload" href="\/js\/([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...announced, "main.js"].sort(), modules);
});

test("nothing is written inline, so that the policy can forbid it", () => {
  assert.doesNotMatch(page, /\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
  for (const name of modules) {
    assert.doesNotMatch(
      read(`js/${name}`),
      /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/,
      name,
    );
  }
});

test("every file and icon that is named is there", () => {
  const texts = [page, ...styles, ...modules.map((name) => read(`js/${name}`))];
  const named = texts.flatMap((text) => [...text.matchAll(/["(]\/((?:js\/)?[\w-]+\.(?:svg|css|js))/g)]);
  assert.ok(named.length > modules.length);
  for (const [, name] of named) assert.ok(read(name).length > 0, name);
  const drawn = new Set([...read("icons.svg").matchAll(/symbol id="([^"]+)"/g)].map(([, id]) => id));
  for (const text of texts) {
    for (const [, id] of text.matchAll(/\b(?:icon|iconButton)\(\s*"([^"]+)"/g)) assert.ok(drawn.has(id), id);
  }
});
