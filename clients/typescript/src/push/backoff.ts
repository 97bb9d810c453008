// How long to wait before the next try. Pure.

const FIRST = 500;
const LONGEST = 15_000;

/**
 * Milliseconds before try number `attempt` (from 0): doubling, bounded, and spread, so that clients which lost the
 * same server do not come back in the same moment.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return full * (0.5 + random() / 2);
}
