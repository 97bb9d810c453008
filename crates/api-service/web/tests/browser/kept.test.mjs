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

test("words that were replaced in the chat do not come back, and the yes is not for them", async () => {
  const { context, page } = await visit(browser, system);
  await signUp(page);
  const card = await askFor(page, "a swan on a lake, 4 seconds, landscape");
  const field = card.getByLabel("What we ask the model for");
  await card.getByRole("button", { name: "Change the words" }).click();
  await field.fill("two swans on a lake");
  const told = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.ok());
  await field.blur();
  await told;
  const message = page.getByLabel("Message", { exact: true });
  await message.fill("use my own words");
  await message.press("Enter");
  await card.getByRole("button", { name: "Change the words" }).waitFor();
  // To another place and back, then from the beginning.
  const conversation = page.url();
  await page.goto(`${system.url}/#/`);
  await page.getByLabel("Describe your video").waitFor();
  await page.goto(conversation);
  await card.getByRole("button", { name: "Change the words" }).waitFor();
  await page.reload();
  await card.getByRole("button", { name: "Change the words" }).waitFor();
  assert.equal(await field.count(), 0);
  const asked = page.waitForRequest(/\/confirm$/);
  await card.getByRole("button", { name: /Make it/ }).click();
  assert.equal((await asked).postDataJSON().enhancedPrompt, null);
  assertQuiet(page);
  await context.close();
});
