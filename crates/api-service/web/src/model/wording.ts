// The words that the provider is asked with, on the way to the yes: proposed ones, or the user's own. What stands in
// the form, and what becomes of it when the server tells of other words, is decided here without a document.

import type { Generation } from "./types";

/** What the form shows. */
export interface Wording {
  /** Whether the user's own words are asked with. */
  own: boolean;
  text: string;
}

/** What the server has. */
export type Words = Pick<Generation, "prompt" | "enhancedPrompt">;

/** What the form shows of a generation that nobody has touched. */
export const wordingOf = ({ prompt, enhancedPrompt = null }: Words): Wording => ({
  own: enhancedPrompt === null,
  text: enhancedPrompt ?? prompt,
});

/** The `enhancedPrompt` that a form means. Without words of its own it means the prompt. */
export const meant = ({ own, text }: Wording): string | null =>
  own || text.trim() === "" ? null : text.trim();

/** Whether a form says something else than the server knows. */
export function differs(form: Wording, { prompt, enhancedPrompt = null }: Words): boolean {
  const wanted = meant(form);
  return wanted !== enhancedPrompt && !(enhancedPrompt === null && wanted === prompt.trim());
}

/** What is kept of a form while the server does not have its words. */
export interface Draft extends Wording {
  /** What the server had when it was written. */
  from: Words;
}

export function draftOf(form: Wording, { prompt, enhancedPrompt = null }: Words): Draft | null {
  return differs(form, { prompt, enhancedPrompt }) ? { ...form, from: { prompt, enhancedPrompt } } : null;
}

/**
 * The form that is shown first: what was half written, unless the words were settled otherwise since. A yes must not
 * be for words that their user has replaced.
 */
export function restored(draft: Partial<Draft> | null, now: Words): Wording {
  const { own, text, from } = draft ?? {};
  const stands = from && same(from, now) && typeof own === "boolean" && typeof text === "string";
  return stands ? { own, text } : wordingOf(now);
}

const same = (one: Words, other: Words) =>
  one.prompt === other.prompt && (one.enhancedPrompt ?? null) === (other.enhancedPrompt ?? null);

/**
 * The form after news of its generation. `before` is what the server had when it was last heard, by news or by its
 * answer to what it was told: what somebody has written beyond that stays, anything else follows the news.
 */
export function followed(form: Wording, before: Words, now: Words): Wording {
  return same(before, now) || differs(form, before) ? form : wordingOf(now);
}
