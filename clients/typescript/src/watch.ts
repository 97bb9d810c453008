// Following as async iterators: `for await` gets each news, and leaving the loop stops what runs behind it.

import type { ConversationUpdate, Follower } from "./follow.js";
import type { Generation } from "./generation.js";
import type { ConnectionState } from "./push/channel.js";

export interface WatchOptions {
  /** Ends the loop; it does not throw. */
  signal?: AbortSignal | undefined;
  /** How news come, for a quiet indicator. */
  onConnection?: ((state: ConnectionState) => void) | undefined;
}

/** What an iterator's source is handed. */
export interface Sink<News> {
  push(news: News): void;
  end(): void;
  fail(error: unknown): void;
}

/**
 * Iterates over what `start` brings. What comes while the consumer is busy waits; `join` may put two news that wait into
 * one, so that a slow consumer is bounded by what there is, not by how often it changed.
 */
export async function* iterate<News>(
  start: (sink: Sink<News>) => Follower,
  join: (waiting: News[], news: News) => News[],
  signal?: AbortSignal,
): AsyncGenerator<News, void, undefined> {
  if (signal?.aborted) return;
  let waiting: News[] = [];
  let over = false;
  let failure: { error: unknown } | null = null;
  let wake = () => {};
  const end = () => {
    over = true;
    wake();
  };
  const follower = start({
    push(news) {
      waiting = join(waiting, news);
      wake();
    },
    end,
    fail(error) {
      failure = { error };
      end();
    },
  });
  const abort = () => {
    waiting = [];
    end();
  };
  signal?.addEventListener("abort", abort);
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (over) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    // Assigned in a callback, which the compiler does not follow.
    const failed = failure as { error: unknown } | null;
    if (failed && !signal?.aborted) throw failed.error;
  } finally {
    signal?.removeEventListener("abort", abort);
    follower.stop();
  }
}

/** Of snapshots of one thing only the last one counts. */
export function latest(_waiting: Generation[], generation: Generation): Generation[] {
  return [generation];
}

/** A snapshot holds all that was before it; of the versions of a generation the last one counts. */
export function condense(waiting: ConversationUpdate[], update: ConversationUpdate): ConversationUpdate[] {
  if (update.type === "snapshot") return [update];
  if (update.type === "message") return [...waiting, update];
  const { id } = update.generation;
  return [...waiting.filter((other) => other.type !== "generation" || other.generation.id !== id), update];
}
