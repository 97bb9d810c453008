// What the user has typed and not sent, kept in this browser so that a reload loses nothing.

const PREFIX = "reelay.draft.";

// Storage may be refused or full (private windows, policies); a draft is then simply not kept.
function attempt(action, otherwise) {
  try {
    return action(localStorage);
  } catch {
    return otherwise;
  }
}

const keyOf = (userId, place) => `${PREFIX}${userId}.${place}`;

export function readDraft(userId, place) {
  return attempt((storage) => storage.getItem(keyOf(userId, place)) ?? "", "");
}

export function writeDraft(userId, place, text) {
  const key = keyOf(userId, place);
  attempt((storage) => (text ? storage.setItem(key, text) : storage.removeItem(key)));
}

/** Signing out leaves nothing behind for whoever uses the browser next. */
export function forgetDrafts() {
  attempt((storage) => {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
  });
}
