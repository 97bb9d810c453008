// Numbers, money and times as a person reads them.

/** `{"amount":"3.20","currency":"USD"}` as `$3.20`. */
export function money(price, locale) {
  if (!price) return "";
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency: price.currency }).format(
      price.amount,
    );
  } catch {
    return `${price.amount} ${price.currency}`;
  }
}

/** `About 40 s left`; deliberately coarse, for a guess should look like one. */
export function timeLeft(seconds) {
  if (seconds < 5) return "A few seconds left";
  if (seconds < 90) return `About ${Math.ceil(seconds / 5) * 5} s left`;
  return `About ${Math.round(seconds / 60)} min left`;
}

export function seconds(value) {
  if (value < 60) return `${Number.isInteger(value) ? value : value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

export function bytes(value) {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${Math.round(value / 1e3)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

export function clock(text, locale) {
  return new Date(text).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/** The time if it is today, `Yesterday`, else the date. `now` is a `Date`. */
export function day(text, now, locale) {
  const then = new Date(text);
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days <= 0) return clock(text, locale);
  if (days === 1) return "Yesterday";
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** At most `length` characters, cut at a word, for titles and announcements. */
export function shorten(text, length) {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= length) return line;
  const cut = line.slice(0, length - 1);
  return `${cut.slice(0, cut.lastIndexOf(" ") > length / 2 ? cut.lastIndexOf(" ") : undefined)}…`;
}

/** `9:16` or `1920x1080` as a number, width by height; `null` if it is neither. */
export function ratio(text) {
  const [, width, height] = /^\s*(\d+)\s*[:x×]\s*(\d+)\s*$/i.exec(text ?? "") ?? [];
  return width > 0 && height > 0 ? width / height : null;
}
