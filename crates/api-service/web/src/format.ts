// Numbers, money and times as a person reads them, in the language that the page speaks.

import type { Money } from "./model/types";
import { phrases, speech } from "./words";

const here = () => speech.value.locale;

export const number = (value: number): string => value.toLocaleString(here());

/** `42` as `42%`. */
export const percent = (value: number): string =>
  (value / 100).toLocaleString(here(), { style: "percent", maximumFractionDigits: 0 });

/** `{"amount":"3.20","currency":"USD"}` as `$3.20`. */
export function money(price: Money | null | undefined, locale = here()): string {
  if (!price) return "";
  try {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency: price.currency });
    return format.format(Number(price.amount));
  } catch {
    return `${price.amount} ${price.currency}`;
  }
}

/** `About 40 s left`; deliberately coarse, for a guess should look like one. */
export function timeLeft(left: number): string {
  const { time } = phrases();
  if (left < 5) return time.fewSecondsLeft;
  return time.left(left < 90 ? `${Math.ceil(left / 5) * 5} s` : `${Math.round(left / 60)} min`);
}

/** `7.9 s`, `1 min 35 s`: the signs of the units are the same everywhere. */
export function seconds(value: number): string {
  if (value < 60) return `${Number.isInteger(value) ? value : rounded(value, 1)} s`;
  const whole = Math.round(value);
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

/** `588 kB`, and `588 ko` in French. */
export function bytes(value: number): string {
  if (value < 1e6) return rounded(value / 1e3, 0, "kilobyte");
  return value < 1e9 ? rounded(value / 1e6, 1, "megabyte") : rounded(value / 1e9, 2, "gigabyte");
}

/** With at most so many digits behind the point, or without a unit with just as many. */
function rounded(value: number, digits: number, unit?: string): string {
  const fraction = { minimumFractionDigits: unit ? 0 : digits, maximumFractionDigits: digits };
  return value.toLocaleString(here(), { ...fraction, ...(unit ? { style: "unit", unit } : {}) });
}

/** A day and a time, in full. */
export const fully = (text: string): string => new Date(text).toLocaleString(here());

export function clock(text: string, locale = here()): string {
  return new Date(text).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/** The time if it is today, `Yesterday`, else the date. */
export function day(text: string, now: Date, locale = here()): string {
  const then = new Date(text);
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days <= 0) return clock(text, locale);
  if (days === 1) return phrases().time.yesterday;
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** When something begins again, with its day unless that is today: `tomorrow at 01:00`. */
export function moment(text: string, now: Date, locale = here()): string {
  const then = new Date(text);
  const { time } = phrases();
  const at = clock(text, locale);
  if (then.toDateString() === now.toDateString()) return time.at(at);
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  if (then.toDateString() === next.toDateString()) return time.tomorrowAt(at);
  return time.onAt(then.toLocaleDateString(locale, { day: "numeric", month: "long" }), at);
}

/** At most `length` characters, cut at a word, for titles and announcements. */
export function shorten(text: string, length: number): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= length) return line;
  // A character of two halves is cut before it, not in it: half of one is no text that a server takes.
  const cut = line.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "");
  return `${cut.slice(0, cut.lastIndexOf(" ") > length / 2 ? cut.lastIndexOf(" ") : undefined)}…`;
}

/** `9:16` or `1920x1080` as a number, width by height; `null` if it is neither. */
export function ratio(text: string | null | undefined): number | null {
  const [, width, height] = /^\s*(\d+)\s*[:x×]\s*(\d+)\s*$/i.exec(text ?? "") ?? [];
  return Number(width) > 0 && Number(height) > 0 ? Number(width) / Number(height) : null;
}
