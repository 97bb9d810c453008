// What the user has typed and not sent, kept in this browser so that a reload loses nothing.

const PREFIX = "reelay.draft.";

// Storage may be refused or full (private windows, policies); a draft is then simply not kept.
function attempt<T>(action: (storage: Storage) => T, otherwise: T): T {
  try {
    return action(localStorage);
  } catch {
    return otherwise;
  }
}

/** Where that is kept which is to begin a conversation. */
export const BEGINNING = "new";

/** Where the pictures are kept beside the words at `place`. */
export const picturesPlace = (place: string) => `${place}.pictures`;

/** Where the words of a generation are kept that its yes is to be for. */
export const wordsPlace = (generationId: string) => `words.${generationId}`;

/** Where answers to its questions are kept that are not told yet. */
export const answersPlace = (generationId: string) => `answers.${generationId}`;

const keyOf = (userId: string, place: string) => `${PREFIX}${userId}.${place}`;

export function readDraft(userId: string, place: string): string {
  return attempt((storage) => storage.getItem(keyOf(userId, place)) ?? "", "");
}

export function writeDraft(userId: string, place: string, text: string): void {
  const key = keyOf(userId, place);
  attempt((storage) => (text ? storage.setItem(key, text) : storage.removeItem(key)), undefined);
}

/** Something with more to it than words, as JSON; `null` if there is none or it cannot be read. */
export function readThing<T>(userId: string, place: string): T | null {
  try {
    return JSON.parse(readDraft(userId, place) || "null") as T | null;
  } catch {
    return null;
  }
}

export function writeThing(userId: string, place: string, thing: unknown): void {
  writeDraft(userId, place, thing ? JSON.stringify(thing) : "");
}

/** The places of a user's that begin with `prefix`. */
export function keysUnder(userId: string, prefix: string): string[] {
  const keys = attempt((storage) => Object.keys(storage), []);
  return keys.flatMap((key) => {
    const place = placeOf(userId, key);
    return place?.startsWith(prefix) ? [place] : [];
  });
}

/** The place that a key of the storage is; `null` if it is none of this user's. */
export function placeOf(userId: string, key: string): string | null {
  const own = keyOf(userId, "");
  return key.startsWith(own) ? key.slice(own.length) : null;
}

/** Signing out leaves nothing behind for whoever uses the browser next. */
export function forgetDrafts(): void {
  attempt((storage) => {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
  }, undefined);
}
