// What goes wrong on the way, and what the page makes of it: failures, a cancel, a reload, a server that is killed,
// two tabs, no network.

import assert from "node:assert/strict";

import {
  accept,
  askFor,
  assertPlays,
  assertQuiet,
  assertUsable,
  describe,
  face,
  lastCard,
  LONG,
  openPage,
  shot,
} from "./browser.mjs";
import { setStage } from "./stage.mjs";

const SLOW = "[sim:latency=9s] a river at night, 4 seconds, landscape";

const { asUser } = setStage({ env: { JOB_RETRY_DELAYS: "200ms,200ms,200ms" } });

/** Watches the last card: `read()` gives every percentage that was shown, in order. */
async function watchProgress(page) {
  await page.evaluate(() => {
    const seen = (globalThis.seen = []);
    const look = () => {
      const value = document.querySelector(".card:last-of-type [role=progressbar]")?.getAttribute("aria-valuenow");
      if (value && seen.at(-1) !== Number(value)) seen.push(Number(value));
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
  });
  return () => page.evaluate(() => globalThis.seen);
}

/** Waits until the bar stands between its ends. */
const underWay = (page) =>
  page.waitForFunction(() => {
    const value = Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow") ?? 0);
    return value > 5 && value < 95;
  });

const rises = (values) => values.every((value, index) => index === 0 || value >= values[index - 1]);

/** One card, one "ready", each message once. */
async function assertToldOnce(page) {
  assert.equal(await page.locator("article.card").count(), 1);
  assert.equal(await page.locator(".said", { hasText: "Your video is ready." }).count(), 1);
  const said = await page.locator(".said").allInnerTexts();
  assert.equal(new Set(said).size, said.length, said.join("\n"));
}

asUser("what fails and what is filtered says why, and can be tried again", async ({ page, system }) => {
  for (const [fault, reason] of [
    ["fail", /video service/],
    ["filtered", /declined/],
  ]) {
    await page.goto(`${system.url}/#/`);
    await askFor(page, `[sim:${fault}] a paper boat, 4 seconds, landscape`);
    await accept(page);
    const card = await face(page, "ended");
    assert.match(await card.locator(".reason").innerText(), reason);
    await assertUsable(page, fault);
    await shot(page, `${fault}-light`);
  }
  await page.getByRole("button", { name: "Try again" }).click();
  await face(page, "confirmation");
  await page.getByText("Tried again.").waitFor();
  assert.equal(await page.locator("article.card").count(), 2);
});

asUser("what is cancelled stops at once and can be tried again", async ({ page }) => {
  await askFor(page, SLOW);
  await accept(page);
  await underWay(page);
  // What that may cost is said before it is asked.
  await lastCard(page).locator(".cost", { hasText: "may be charged" }).waitFor();
  await lastCard(page).getByRole("button", { name: "Cancel" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), /may be charged/);
  await assertUsable(page, "cancel");
  assert.equal(await dialog.getByRole("button", { name: "Keep going" }).evaluate((it) => it === document.activeElement), true);
  await dialog.getByRole("button", { name: "Stop it" }).click();
  await face(page, "ended");
  await page.locator(".said", { hasText: "may be charged" }).waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await accept(page);
  await face(page, "progress");
});

asUser("a reload in the middle of it loses nothing", async ({ page }) => {
  await askFor(page, SLOW);
  await accept(page);
  await underWay(page);
  await page.getByLabel("Message", { exact: true }).fill("a thought for later");
  await page.reload();
  await face(page, "progress");
  assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "a thought for later");
  const read = await watchProgress(page);
  await assertPlays(page);
  const seen = await read();
  assert.ok(rises(seen), seen.join());
  await assertToldOnce(page);
});

asUser("what is being made is known after a reload, wherever one is", async ({ page, system }) => {
  await askFor(page, SLOW);
  await accept(page);
  await underWay(page);
  await page.goto(`${system.url}/#/usage`);
  await page.reload();
  await page.locator(".entry-running").waitFor();
  await page.locator(".entry-running").waitFor({ state: "detached", timeout: LONG });
  await page.getByRole("link", { name: /river at night/ }).click();
  await assertPlays(page);
});

asUser("a server that is killed and comes back is waited for, and nothing is missed or told twice", async (scene) => {
  const { page, system } = scene;
  await askFor(page, SLOW);
  await accept(page);
  await underWay(page);
  const read = await watchProgress(page);
  await system.kill();
  await page.locator('.live:not([data-push="live"])').waitFor();
  await system.restart();
  await page.locator('.live[data-push="live"]').waitFor({ timeout: LONG });
  await assertPlays(page);
  const seen = await read();
  assert.ok(seen.length > 1 && rises(seen), seen.join());
  await assertToldOnce(page);
});

asUser("two tabs show the same, and one's yes is the other's", async ({ context, page, system }) => {
  await askFor(page, "a train in the fog, 4 seconds, landscape");
  const other = await openPage(context, system, new URL(page.url()).hash);
  await face(other, "confirmation");
  await accept(page);
  await Promise.all([face(page, "player"), face(other, "player")]);
  await other.getByLabel("Message", { exact: true }).fill("Thank you");
  await other.getByLabel("Message", { exact: true }).press("Enter");
  await page.getByText("Thank you", { exact: true }).waitFor();
  assert.equal(await other.getByText("Thank you", { exact: true }).count(), 1);
  await assertToldOnce(other);
  assertQuiet(other);
});

asUser("without a network it says so, keeps what is sent, and sends it afterwards by itself", async (scene) => {
  const { context, page } = scene;
  await describe(page, "Make me a video of a harbour");
  await face(page, "questions");
  await context.setOffline(true);
  await page.getByText("You are offline.", { exact: false }).waitFor();
  await assertUsable(page, "offline");
  await shot(page, "offline-light");
  await page.getByLabel("Message", { exact: true }).fill("6 seconds and vertical");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Not sent.", { exact: false }).waitFor({ timeout: 60_000 });
  await context.setOffline(false);
  await page.getByText("You are offline.", { exact: false }).waitFor({ state: "hidden" });
  const card = await face(page, "confirmation");
  await card.getByText("6 s", { exact: true }).waitFor();
  assert.equal(await page.locator(".mine .said", { hasText: "6 seconds" }).count(), 1);
});

asUser("a session that ends elsewhere leads back to where one was", async ({ account, context, page, system }) => {
  await page.goto(`${system.url}/#/usage`);
  await page.getByText("This month", { exact: true }).waitFor();
  await context.clearCookies();
  await page.getByRole("link", { name: "Videos" }).click();
  await page.getByText("Your session has ended.", { exact: false }).waitFor();
  await assertUsable(page, "session ended");
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await assertUsable(page, "wrong password");
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
});
