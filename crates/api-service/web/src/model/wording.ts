// The words that the provider is asked with, on the way to the yes: proposed ones, or the user's own. What stands in
// the form, and what becomes of it when the server tells of other words, is decided here without a document.

import type { Generation } from "./types";

/** What the form shows. */
export interface Wording {
  /** Whether the user's own words are asked with. */
  own: boolean;
  text: string;
}

type Words = Pick<Generation, "prompt" | "enhancedPrompt">;

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

/**
 * The form after news of its generation: what somebody is writing stays, and what nobody has touched since the last
 * news follows it.
 */
export function followed(form: Wording, before: Words, now: Words): Wording {
  const known = wordingOf(before);
  const touched = form.own !== known.own || form.text !== known.text;
  return touched ? form : wordingOf(now);
}
