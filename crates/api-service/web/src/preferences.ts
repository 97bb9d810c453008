// What the user has chosen about this browser: how the page looks, which language it speaks, and whether it may speak
// up. Kept here, not by the server, since it is about the device. `public/theme.js` reads the appearance before the
// first paint.

import { signal } from "@preact/signals";

import { isLanguage, type Wanted } from "./words/languages";

export type Appearance = "system" | "light" | "dark";

const APPEARANCE = "reelay.appearance";
const LANGUAGE = "reelay.language";
const NOTIFY = "reelay.notify";

export function readMark(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeMark(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still does what was chosen until it is closed.
  }
}

const known = readMark(APPEARANCE);
export const appearance = signal<Appearance>(known === "light" || known === "dark" ? known : "system");

/** How the page looks from now on, with the bar that a phone's browser draws above it. */
export function choose(wanted: Appearance): void {
  appearance.value = wanted;
  writeMark(APPEARANCE, wanted === "system" ? null : wanted);
  if (wanted === "system") delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = wanted;
  for (const bar of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
    const { scheme } = bar.dataset;
    bar.media = wanted === "system" ? `(prefers-color-scheme: ${scheme})` : scheme === wanted ? "all" : "not all";
  }
}

const spoken = readMark(LANGUAGE);
export const language = signal<Wanted>(isLanguage(spoken) ? spoken : "browser");

/** `src/words` follows, and fetches what it has to say. */
export function chooseLanguage(wanted: Wanted): void {
  language.value = wanted;
  writeMark(LANGUAGE, wanted === "browser" ? null : wanted);
}

/** `yes` and `no` are answers of the user's; `unasked` that there was no question yet. */
export type Notify = "yes" | "no" | "unasked";

const answered = readMark(NOTIFY);
export const notify = signal<Notify>(answered === "yes" || answered === "no" ? answered : "unasked");

export function answer(wanted: Exclude<Notify, "unasked">): void {
  notify.value = wanted;
  writeMark(NOTIFY, wanted);
}
