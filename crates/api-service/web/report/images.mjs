// The README's pictures: of each view one, with the desk and the phone side by side, one of them light and one dark.

import { mkdir, readFile, writeFile } from "node:fs/promises";

/** What a picture may weigh, in bytes. */
const HEAVIEST = 60_000;
const HEIGHT = 520;
const GAP = 16;

/** The views that the README shows, in its order. */
export const SHOWN = [
  "sign-in",
  "sign-up",
  "empty",
  "questions",
  "confirmation",
  "progress",
  "player",
  "variation",
  "failed",
  "filtered",
  "cancelled",
  "gallery",
  "search",
  "usage",
  "settings",
  "error",
  "interrupted",
  "offline",
];

/** Makes them of the screenshots in `shots`, into `folder`. */
export async function makeImages(browser, { shots, folder }) {
  await mkdir(folder, { recursive: true });
  const page = await browser.newPage();
  for (const [index, view] of SHOWN.entries()) {
    const [desk, phone] = index % 2 === 0 ? ["light", "dark"] : ["dark", "light"];
    const files = [`${view}-desktop-${desk}.png`, `${view}-phone-${phone}.png`];
    await writeFile(`${folder}/${view}.jpg`, await sideBySide(page, files.map((name) => `${shots}/${name}`)));
  }
  await page.close();
}

/** Both in one, as good as its weight allows. */
async function sideBySide(page, paths) {
  const contents = await Promise.all(paths.map((path) => readFile(path, "base64")));
  const images = contents.map((content) => `<img alt="" src="data:image/png;base64,${content}">`).join("");
  await page.setContent(`<style>
    body { margin: 0; background: #8a8178; }
    div { display: inline-flex; gap: ${GAP}px; padding: ${GAP}px; }
    img { height: ${HEIGHT}px; border-radius: 10px; }
  </style><div>${images}</div>`);
  const both = page.locator("div");
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
  for (let quality = 80; ; quality -= 5) {
    const picture = await both.screenshot({ type: "jpeg", quality });
    if (picture.length <= HEAVIEST || quality <= 30) return picture;
  }
}
