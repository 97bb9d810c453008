// What part of a budget is gone. Pure.

import type { Period } from "./types";

/** The spent and the held part of the budget, 0–1 and together at most 1; `null` without a budget. */
export function shareOf({ budget, spent, held }: Period): { spent: number; held: number } | null {
  const whole = Number(budget?.amount ?? 0);
  if (!(whole > 0)) return null;
  const gone = Math.min(1, Number(spent.amount) / whole);
  return { spent: gone, held: Math.min(1 - gone, Number(held.amount) / whole) };
}
