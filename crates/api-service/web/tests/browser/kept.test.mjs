// What a user has made or written is there when they reach for it: the file of a video, words that were settled
// elsewhere, the pictures of a variation, what could not be sent, answers half given.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { accept, askFor, assertQuiet, face, launch, signUp, visit } from "./browser.mjs";
import { startSystem } from "./system.mjs";

let system;
let browser;
before(async () => {
  system = await startSystem();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await system?.stop();
});

test("the download button saves the video", async () => {
  const { context, page } = await visit(browser, system);
  await signUp(page);
  await askFor(page, "a heron, 4 seconds, landscape");
  await accept(page);
  const card = await face(page, "player");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    card.getByRole("link", { name: "Download" }).click(),
  ]);
  const content = await readFile(await download.path());
  assert.match(download.suggestedFilename(), /^gen_\w+\.mp4$/);
  assert.equal(content.toString("latin1", 4, 8), "ftyp", "an MP4 begins so");
  assertQuiet(page);
  await context.close();
});
