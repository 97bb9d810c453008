// Every view of the page, how one gets there and by what one sees that it is there. Each is looked at by axe and has its
// picture taken in every look: on a desk and on a phone, light and dark.

import { examine, face, openPage, PHONE, WIDE } from "../tests/browser/browser.mjs";

const LOOKS = [
  { size: "desktop", colorScheme: "light", viewport: WIDE },
  { size: "desktop", colorScheme: "dark", viewport: WIDE },
  { size: "phone", colorScheme: "light", viewport: PHONE },
  { size: "phone", colorScheme: "dark", viewport: PHONE },
];
const ON_PHONE = { isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

/** Opens the menu where it is not there all the time. */
async function menu(page) {
  await page.locator("#main h1").waitFor();
  const button = page.getByRole("button", { name: "Menu", exact: true });
  if (await button.isVisible()) await button.click();
  await page.getByRole("link", { name: "New video", exact: true }).waitFor();
}

/** What the API answers when it has made a mistake. */
const FAULT = {
  status: 500,
  contentType: "application/problem+json",
  body: JSON.stringify({
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    code: "internal",
    detail: "Something went wrong on our side. The request id helps us to find it.",
    requestId: "req_01",
  }),
};

/** Lets nothing through to the API from now on. */
const cutOff = (page) => page.route(/\/api\//, (route) => route.abort());

/**
 * The views, in the order in which they are shown. `hash` is where it is, `act` what is done there, and `there` waits
 * until it is to be seen. A `guest` is not signed in.
 */
export function viewsOf(places) {
  const heading = (name) => (page) => page.getByRole("heading", { name, level: 1 }).waitFor();
  const text = (words) => (page) => page.getByText(words, { exact: false }).first().waitFor();
  const card = (name) => (page) => face(page, name);
  /** The wall, and every picture that is in sight. */
  const wall = (page) =>
    page.waitForFunction(() => {
      const isInSight = (element) => element.getBoundingClientRect().top < innerHeight;
      const images = [...document.querySelectorAll(".tile img")].filter(isInSight);
      const tiles = document.querySelectorAll(".tile:not(.blank)");
      return tiles.length > 0 && images.every(({ complete, naturalWidth }) => complete && naturalWidth > 0);
    });
  /** A video that stands still after a moment of playing, since a browser shows for long that it loads one. */
  const video = async (page) => {
    const player = page.locator("video");
    await player.waitFor();
    await player.evaluate((element) => {
      element.muted = true;
      return element.play();
    });
    await page.waitForFunction((element) => element.currentTime > 0.3, await player.elementHandle());
    await player.evaluate((element) => element.pause());
  };

  return [
    // First, while it is not yet nearly done.
    { name: "progress", hash: places.progress, there: card("progress") },
    {
      name: "stopping",
      hash: places.progress,
      async act(page) {
        await (await face(page, "progress")).getByRole("button", { name: "Cancel" }).click();
      },
      there: (page) => page.getByRole("dialog").waitFor(),
    },
    { name: "sign-in", guest: true, hash: "#/signin", there: heading("Welcome back") },
    { name: "sign-up", guest: true, hash: "#/signup", there: heading("Create your account") },
    {
      name: "sign-in-refused",
      guest: true,
      hash: "#/signin",
      async act(page) {
        await page.getByLabel("Email").fill("ada@example.com");
        await page.getByLabel("Password").fill("not this one");
        await page.getByRole("button", { name: "Sign in" }).click();
      },
      there: (page) => page.getByRole("alert").waitFor(),
    },
    { name: "empty", hash: "#/", there: (page) => page.getByLabel("Describe your video").waitFor() },
    { name: "questions", hash: places.questions, there: card("questions") },
    { name: "confirmation", hash: places.confirmation, there: card("confirmation") },
    { name: "player", hash: places.player, there: video },
    { name: "player-upright", hash: places.upright, there: video },
    {
      name: "variation",
      hash: places.player,
      async act(page) {
        await video(page);
        await page.getByRole("button", { name: "Make a variation" }).click();
      },
      there: (page) => page.getByRole("dialog").getByText("US$").first().waitFor(),
    },
    { name: "failed", hash: places.failed, there: card("ended") },
    { name: "filtered", hash: places.filtered, there: card("ended") },
    { name: "cancelled", hash: places.cancelled, there: card("ended") },
    { name: "gallery", hash: "#/videos?status=completed", there: wall },
    { name: "gallery-all", hash: "#/videos", there: wall },
    { name: "gallery-empty", hash: "#/videos", newcomer: true, there: text("Your videos will hang here.") },
    { name: "video", hash: places.video, there: video },
    {
      name: "search",
      hash: "#/",
      async act(page) {
        await menu(page);
        await page.getByRole("searchbox").fill("street");
      },
      async there(page) {
        const list = page.getByRole("navigation", { name: "Your conversations" });
        await list.getByRole("link", { name: /lighthouse/ }).waitFor({ state: "detached" });
        await list.getByRole("link", { name: /paper boat/ }).waitFor();
      },
    },
    { name: "menu", hash: "#/", act: menu, there: (page) => page.getByRole("link", { name: /paper boat/ }).waitFor() },
    { name: "usage", hash: "#/usage", there: text("spent of") },
    { name: "settings", hash: "#/settings", there: text("Tell me when a video is done") },
    { name: "missing", hash: "#/nowhere", there: text("There is no such page.") },
    {
      name: "loading",
      hash: "#/videos",
      // An answer that never comes.
      before: (page) => page.route(/\/api\/generations\?limit=24/, () => {}),
      there: (page) => page.locator(".tile.blank").first().waitFor(),
    },
    {
      name: "error",
      hash: "#/videos",
      before: (page) => page.route(/\/api\/generations\?limit=24/, (route) => route.fulfill(FAULT)),
      there: (page) => page.getByRole("alert").getByRole("button", { name: "Try again" }).waitFor(),
    },
    {
      name: "interrupted",
      hash: places.questions,
      async act(page) {
        await face(page, "questions");
        await cutOff(page);
        await page.evaluate(() => (location.hash = "#/videos"));
        await page.getByRole("alert").getByRole("button", { name: "Try again" }).waitFor();
      },
      there: text("Reelay cannot be reached just now."),
    },
    { name: "unreachable", hash: "#/", before: cutOff, there: text("cannot be reached") },
    {
      name: "offline",
      hash: places.questions,
      async act(page) {
        await face(page, "questions");
        await page.context().setOffline(true);
      },
      there: text("You are offline."),
    },
  ];
}

/**
 * Looks at every view. `sessions` are the cookies of the one who has the videos and of one who has none;
 * `seen(page, one)` is called while each is there.
 */
export async function lookAtAll(browser, system, { views, sessions, seen }) {
  const examined = [];
  for (const view of views) {
    for (const { size, colorScheme, viewport } of LOOKS) {
      const storageState = view.guest ? undefined : view.newcomer ? sessions.newcomer : sessions.owner;
      const options = { viewport, colorScheme, storageState, locale: "en-GB", timezoneId: "UTC" };
      const context = await browser.newContext({ ...options, ...(size === "phone" ? ON_PHONE : {}) });
      try {
        const page = await openPage(context, system, view.hash, view.before);
        await view.act?.(page);
        await view.there(page);
        const { violations, incomplete, passes } = await examine(page);
        const one = { view: view.name, size, colorScheme, where: `${view.name}-${size}-${colorScheme}` };
        examined.push({ ...one, violations, incomplete, passes: passes.length });
        await seen(page, one);
      } catch (error) {
        throw new Error(`${view.name}, ${size}, ${colorScheme}: ${error.message}`, { cause: error });
      } finally {
        await context.close();
      }
    }
  }
  return examined;
}
