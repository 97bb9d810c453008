// Answers that are given and not told yet, each kept with its question: it is an answer to that one alone. Pure.

import type { AnswerValue, ClarificationQuestion } from "./types";

export type Answers = Readonly<Record<string, AnswerValue | undefined>>;

/** By the questions' ids; `null` is an answer that was taken away. */
export type KeptAnswers = Record<string, { question: string; value: AnswerValue | null }>;

/**
 * A question as text, to compare it by. The server writes the same one with its fields in other orders: as it is stored
 * in one place, as it is described in another.
 */
export const textOf = ({ id, kind, question, options, default: usual, required }: ClarificationQuestion): string =>
  JSON.stringify([id, kind, question, (options ?? []).map(({ value, label }) => [value, label]), usual ?? null, required]);

const defaultOf = (question: ClarificationQuestion) => question.default ?? undefined;

/** What the form begins with: what was answered before, else what is usual. */
export function answersOf(questions: readonly ClarificationQuestion[], kept: KeptAnswers | null): Answers {
  return Object.fromEntries(
    questions.map((question) => {
      const before = kept?.[question.id];
      const same = before?.question === textOf(question);
      return [question.id, same ? (before.value ?? undefined) : defaultOf(question)];
    }),
  );
}

/** What is to be kept of the form; `null` if it is as it began. */
export function keptOf(questions: readonly ClarificationQuestion[], answers: Answers): KeptAnswers | null {
  const changed = questions.filter((question) => answers[question.id] !== defaultOf(question));
  if (changed.length === 0) return null;
  return Object.fromEntries(
    changed.map((question) => [question.id, { question: textOf(question), value: answers[question.id] ?? null }]),
  );
}
