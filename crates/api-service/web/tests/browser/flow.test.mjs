// The whole way from an account to a video that plays, and every view on it: usable for everybody, light and dark, on
// a desk and on a phone, without anything that jumps about. Pictures of all of it go into target/page/.

import assert from "node:assert/strict";

import {
  accept,
  askFor,
  assertFits,
  assertPlays,
  assertUsable,
  describe,
  face,
  PHONE,
  picture,
  shot,
  signUp,
  weigh,
} from "./browser.mjs";
import { setStage } from "./stage.mjs";

const { asGuest, asUser } = setStage({ latency: "3s", env: { BUDGET_PER_DAY: "20", BUDGET_PER_MONTH: "200" } });

/** Adds up what moves without the user's doing, as the browser measures it. */
function measureShifts() {
  globalThis.shifted = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifted += value;
  }).observe({ type: "layout-shift", buffered: true });
}

asGuest("from an account to a video that plays", { colorScheme: "dark" }, async ({ page }) => {
  await page.addInitScript(measureShifts);
  await page.reload();
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await assertUsable(page, "sign in");
  await shot(page, "signin-dark");
  await signUp(page);
  await assertUsable(page, "home");
  await shot(page, "home-dark");

  await describe(page, "Make me a video of a fox in the snow");
  const questions = await face(page, "questions");
  await questions.getByRole("radio", { name: "4 seconds" }).check();
  await assertUsable(page, "questions");
  await shot(page, "questions-dark");
  await questions.getByRole("button", { name: "Continue" }).click();

  const confirmation = await face(page, "confirmation");
  await confirmation.getByText("4 s", { exact: true }).waitFor();
  await confirmation.getByText("US$1.60", { exact: true }).waitFor();
  await assertUsable(page, "confirmation");
  await shot(page, "confirmation-dark");
  await accept(page);

  await face(page, "progress");
  await page.waitForFunction(() => /^\d+% · .*snow · Reelay$/.test(document.title));
  await assertUsable(page, "progress");
  await shot(page, "progress-dark");

  await assertPlays(page);
  await page.locator(".said", { hasText: "Your video is ready." }).waitFor();
  await assertUsable(page, "player");
  await shot(page, "player-dark");
  assert.equal(await page.locator("article.card").count(), 1, "one card for one video");
  assert.equal(await page.locator(".said", { hasText: "Your video is ready." }).count(), 1);
  const shifted = await page.evaluate(() => globalThis.shifted);
  assert.ok(shifted < 0.05, `layout shift of ${shifted}`);
});

asUser("the first load is light, for a stranger and for who is signed in", async ({ browser, context, system }) => {
  const limit = 100 * 1024;
  const stranger = await browser.newContext();
  const known = await browser.newContext({ storageState: await context.storageState() });
  for (const [fresh, label] of [
    [stranger, "Password"],
    [known, "Describe your video"],
  ]) {
    const { bytes } = await weigh(fresh, system.url, (opened) => opened.getByLabel(label).waitFor());
    assert.ok(bytes > 10_000 && bytes <= limit, `${label}: ${bytes} bytes`);
    await fresh.close();
  }
});

asUser("every view is usable, light and dark, on a desk and on a phone", async ({ page, system }) => {
  await askFor(page, "a lighthouse in a storm, 4 seconds, landscape");
  await accept(page);
  await face(page, "player");
  const conversation = new URL(page.url()).hash;
  await page.goto(`${system.url}/#/`);
  await askFor(page, "[sim:filtered] a paper boat, 4 seconds, vertical");
  await accept(page);
  await face(page, "ended");
  const ended = new URL(page.url()).hash;
  await page.goto(`${system.url}/#/videos`);
  const tile = page.locator("a.tile-link", { hasText: "a lighthouse in a storm" });
  const video = new URL(await tile.evaluate(({ href }) => href)).hash;

  const views = [
    ["home", "#/", () => page.getByLabel("Describe your video")],
    ["conversation", conversation, () => page.locator("video")],
    ["ended", ended, () => page.getByRole("button", { name: "Try again" })],
    ["videos", "#/videos", () => tile],
    ["video", video, () => page.locator("video")],
    ["usage", "#/usage", () => page.getByText("spent of US$20.00")],
    ["settings", "#/settings", () => page.getByText("Tell me when a video is done")],
    ["nothing", "#/nowhere", () => page.getByText("There is no such page.")],
  ];
  for (const [size, viewport] of [["wide", null], ["phone", PHONE], ["narrow", { width: 320, height: 640 }]]) {
    if (viewport) await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const [name, hash, there] of views) {
        await page.goto(`${system.url}/${hash}`);
        await there().waitFor();
        const where = `${name}-${size}-${colorScheme}`;
        await assertUsable(page, where);
        await assertFits(page, where);
        await shot(page, where);
      }
    }
  }
  await page.setViewportSize(PHONE);
  await page.getByRole("button", { name: "Menu", exact: true }).click();
  await page.getByRole("link", { name: "New video", exact: true }).waitFor();
  await assertUsable(page, "menu");
  await shot(page, "menu-phone");
});

asUser("a variation is asked for with other parameters, and waits for its yes", async ({ page }) => {
  await askFor(page, "a red kite over a beach, 4 seconds, landscape");
  await accept(page);
  await face(page, "player");
  await page.getByRole("button", { name: "Make a variation" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Model").selectOption({ label: "Gemini Omni Flash" });
  // Eight lengths are a slider.
  await dialog.getByLabel("Length").fill("7");
  await dialog.getByText("10 s", { exact: true }).waitFor();
  await dialog.getByRole("radio", { name: "9:16" }).check();
  await dialog.getByLabel("What it shall show").fill("a blue kite over a beach");
  await dialog.getByText("US$1.00").waitFor();
  await assertUsable(page, "variation");
  await shot(page, "variation-light");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.waitFor({ state: "detached" });
  const card = await face(page, "confirmation");
  await card.getByRole("heading", { name: "a blue kite over a beach" }).waitFor();
  await card.getByText("10 s", { exact: true }).waitFor();
  await card.getByText("9:16, upright", { exact: true }).waitFor();
  await card.getByText("US$1.00", { exact: true }).waitFor();
});

asUser("a picture goes along, survives a reload, and stands in the confirmation", async ({ page, system }) => {
  const words = "the dunes begin to move, 8 seconds, landscape";
  await page.getByLabel("Describe your video").fill(words);
  await page.getByLabel("Add a picture").setInputFiles(await picture(page));
  await page.locator('.attachments li[data-state="ready"]').waitFor();
  await page.reload();
  await page.locator('.attachments li[data-state="ready"] img').waitFor();
  assert.equal(await page.getByLabel("Describe your video").inputValue(), words);
  await page.getByLabel("What dune.png is for").selectOption({ label: "Ends with it" });
  await page.getByText("A picture to end with needs one to begin with.").waitFor();
  await page.getByLabel("What dune.png is for").selectOption({ label: "Begins with it" });
  await assertUsable(page, "attachments");
  await shot(page, "attachments-light");
  await page.getByRole("button", { name: "Send" }).click();
  const card = await face(page, "confirmation");
  const shown = card.getByRole("img", { name: "Picture 1" });
  await page.waitForFunction((image) => image.complete && image.naturalWidth === 640, await shown.elementHandle());
  await page.goto(`${system.url}/#/`);
  assert.equal(await page.locator(".attachments li").count(), 0, "what was sent is no draft any more");
});

asUser("a budget that is used up is told of, with when it goes again", async ({ page, system }) => {
  await askFor(page, "a lighthouse, 8 seconds, landscape, in 4k");
  await accept(page);
  await face(page, "progress");
  for (let index = 0; index < 4; index += 1) {
    await page.goto(`${system.url}/#/`);
    const card = await askFor(page, `storm number ${index}, 8 seconds, landscape, in 4k`);
    await card.getByRole("button", { name: /Make it/ }).click();
    const refused = card.getByRole("alert");
    await Promise.race([face(page, "progress"), face(page, "player"), refused.waitFor()]);
    if (await refused.isVisible()) {
      assert.match(await refused.innerText(), /That is (tomorrow at|on|at) .* where you are/);
      await assertUsable(page, "budget");
      await shot(page, "budget-light");
      await refused.getByRole("link", { name: "See what was spent" }).click();
      await page.getByText("spent of US$20.00").waitFor();
      return;
    }
  }
  assert.fail("five videos of 4.80 fit into a budget of 20.00");
});
