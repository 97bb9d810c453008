// How long to wait before the next try.

const FIRST = 500;
const LONGEST = 15_000;

/** Milliseconds before try number `attempt` (from 0): doubling, bounded, and spread so that clients part. */
export function backoff(attempt, random = Math.random) {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return full * (0.5 + random() / 2);
}
