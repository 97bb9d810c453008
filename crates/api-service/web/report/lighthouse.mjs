// What Lighthouse says of a page.

import { writeFile } from "node:fs/promises";

import lighthouse, { desktopConfig } from "lighthouse";

import { CATEGORIES } from "./verdict.mjs";

/** One audit is not enough where a busy machine may have been what was measured. */
const TIMES = 3;

const PRESETS = { mobile: undefined, desktop: desktopConfig };

/**
 * Audits `url` in the browser at `port`, with whatever session that has, and writes the reports into `folder`. If the
 * performance is too low, it is measured twice more, and the run in the middle counts.
 */
export async function audit({ port, url, page, preset, signedIn, folder, lowest }) {
  const runs = [];
  do {
    // Nothing is at hand from an earlier visit but the session, which cookies hold.
    const clearStorageTypes = ["cache_storage", "shader_cache"];
    const flags = { port, output: ["html", "json"], logLevel: "error", clearStorageTypes, onlyCategories: CATEGORIES };
    const { lhr, report } = await lighthouse(url, flags, PRESETS[preset]);
    if (lhr.runtimeError) throw new Error(`Lighthouse at ${page}: ${lhr.runtimeError.message}`);
    if (isSignedIn(lhr) !== signedIn) throw new Error(`Lighthouse at ${page}: it did not see what it should`);
    runs.push({ lhr, report });
  } while (runs.length < TIMES && performanceOf(runs[0]) < lowest);
  runs.sort((a, b) => performanceOf(a) - performanceOf(b));
  const { lhr, report } = runs[Math.floor(runs.length / 2)];
  const where = `${page}-${preset}`;
  await writeFile(`${folder}/lighthouse-${where}.html`, report[0]);
  await writeFile(`${folder}/lighthouse-${where}.json`, report[1]);
  const scores = Object.fromEntries(CATEGORIES.map((name) => [name, scoreOf(lhr, name)]));
  return { where, page, preset, scores, runs: runs.length };
}

/** Whether the page asked for what only somebody has who is signed in. */
function isSignedIn(lhr) {
  const { items } = lhr.audits["network-requests"].details;
  return items.some(({ url, statusCode }) => url.includes("/api/conversations") && statusCode === 200);
}

const performanceOf = ({ lhr }) => scoreOf(lhr, "performance") ?? 0;

function scoreOf(lhr, name) {
  const score = lhr.categories[name]?.score;
  return typeof score === "number" ? Math.round(score * 100) : null;
}
