// Measures the page: every view by axe, its main pages by Lighthouse, its first load by the scales; and takes a picture
// of each view. `node report.mjs FOLDER` writes all of it there and prints tables; it fails if something is not good
// enough. With `--images FOLDER` the README's pictures are made anew. `REELAY_BIN` names the binary that is measured.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { face, launch, launchShared, signUp, visit, weigh } from "../tests/browser/browser.mjs";
import { startModel } from "../tests/browser/model.mjs";
import { startSystem } from "../tests/browser/system.mjs";
import { makeImages } from "./images.mjs";
import { audit } from "./lighthouse.mjs";
import { better, furnish } from "./scene.mjs";
import { columns, complaints, LOWEST_SCORE, summary, tables } from "./verdict.mjs";
import { lookAtAll, viewsOf } from "./views.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { images: { type: "string" } } });
const [folder] = positionals;
if (!folder) throw new Error("where to? node report.mjs FOLDER [--images FOLDER]");
const shots = join(folder, "views");

const settings = {
  BUDGET_PER_DAY: "40",
  BUDGET_PER_MONTH: "400",
  JOB_RETRY_DELAYS: "200ms,200ms,200ms",
  VEO3_USUAL_LATENCY: "75s",
};
/** What is to be undone at the end, the last first. */
const ends = [];
/** Begins something that has an end. */
async function begin(starting, end) {
  const started = await starting;
  ends.unshift(() => end(started));
  return started;
}

try {
  const profile = await begin(mkdtemp(join(tmpdir(), "reelay-profile-")), (path) => rm(path, { recursive: true, force: true }));
  const model = await begin(startModel(better), (one) => one.stop());
  const system = await begin(startSystem({ env: { ...model.env, ...settings } }), (one) => one.stop());
  const browser = await begin(launch(), (one) => one.close());
  const shared = await begin(launchShared(profile), ({ context }) => context.close());
  await rm(folder, { recursive: true, force: true });
  await mkdir(shots, { recursive: true });

  const { context, page } = await visit(browser, system);
  console.log("Making videos to look at …");
  const places = await furnish(page, system);
  const owner = await context.storageState();
  const { context: other, page: nobodys } = await visit(browser, system);
  await signUp(nobodys, "Bo");
  const newcomer = await other.storageState();
  await Promise.all([context.close(), other.close()]);

  console.log("Looking at every view …");
  const examined = await lookAtAll(browser, system, {
    views: viewsOf(places),
    sessions: { owner, newcomer },
    seen: (view, { where }) => view.screenshot({ path: join(shots, `${where}.png`), animations: "disabled" }),
  });

  console.log("Weighing the first load …");
  const pages = [
    { name: "sign-in", hash: "", session: undefined, there: (one) => one.getByLabel("Password").waitFor() },
    { name: "empty", hash: "#/", session: owner, there: (one) => one.getByLabel("Describe your video").waitFor() },
    { name: "player", hash: places.player, session: owner, there: (one) => face(one, "player") },
  ];
  const loads = [];
  for (const { name, hash, session, there } of pages) {
    const fresh = await browser.newContext({ storageState: session });
    loads.push({ where: name, ...(await weigh(fresh, `${system.url}/${hash}`, there)) });
    await fresh.close();
  }

  const scores = [];
  for (const { name, hash, session } of pages) {
    if (session) await shared.context.addCookies(session.cookies);
    for (const preset of ["mobile", "desktop"]) {
      console.log(`Asking Lighthouse about ${name}, ${preset} …`);
      const url = `${system.url}/${hash}`;
      const signedIn = Boolean(session);
      scores.push(await audit({ port: shared.port, url, page: name, preset, signedIn, folder, lowest: LOWEST_SCORE }));
    }
  }

  const measured = { examined, scores, loads };
  await writeFile(join(folder, "axe.json"), JSON.stringify(examined, null, 2));
  await writeFile(join(folder, "summary.md"), summary(measured));
  if (values.images) await makeImages(browser, { shots, folder: values.images });

  for (const table of Object.values(tables(measured))) console.log(`\n${columns(table)}`);
  console.log(`\nWritten to ${folder}: summary.md, axe.json, lighthouse-*.html and .json, views/`);
  const wrong = complaints(measured);
  if (wrong.length > 0) {
    console.error(`\nNot good enough:\n${wrong.join("\n")}`);
    process.exitCode = 1;
  }
} finally {
  for (const end of ends) await end().catch(console.error);
}
