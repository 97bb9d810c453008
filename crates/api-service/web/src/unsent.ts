// Messages that were sent and that the server has not confirmed, kept in this browser under their keys until it has or
// their user drops them: neither a reload nor a closed page loses one, and none arrives twice.

import { keysUnder, placeOf, readThing, writeThing } from "./drafts";
import type { Pending } from "./model/state";

const PLACE = "unsent.";

interface Kept extends Pending {
  conversationId: string;
}

export function keep(userId: string, conversationId: string, pending: Pending): void {
  writeThing(userId, PLACE + pending.key, { ...pending, conversationId } satisfies Kept);
}

export function forget(userId: string, key: string): void {
  writeThing(userId, PLACE + key, null);
}

export const isKept = (userId: string, key: string): boolean => readThing<Kept>(userId, PLACE + key) !== null;

/** In the order in which they were written. */
export function kept(userId: string): Kept[] {
  return keysUnder(userId, PLACE)
    .flatMap((place) => readThing<Kept>(userId, place) ?? [])
    .sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
}

/** Tells of what becomes of them in other tabs: failed there, or with `null` gone. */
export function watchKept(userId: () => string, tell: (key: string, now: Kept | null) => void): void {
  addEventListener("storage", ({ key }) => {
    const place = key === null ? null : placeOf(userId(), key);
    if (place?.startsWith(PLACE)) tell(place.slice(PLACE.length), readThing<Kept>(userId(), place));
  });
}

// Only one tab sends a message at a time. Where browsers know no such locks, its key keeps it from being said twice.

const LOCK = "reelay.send.";
const here = new Set<string>();
const locks = (): LockManager | undefined => ("locks" in navigator ? navigator.locks : undefined);

/** Does `work` unless the message of this key is being sent already, here or in another tab. */
export async function alone(key: string, work: () => Promise<void>): Promise<void> {
  if (here.has(key)) return;
  here.add(key);
  try {
    const known = locks();
    if (known) await known.request(LOCK + key, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
    else await work();
  } finally {
    here.delete(key);
  }
}

/** The keys of what is being sent just now, in any tab. */
export async function underWay(): Promise<Set<string>> {
  const { held = [] } = (await locks()?.query()) ?? {};
  const names = held.map(({ name = "" }) => name).filter((name) => name.startsWith(LOCK));
  return new Set([...here, ...names.map((name) => name.slice(LOCK.length))]);
}
