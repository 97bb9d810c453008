// How it feels to use: by keyboard alone, by thumb, with the back button and links, with drafts, in the chosen
// colours, with notifications, with a search, with words of one's own.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  accept,
  askFor,
  assertPlays,
  assertQuiet,
  assertUsable,
  describe,
  face,
  PHONE,
  shot,
  signUp,
  visit,
} from "./browser.mjs";
import { startModel } from "./model.mjs";
import { setStage } from "./stage.mjs";
import { startSystem } from "./system.mjs";

const stage = setStage();
const { asGuest, asUser } = stage;

/** Presses Tab until something of this role and name has the focus, as somebody would who cannot see where it is. */
async function tabTo(page, role, name) {
  const wanted = await page.getByRole(role, { name }).first();
  await wanted.waitFor();
  for (let pressed = 0; pressed < 60; pressed += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${role} "${name}" is out of the keyboard's reach`);
}

asGuest("by keyboard alone, from an account to a video that plays", { reducedMotion: "reduce" }, async ({ page }) => {
  await tabTo(page, "link", "Create an account");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Create your account" }).waitFor();
  await assertUsable(page, "sign up");
  await tabTo(page, "textbox", "Email");
  await page.keyboard.type(`keys-${process.pid}@example.com`);
  await tabTo(page, "textbox", "Password");
  await page.keyboard.type("a long enough password");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What shall we film?" }).waitFor();

  await tabTo(page, "link", "Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.type("a swan on a lake");
  await page.keyboard.press("Enter");
  await face(page, "questions");
  await tabTo(page, "radio", "8 seconds");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  const confirmation = await face(page, "confirmation");
  await confirmation.getByText("6 s", { exact: true }).waitFor();
  // The yes never has the focus by itself: a key held too long must not buy anything.
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "ARTICLE");
  await tabTo(page, "button", /Make it/);
  await page.keyboard.press("Enter");
  await face(page, "player");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "ARTICLE");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "VIDEO", "the player comes next");
  await assertPlays(page);
});

asGuest("by thumb, on a phone", { viewport: PHONE, hasTouch: true, isMobile: true }, async ({ page }) => {
  await signUp(page, "Bo");
  await page.getByRole("button", { name: "A paper boat crossing", exact: false }).tap();
  await page.getByRole("button", { name: "Send" }).tap();
  const questions = await face(page, "questions");
  await questions.getByRole("radio", { name: "Portrait" }).tap();
  await questions.getByRole("button", { name: "Continue" }).tap();
  await (await face(page, "confirmation")).getByRole("button", { name: /Make it/ }).tap();
  await assertPlays(page);
  const box = await page.locator("video").boundingBox();
  assert.ok(box && box.height > box.width && box.width <= PHONE.width, "an upright video stands upright");
  await shot(page, "player-phone");
  await page.getByRole("button", { name: "Menu", exact: true }).tap();
  await page.getByRole("link", { name: "Videos" }).tap();
  await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
  await page.getByRole("link", { name: "New video", exact: true }).waitFor({ state: "hidden" });
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, a.button, a.filter, input")]
      .filter((element) => element.checkVisibility() && !element.closest("[inert]"))
      .map((element) => element.getBoundingClientRect())
      .filter(({ width, height }) => Math.min(width, height) < 24).length,
  );
  assert.equal(small, 0, "everything is large enough for a finger");
});

asUser("the back button, links and reloads lead where they should", async (scene) => {
  const { account, browser, context, page, system } = scene;
  await askFor(page, "a comet, 4 seconds, landscape");
  await accept(page);
  await face(page, "player");
  const conversation = page.url();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());

  await page.getByRole("link", { name: "Videos" }).click();
  await page.waitForFunction(() => document.activeElement?.matches("h1") && document.activeElement.innerText === "Videos");
  await page.getByRole("link", { name: "Ready", exact: true }).click();
  await page.waitForURL(/status=completed/);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.goBack();
  await page.locator("a.tile-link", { hasText: "a comet" }).waitFor();
  assert.match(page.url(), /status=completed/);
  await page.goBack();
  await page.goBack();
  await page.waitForURL(conversation);
  await face(page, "player");

  // The link of the video, opened by somebody who has to sign in first.
  const { context: elsewhere, page: opened } = await visit(browser, system, { hash: new URL(link).hash });
  await opened.getByLabel("Email").fill(account.email);
  await opened.getByLabel("Password").fill(account.password);
  await opened.getByRole("button", { name: "Sign in" }).click();
  await assertPlays(opened);
  await opened.getByRole("link", { name: "Open the conversation" }).click();
  await opened.waitForURL(/#\/c\/conv_/);
  await opened.goto(`${system.url}/#/videos/gen_00000000000000000000000000000000`);
  await opened.getByText("This video does not exist, or it is not yours.").waitFor();
  await opened.goto(`${system.url}/#/c/conv_00000000000000000000000000000000`);
  await opened.getByText("This conversation does not exist, or it is not yours.").waitFor();
  await assertUsable(opened, "not there");
  assertQuiet(opened);
  await elsewhere.close();
});

asUser("an Enter that ends the writing of a character sends nothing", async ({ page }) => {
  const field = page.getByLabel("Describe your video");
  await field.fill("犬");
  // As Safari tells it.
  await field.evaluate((element) => {
    const key = { key: "Enter", keyCode: 229, bubbles: true, cancelable: true };
    element.dispatchEvent(new KeyboardEvent("keydown", key));
  });
  assert.equal(await field.inputValue(), "犬");
  assert.equal(await page.locator(".mine").count(), 0);
});

asUser("whoever writes faster than messages arrive is told so, and loses nothing", async ({ page }) => {
  // Answers that never come.
  await page.route(/\/messages$/, (route) => (route.request().method() === "POST" ? undefined : route.continue()));
  await describe(page, "Make me a video of a harbour");
  const message = page.getByLabel("Message", { exact: true });
  await message.fill("6 seconds and vertical");
  await message.press("Enter");
  await page.getByText("One moment, your last message is on its way.").waitFor();
  assert.equal(await message.inputValue(), "6 seconds and vertical");
});

asUser("drafts survive a reload and go with the session", async ({ account, page }) => {
  await page.getByLabel("Describe your video").fill("half a thought");
  await page.reload();
  await page.getByLabel("Describe your video").waitFor();
  assert.equal(await page.getByLabel("Describe your video").inputValue(), "half a thought");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(await page.getByLabel("Describe your video").inputValue(), "");
});

asGuest("the chosen appearance wins over the system's, from the first moment", { colorScheme: "light" }, async (scene) => {
  const { page, system } = scene;
  await signUp(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  /** The colour of the bar above it, as a browser chooses among those that are offered. */
  const bar = () =>
    page.evaluate(() => {
      const offered = [...document.querySelectorAll("meta[name=theme-color]")];
      return offered.find(({ media }) => matchMedia(media).matches)?.content;
    });
  assert.equal(await bar(), "#f7f3ec");
  await page.goto(`${system.url}/#/settings`);
  await page.getByRole("radio", { name: "Dark" }).check();
  const dark = await paper();
  assert.notEqual(dark, light);
  assert.equal(await bar(), "#12100e");
  await page.reload();
  await page.getByText("Appearance").waitFor();
  assert.equal(await paper(), dark);
  assert.equal(await bar(), "#12100e");
  assert.equal(await page.getByRole("radio", { name: "Dark" }).isChecked(), true);
  await page.getByRole("radio", { name: "As the system" }).check();
  assert.equal(await paper(), light);
  assert.equal(await bar(), "#f7f3ec");
});

asGuest("a video that ends out of sight is told of, to whoever asked for it", {}, async ({ page, system }) => {
  await page.addInitScript(() => {
    const told = (globalThis.told = []);
    let answer = "default";
    globalThis.Notification = class {
      constructor(title, options) {
        told.push({ title, ...options });
      }
      static get permission() {
        return answer;
      }
      static async requestPermission() {
        answer = "granted";
        return answer;
      }
    };
    globalThis.away = false;
    Object.defineProperty(document, "hidden", { get: () => globalThis.away });
  });
  await page.reload();
  await signUp(page);
  await askFor(page, "a glacier, 4 seconds, landscape");
  await accept(page);
  await page.getByRole("button", { name: "Tell me when it is done" }).click();
  await page.getByRole("button", { name: "Tell me when it is done" }).waitFor({ state: "hidden" });
  // It need not be the conversation that is open.
  await page.goto(`${system.url}/#/settings`);
  assert.equal(await page.getByRole("switch", { name: "Tell me when a video is done" }).isChecked(), true);
  await page.evaluate(() => (globalThis.away = true));
  await page.waitForFunction(() => globalThis.told.length > 0, null, { timeout: 60_000 });
  const told = await page.evaluate(() => globalThis.told);
  assert.deepEqual(
    told.map(({ title, body }) => [title, body]),
    [["Your video is ready", "a glacier"]],
  );
});

asGuest("where only a service worker may notify, it does, and leads to the video", {}, async (scene) => {
  const { context, page, system } = scene;
  await context.grantPermissions(["notifications"]);
  await page.addInitScript(() => {
    // As Chrome on Android has it.
    globalThis.Notification = class {
      constructor() {
        throw new TypeError("Failed to construct 'Notification': Illegal constructor.");
      }
      static permission = "granted";
      static requestPermission = async () => "granted";
    };
    const { showNotification } = ServiceWorkerRegistration.prototype;
    ServiceWorkerRegistration.prototype.showNotification = async function (...told) {
      await showNotification.apply(this, told);
      globalThis.told = true;
    };
    globalThis.away = false;
    Object.defineProperty(document, "hidden", { get: () => globalThis.away });
  });
  await page.reload();
  await signUp(page);
  await page.goto(`${system.url}/#/settings`);
  const worker = context.waitForEvent("serviceworker");
  await page.getByRole("switch", { name: "Tell me when a video is done" }).click();
  await worker;
  await page.goto(`${system.url}/#/`);
  await askFor(page, "a geyser, 4 seconds, landscape");
  await page.evaluate(() => (globalThis.away = true));
  await accept(page);
  await page.waitForFunction(() => globalThis.told, null, { timeout: 60_000 });
  const { title, body, data } = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const [{ title, body, data }] = await registration.getNotifications();
    return { title, body, data };
  });
  assert.deepEqual([title, body], ["Your video is ready", "a geyser"]);
  assert.match(data, /^#\/videos\/gen_/);
  // What a finger would do.
  await (await worker).evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  });
  await page.waitForURL(new RegExp(`${data}$`));
});

asUser("the search asks once the typing rests, and shows what was found", async ({ page, system }) => {
  for (const words of ["a whale under ice", "a market at noon"]) {
    await page.goto(`${system.url}/#/`);
    await describe(page, words);
    await face(page, "questions");
  }
  const asked = [];
  page.on("request", (request) => {
    const query = new URL(request.url()).searchParams.get("q");
    if (query !== null) asked.push(query);
  });
  const list = page.getByRole("navigation", { name: "Your conversations" });
  await page.getByRole("searchbox", { name: "Search the conversations" }).pressSequentially("whale");
  await list.getByRole("link", { name: /market/ }).waitFor({ state: "detached" });
  await list.getByRole("link", { name: /whale/ }).waitFor();
  assert.deepEqual(asked, ["whale"]);
  // In any case, and what was said counts as well as the title.
  await page.getByRole("searchbox").fill("MARKET noon");
  await list.getByRole("link", { name: /market/ }).waitFor();
  await list.getByRole("link", { name: /whale/ }).waitFor({ state: "detached" });
  await page.getByRole("searchbox").fill("nobody");
  await list.getByText("Nothing found.").waitFor();
  await assertUsable(page, "search");
  await page.getByRole("searchbox").fill("");
  await list.getByRole("link", { name: /market/ }).waitFor();
});

asUser("the wall of videos goes on as far as one scrolls", async ({ page, system }) => {
  const count = 30;
  await page.evaluate(async (wanted) => {
    for (let index = 0; index < wanted; index += 1) {
      const response = await fetch("/api/generations", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: `star number ${index}`, parameters: { duration: 4, aspectRatio: "16:9" } }),
      });
      if (!response.ok) throw new Error(await response.text());
    }
  }, count);
  await page.setViewportSize({ width: 900, height: 500 });
  await page.goto(`${system.url}/#/videos`);
  await page.locator(".tile").nth(23).waitFor({ state: "attached" });
  assert.equal(await page.locator(".tile").count(), 24, "the next page waits until one comes near");
  await page.locator(".wall-end").scrollIntoViewIfNeeded();
  await page.locator(".tile").nth(count - 1).waitFor();
  const titles = await page.locator(".tile-title").allInnerTexts();
  assert.deepEqual(titles, Array.from({ length: count }, (_, index) => `star number ${count - 1 - index}`));
  await page.getByRole("link", { name: "In the making" }).click();
  await page.getByText("There are none of these.").waitFor();
  await assertUsable(page, "empty wall");
});

/** Says yes on this card, and waits until the video is there. */
async function make(page, card) {
  await card.getByRole("button", { name: /Make it/ }).click();
  await face(page, "player");
}

asUser("without better words one's own can be changed", async ({ page, system }) => {
  const card = await askFor(page, "a swan on a pond, 4 seconds, landscape");
  await card.getByRole("button", { name: "Change the words" }).click();
  const field = card.getByLabel("What we ask the model for");
  assert.equal(await field.inputValue(), "a swan on a pond");
  assert.equal(await field.evaluate((element) => element === document.activeElement), true);
  await field.fill("two swans on a pond");
  await page.reload();
  assert.equal(await field.inputValue(), "two swans on a pond");
  await make(page, card);
  assert.equal(await system.ordered("two swans on a pond"), 1);
  assert.equal(await system.ordered("a swan on a pond"), 0);
});

test("better words can be changed, or left for one's own", async () => {
  const better = "A swan glides over a still lake at dawn, slow dolly in, soft light";
  const model = await startModel((subject) => (subject === "a swan on a lake" ? better : null));
  const enhancing = await startSystem({ env: model.env });
  try {
    const { context, page } = await visit(stage.browser, enhancing);
    await signUp(page);
    const choices = [
      [async () => {}, better],
      [(card) => card.getByLabel("What we ask the model for").fill("A black swan at dusk"), "A black swan at dusk"],
      [(card) => card.getByLabel("Use my own words").check(), "a swan on a lake"],
    ];
    for (const [choose, wanted] of choices) {
      await page.goto(`${enhancing.url}/#/`);
      const card = await askFor(page, "a swan on a lake, 4 seconds, landscape");
      assert.equal(await card.getByLabel("What we ask the model for").inputValue(), better);
      await choose(card);
      if (wanted === better) {
        await assertUsable(page, "words");
        await shot(page, "words-light");
      }
      await make(page, card);
      assert.equal(await enhancing.ordered(wanted), 1);
    }
    assertQuiet(page);
    await context.close();
  } finally {
    await enhancing.stop();
    await model.stop();
  }
});
