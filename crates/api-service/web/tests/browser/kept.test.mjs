// What a user has made or written is there when they reach for it: the file of a video, words that were settled
// elsewhere, the pictures of a variation, what could not be sent, answers half given.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { accept, askFor, assertUsable, describe, face, picture, shot } from "./browser.mjs";
import { setStage } from "./stage.mjs";

const { asUser } = setStage();

asUser("the download button saves the video", async ({ page }) => {
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
});

asUser("words that were replaced in the chat do not come back, and the yes is not for them", async (scene) => {
  const { page, system } = scene;
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
});

asUser("a variation begins with the pictures and the words that the video was made from", async ({ page }) => {
  await page.getByLabel("Describe your video").fill("the dunes begin to move, 8 seconds, landscape");
  await page.getByLabel("Add a picture").setInputFiles(await picture(page));
  await page.locator('.attachments li[data-state="ready"]').waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  const card = await face(page, "confirmation");
  await card.getByRole("button", { name: "Change the words" }).click();
  await card.getByLabel("What we ask the model for").fill("The dunes roll like a slow sea");
  await accept(page);
  await (await face(page, "player")).getByRole("button", { name: "Make a variation" }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByLabel("What it shall show").inputValue(), "The dunes roll like a slow sea");
  const shown = dialog.getByRole("img", { name: "Picture 1" });
  await page.waitForFunction((image) => image.complete && image.naturalWidth === 640, await shown.elementHandle());
  await dialog.getByText("Begins with it").waitFor();
  await assertUsable(page, "variation with a picture");
  await shot(page, "variation-picture-light");
  const asked = page.waitForRequest((request) => request.method() === "POST" && /\/api\/generations$/.test(request.url()));
  await dialog.getByRole("button", { name: "Continue" }).click();
  const { images } = (await asked).postDataJSON().parameters;
  assert.deepEqual(images.map(({ role }) => role), ["first_frame"]);
  const next = await face(page, "confirmation");
  await next.getByRole("img", { name: "Picture 1" }).waitFor();
});

asUser("a message that could not be sent survives a reload, and arrives once when the network is back", async (scene) => {
  const { context, page } = scene;
  await describe(page, "Make me a video of a harbour");
  await face(page, "questions");
  const keys = [];
  await page.route(/\/messages$/, async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    return route.abort("internetdisconnected");
  });
  const message = page.getByLabel("Message", { exact: true });
  await message.fill("What does it cost?");
  await message.press("Enter");
  const unsent = page.locator(".unsent");
  await unsent.getByText("Not sent.", { exact: false }).waitFor({ timeout: 60_000 });
  assert.equal(await message.inputValue(), "");
  await page.reload();
  await unsent.getByRole("button", { name: "Try again" }).waitFor({ timeout: 60_000 });
  await context.setOffline(true);
  await page.getByText("You are offline.", { exact: false }).waitFor();
  await page.unroute(/\/messages$/);
  const answered = page.waitForResponse((answer) => /\/messages$/.test(answer.url()) && answer.status() === 201);
  await context.setOffline(false);
  keys.push((await answered).request().headers()["idempotency-key"]);
  await unsent.waitFor({ state: "detached" });
  assert.equal(new Set(keys).size, 1, keys.join());
  await page.reload();
  await face(page, "questions");
  assert.equal(await page.locator(".mine .said", { hasText: "What does it cost?" }).count(), 1);
  assert.equal(await unsent.count(), 0);
});

asUser("the first message of a conversation survives a reload as well", async ({ page }) => {
  await page.route(/\/messages$/, (route) =>
    route.request().method() === "POST" ? route.abort("internetdisconnected") : route.continue(),
  );
  await describe(page, "Make me a video of a lighthouse");
  // Before the client has given up.
  await page.locator('.mine[data-state="sending"]').waitFor();
  await page.unroute(/\/messages$/);
  await page.reload();
  await face(page, "questions");
  assert.equal(await page.locator(".mine .said", { hasText: "lighthouse" }).count(), 1);
});

/** Lets no conversation be made, until it is told to; `keys` are those that were asked with. */
async function refuseBeginnings(page) {
  const path = /\/api\/conversations$/;
  const isBeginning = (request) => path.test(request.url()) && request.method() === "POST";
  const keys = [];
  await page.route(path, (route) => {
    if (!isBeginning(route.request())) return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    const problem = { type: "about:blank", title: "Error", status: 500, code: "mistake", detail: "Our mistake." };
    return route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify(problem) });
  });
  const answered = (status) =>
    page.waitForResponse((answer) => isBeginning(answer.request()) && answer.status() === status);
  return { keys, answered, allow: () => page.unroute(path) };
}

asUser("what could not begin a conversation is kept on the first page, and begins one afterwards", async (scene) => {
  const { context, page } = scene;
  await context.setOffline(true);
  const field = page.getByLabel("Describe your video");
  await field.fill("Make me a video of a lighthouse");
  await page.getByRole("button", { name: "Send" }).click();
  const unsent = page.getByRole("list", { name: "Not sent yet" });
  await unsent.getByText("Not sent.", { exact: false }).waitFor({ timeout: 60_000 });
  assert.equal(await field.inputValue(), "");
  await assertUsable(page, "not begun");
  await shot(page, "not-begun-light");
  const { keys, answered, allow } = await refuseBeginnings(page);
  await context.setOffline(false);
  await unsent.getByText("Our mistake.", { exact: false }).waitFor({ timeout: 60_000 });
  await page.locator(".entry-unsent").waitFor();
  const again = answered(500);
  await page.reload();
  await again;
  await allow();
  const made = answered(201);
  await unsent.getByRole("button", { name: "Try again" }).click();
  keys.push((await made).request().headers()["idempotency-key"]);
  await page.waitForURL(/#\/c\/conv_/);
  await face(page, "questions");
  assert.equal(new Set(keys).size, 1, keys.join());
  assert.equal(await page.locator(".mine .said", { hasText: "lighthouse" }).count(), 1);
  assert.equal(await page.locator(".entry").count(), 1);
});

asUser("a message that is taken back brings its picture along", async ({ page }) => {
  const { allow } = await refuseBeginnings(page);
  const field = page.getByLabel("Describe your video");
  await field.fill("the dunes begin to move, 8 seconds, landscape");
  await page.getByLabel("Add a picture").setInputFiles(await picture(page));
  const shown = page.locator('.attachments li[data-state="ready"]');
  await shown.waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  await shown.waitFor({ state: "detached" });
  const unsent = page.getByRole("list", { name: "Not sent yet" });
  await unsent.getByRole("img").waitFor();
  await unsent.getByRole("button", { name: "Edit" }).click();
  await shown.waitFor();
  assert.equal(await field.inputValue(), "the dunes begin to move, 8 seconds, landscape");
  await allow();
  await page.getByRole("button", { name: "Send" }).click();
  await (await face(page, "confirmation")).getByRole("img", { name: "Picture 1" }).waitFor();
});

asUser("a message that was not sent can be discarded, and the keyboard goes on where one writes", async ({ page }) => {
  await refuseBeginnings(page);
  await page.getByLabel("Describe your video").fill("Make me a video of a harbour");
  await page.getByRole("button", { name: "Send" }).click();
  const unsent = page.getByRole("list", { name: "Not sent yet" });
  const dialog = page.getByRole("dialog");
  for (const [answer, state] of [["Keep", "visible"], ["Discard", "detached"]]) {
    await unsent.getByRole("button", { name: "Discard" }).click();
    await dialog.getByRole("button", { name: answer }).click();
    await dialog.waitFor({ state: "detached" });
    await unsent.waitFor({ state });
  }
  await page.waitForFunction(() => document.activeElement?.matches(".composer textarea"));
  await page.reload();
  await page.getByLabel("Describe your video").waitFor();
  assert.equal(await unsent.count(), 0);
});

asUser("answers that are given and not told survive a reload, until they are told", async ({ page }) => {
  await describe(page, "Make me a video of a harbour");
  const card = await face(page, "questions");
  await card.getByRole("radio", { name: "4 seconds" }).check();
  await page.reload();
  await face(page, "questions");
  assert.equal(await card.getByRole("radio", { name: "4 seconds" }).isChecked(), true);
  await card.getByRole("button", { name: "Continue" }).click();
  await (await face(page, "confirmation")).getByText("4 s", { exact: true }).waitFor();
  const left = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("answers")));
  assert.deepEqual(left, []);
});

asUser("what is being made is seen behind any number of newer ones, and while it waits in the queue", async (scene) => {
  const { page, system } = scene;
  await page.evaluate(async () => {
    const post = async (path, body) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    };
    const ask = (prompt) => post("/api/generations", { prompt, parameters: { duration: 4, aspectRatio: "16:9" } });
    // One more than are made at once.
    for (const name of ["one", "two", "three"]) {
      const { id } = await ask(`[sim:latency=300s] a comet, number ${name}`);
      await post(`/api/generations/${id}/confirm`, {});
    }
    for (let index = 0; index < 25; index += 1) await ask(`star number ${index}`);
  });
  await page.reload();
  await page.waitForFunction(() => /^\d+% · Reelay$/.test(document.title));
  await page.goto(`${system.url}/#/videos`);
  await page.getByRole("link", { name: "In the making" }).click();
  await page.locator(".tile").nth(2).waitFor();
  const titles = await page.locator(".tile-title").allInnerTexts();
  assert.deepEqual(titles.map((title) => title.split(" ").at(-1)), ["three", "two", "one"]);
  await page.locator('.tile[data-status="queued"]', { hasText: "three" }).waitFor();
});
