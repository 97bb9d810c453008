// Numbers, money and times as a person reads them.

import type { Money } from "./model/types";

/** `{"amount":"3.20","currency":"USD"}` as `$3.20`. */
export function money(price: Money | null | undefined, locale?: string): string {
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
  if (left < 5) return "A few seconds left";
  if (left < 90) return `About ${Math.ceil(left / 5) * 5} s left`;
  return `About ${Math.round(left / 60)} min left`;
}

export function seconds(value: number): string {
  if (value < 60) return `${Number.isInteger(value) ? value : value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${Math.round(value / 1e3)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

export function clock(text: string, locale?: string): string {
  return new Date(text).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/** The time if it is today, `Yesterday`, else the date. */
export function day(text: string, now: Date, locale?: string): string {
  const then = new Date(text);
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days <= 0) return clock(text, locale);
  if (days === 1) return "Yesterday";
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** When something begins again, with its day unless that is today: `tomorrow at 01:00`. */
export function moment(text: string, now: Date, locale?: string): string {
  const then = new Date(text);
  const at = clock(text, locale);
  if (then.toDateString() === now.toDateString()) return `at ${at}`;
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  if (then.toDateString() === next.toDateString()) return `tomorrow at ${at}`;
  return `on ${then.toLocaleDateString(locale, { day: "numeric", month: "long" })} at ${at}`;
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
