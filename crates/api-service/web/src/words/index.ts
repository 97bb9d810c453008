// What the page says, in the language that was chosen. English is a part of the page; every other language is fetched
// when it is wanted, and if it cannot be had, what was spoken before stands.

import { effect, signal } from "@preact/signals";

import { language as chosen } from "../preferences";
import { en, type Phrases } from "./en";
import { type Language, languageFor, type Wanted } from "./languages";

export type { Phrases };

export interface Speech {
  language: Language;
  /** For numbers, money and dates. */
  locale: string;
  phrases: Phrases;
  /** What was wanted last and could not be fetched. */
  missing: Language | null;
}

type Fetch = (language: Exclude<Language, "en">) => Promise<Phrases>;

const fetched: Record<Exclude<Language, "en">, () => Promise<Phrases>> = {
  de: () => import("./de").then(({ de }) => de),
  es: () => import("./es").then(({ es }) => es),
  fr: () => import("./fr").then(({ fr }) => fr),
  it: () => import("./it").then(({ it }) => it),
  pt: () => import("./pt").then(({ pt }) => pt),
};

export const speech = signal<Speech>({ language: "en", locale: "en", phrases: en, missing: null });

/** What a view says; it is drawn anew when another language is chosen. */
export const phrases = (): Phrases => speech.value.phrases;

let turns = 0;

/** Speaks as is wanted, once the words are there; in English at once. */
export async function speak(
  wanted: Wanted,
  spoken: readonly string[],
  fetch: Fetch = (language) => fetched[language](),
): Promise<void> {
  const { language, locale } = languageFor(wanted, spoken);
  const turn = (turns += 1);
  try {
    const words = language === "en" ? en : await fetch(language);
    // Something else may have been chosen in the meantime.
    if (turn === turns) speech.value = { language, locale, phrases: words, missing: null };
  } catch {
    if (turn === turns) speech.value = { ...speech.peek(), missing: language };
  }
}

/** Speaks as was chosen from now on. Resolves when the first words are there. */
export function followLanguage(): Promise<void> {
  const spoken = () => navigator.languages ?? [navigator.language];
  let first = Promise.resolve();
  let begun = false;
  effect(() => {
    const speaking = speak(chosen.value, spoken());
    if (!begun) first = speaking;
    begun = true;
  });
  window.addEventListener("languagechange", () => void speak(chosen.peek(), spoken()));
  effect(() => {
    document.documentElement.lang = speech.value.language;
  });
  return first;
}
