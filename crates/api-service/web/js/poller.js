// The last resort: asks for the status of generations, each as often as the server says, until it is terminal.

import { log } from "./log.js";

const USUAL = 5_000;
const LONGEST = 30_000;

/** `fetchStatus(id, etag, signal)` as in the API; `onSnapshot(snapshot)` gets each answer that is news. */
export function createPoller({ fetchStatus, onSnapshot, timers = globalThis }) {
  const rounds = new Map();

  function start({ id, status }) {
    log("Polling started", { generationId: id, status });
    const round = { abort: new AbortController(), etag: null, failures: 0, timer: null };
    rounds.set(id, round);
    ask(id, round);
  }

  async function ask(id, round) {
    let wait = USUAL;
    try {
      const { snapshot, etag } = await fetchStatus(id, round.etag, round.abort.signal);
      if (rounds.get(id) !== round) return;
      round.etag = etag;
      round.failures = 0;
      if (snapshot) {
        wait = snapshot.pollAfterMs ?? USUAL;
        onSnapshot(snapshot);
        if (snapshot.terminal) return stop(id);
      }
    } catch (error) {
      if (rounds.get(id) !== round) return;
      if (error.status === 401 || error.status === 404) return stop(id);
      round.failures += 1;
      wait = Math.min(LONGEST, USUAL * 2 ** round.failures);
    }
    if (rounds.get(id) === round) round.timer = timers.setTimeout(() => ask(id, round), wait);
  }

  function stop(id) {
    const round = rounds.get(id);
    if (!round) return;
    rounds.delete(id);
    timers.clearTimeout(round.timer);
    round.abort.abort();
  }

  return {
    /** Polls exactly these generations from now on: `[{id, status}]`. */
    watch(generations) {
      const wanted = new Set(generations.map(({ id }) => id));
      for (const id of [...rounds.keys()]) if (!wanted.has(id)) stop(id);
      for (const generation of generations) if (!rounds.has(generation.id)) start(generation);
    },
  };
}
