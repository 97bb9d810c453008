// Which languages the page speaks, and which of them it speaks with whom. They are those of the assistant. Pure.

/** By their ISO 639-1 codes, each with its own name for itself. */
export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  it: "Italiano",
  pt: "Português",
} as const;

export type Language = keyof typeof LANGUAGES;

/** What can be chosen: one of them, or whichever the browser asks for. */
export type Wanted = Language | "browser";

export const isLanguage = (code: string | null | undefined): code is Language =>
  typeof code === "string" && Object.hasOwn(LANGUAGES, code);

/** `de` of `de-AT`. */
const languageOf = (tag: string) => tag.toLowerCase().split(/[-_]/)[0];

/** Some browsers have tags that are none, such as `en-US@posix`, and formats refuse them. */
function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/**
 * The language to speak, with the locale for its numbers and dates: the user's own, if the browser says where they use
 * that language. `spoken` is what it asks for, the best first.
 */
export function languageFor(wanted: Wanted, spoken: readonly string[]): { language: Language; locale: string } {
  const first = spoken.map(languageOf).find(isLanguage);
  const language = wanted === "browser" ? (first ?? "en") : wanted;
  const locale = spoken.find((tag) => languageOf(tag) === language && isTag(tag)) ?? language;
  return { language, locale };
}
