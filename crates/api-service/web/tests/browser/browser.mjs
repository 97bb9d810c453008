// A real browser for the tests, with what they do again and again: sign up, ask for a video, wait for a card, look
// for what is hard to use, take a picture. Everything waits for what it needs; nothing sleeps.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SHOTS = process.env.REELAY_SHOTS ?? fileURLToPath(new URL("../../../../../target/page/", import.meta.url));
const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
/** How long a whole video may take on a busy machine. */
export const LONG = 90_000;

export async function launch() {
  return chromium.launch({ executablePath: browserPath(), args: FLAGS });
}

/** A browser with a profile of its own in `folder`, which other programs can drive as well, by the port that it tells. */
export async function launchShared(folder) {
  const args = [...FLAGS, "--remote-debugging-port=0"];
  const context = await chromium.launchPersistentContext(folder, { executablePath: browserPath(), args });
  // The browser writes this file before it takes the first command.
  const [port] = (await readFile(`${folder}/DevToolsActivePort`, "utf8")).split("\n");
  return { context, port: Number(port) };
}

function browserPath() {
  const path = PLACES.find((path) => path && existsSync(path));
  assert.ok(path, "the tests need chromium (Debian: sudo apt-get install chromium), or CHROMIUM");
  return path;
}

let count = 0;
const complaints = new WeakMap();

/** A browser window of nobody's yet, at `system`'s page. What the page complains of is kept. */
export async function visit(browser, system, { hash = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", timezoneId: "UTC", ...options });
  return { context, page: await openPage(context, system, hash) };
}

/** One more tab. `before(page)` is done before anything is loaded. */
export async function openPage(context, system, hash = "", before = undefined) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const told = [];
  complaints.set(page, told);
  page.on("pageerror", (error) => told.push(String(error)));
  page.on("console", (message) => {
    // Refusals of the server are part of some tests, and the browser writes each of them down.
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text())) {
      told.push(message.text());
    }
  });
  await before?.(page);
  await page.goto(`${system.url}/${hash}`);
  return page;
}

/** That the page made no mistake and its policy forbade it nothing. */
export function assertQuiet(page) {
  assert.deepEqual(complaints.get(page), []);
}

/** Makes an account by the form. */
export async function signUp(page, name = "Ada Moving", email = `page-${process.pid}-${(count += 1)}@example.com`) {
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill("a long enough password");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: /What shall we film/ }).waitFor();
  return { email, password: "a long enough password" };
}

/** Describes a video on the first page. Leads to its conversation. */
export async function describe(page, words) {
  await page.getByLabel("Describe your video").fill(words);
  await page.getByRole("button", { name: "Send" }).click();
  await page.waitForURL(/#\/c\/conv_/);
}

/** The card at its end of the conversation. */
export const lastCard = (page) => page.locator("article.card").last();

/** Waits until the last card shows this face. */
export async function face(page, name, timeout = LONG) {
  const card = page.locator(`article.card[data-face="${name}"]`).last();
  await card.waitFor({ timeout });
  return card;
}

/** From the first words to the price. */
export async function askFor(page, words) {
  await describe(page, words);
  const card = page.locator("article.card").last();
  await card.waitFor();
  if ((await card.getAttribute("data-face")) === "questions") {
    await card.getByRole("button", { name: "Continue" }).click();
  }
  return face(page, "confirmation");
}

/** Says yes to the price. */
export async function accept(page) {
  const card = await face(page, "confirmation");
  await card.getByRole("button", { name: /Make it/ }).click();
}

/** Plays the video of the last card until its time moves on. */
export async function assertPlays(page) {
  const card = await face(page, "player");
  const video = card.locator("video");
  await video.evaluate((element) => {
    element.muted = true;
    return element.play();
  });
  await page.waitForFunction((element) => element.currentTime > 0.3, await video.elementHandle());
}

/** A small picture, drawn by the browser itself. */
export async function picture(page) {
  const url = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 360;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#c86a2c";
    pen.fillRect(0, 0, 640, 360);
    return canvas.toDataURL("image/png");
  });
  return { name: "dune.png", mimeType: "image/png", buffer: Buffer.from(url.split(",")[1], "base64") };
}

/** What axe finds, as it tells it, once everything stands still. */
export async function examine(page) {
  // Evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(await readFile(axePath, "utf8"));
  return page.evaluate(async () => {
    // What is half faded in has colours that it will not keep.
    await Promise.all(
      document.getAnimations().flatMap((animation) =>
        animation.effect?.getComputedTiming().iterations === Infinity ? [] : [animation.finished.catch(() => {})],
      ),
    );
    return globalThis.axe.run(document);
  });
}

/** That axe finds nothing serious. */
export async function assertUsable(page, where) {
  const { violations } = await examine(page);
  const found = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical" || impact === "moderate")
    .map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(found, [], where);
}

/**
 * What the page itself takes over the wire until `there`, and until nothing more comes: in bytes, with headers. Videos and
 * their pictures do not count; they come from where media lie.
 */
export async function weigh(context, url, there) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  const own = new Set();
  let bytes = 0;
  devtools.on("Network.responseReceived", ({ requestId, response }) => {
    if (new URL(response.url).origin === new URL(url).origin) own.add(requestId);
  });
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (own.has(requestId)) bytes += encodedDataLength;
  });
  await devtools.send("Network.enable");
  await page.goto(url);
  await there(page);
  await page.waitForLoadState("networkidle");
  await page.close();
  return { bytes, requests: own.size };
}

/** A picture of what is to be seen, into `target/page/`. */
export async function shot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, animations: "disabled" });
}

/** That nothing is wider than the window. */
export async function assertFits(page, where) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${where}: ${wide} px in a window of ${window} px`);
}
