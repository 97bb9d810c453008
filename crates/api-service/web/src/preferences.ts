// What the user has chosen about this browser: how the page looks, and whether it may speak up. Kept here, not
// by the server, since it is about the device. `public/theme.js` reads the appearance before the first paint.

import { signal } from "@preact/signals";

export type Appearance = "system" | "light" | "dark";

const APPEARANCE = "reelay.appearance";
const NOTIFY = "reelay.notify";

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still does what was chosen until it is closed.
  }
}

const known = read(APPEARANCE);
export const appearance = signal<Appearance>(known === "light" || known === "dark" ? known : "system");

export function choose(wanted: Appearance): void {
  appearance.value = wanted;
  write(APPEARANCE, wanted === "system" ? null : wanted);
  if (wanted === "system") delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = wanted;
}

/** `yes` and `no` are answers of the user's; `unasked` that there was no question yet. */
export type Notify = "yes" | "no" | "unasked";

const answered = read(NOTIFY);
export const notify = signal<Notify>(answered === "yes" || answered === "no" ? answered : "unasked");

export function answer(wanted: Exclude<Notify, "unasked">): void {
  notify.value = wanted;
  write(NOTIFY, wanted);
}
