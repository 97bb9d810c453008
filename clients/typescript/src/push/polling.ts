// The last resort: asks again and again, as often as the service says, until it is stopped.

import type { Clock, Timer } from "./environment.js";

/** Between two questions, in milliseconds. */
export const USUAL = 5_000;
const LONGEST = 30_000;

export type Poller = ReturnType<typeof createPoller>;

/**
 * `ask` brings the milliseconds until the next question (`null`: the usual time), or throws; then the time doubles each
 * time, up to half a minute. One question is asked at a time.
 */
export function createPoller(ask: () => Promise<number | null>, clock: Clock) {
  let timer: Timer | null = null;
  let running = false;
  /** Which start is in charge; a question of an earlier one arranges nothing any more. */
  let turn = 0;
  let failures = 0;

  async function round(mine: number) {
    timer = null;
    let wait: number;
    try {
      wait = (await ask()) ?? USUAL;
      failures = 0;
    } catch {
      failures += 1;
      wait = Math.min(LONGEST, USUAL * 2 ** Math.min(failures - 1, 5));
    }
    if (running && turn === mine) timer = clock.setTimeout(() => void round(mine), wait);
  }

  return {
    /** Begins to ask, for the first time after `delay`. */
    start(delay = USUAL) {
      if (running) return;
      running = true;
      turn += 1;
      const mine = turn;
      timer = clock.setTimeout(() => void round(mine), delay);
    },
    stop() {
      running = false;
      turn += 1;
      failures = 0;
      if (timer !== null) clock.clearTimeout(timer);
      timer = null;
    },
  };
}
