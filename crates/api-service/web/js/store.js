// Holds the state and tells its listeners, once for a burst of changes.

/** `reduce(state, action)` must be pure and return the same object if nothing changed. */
export function createStore(reduce, initial) {
  let state = initial;
  let told = true;
  const listeners = new Set();

  const tell = () => {
    told = true;
    for (const listener of [...listeners]) listener(state);
  };

  return {
    get: () => state,
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state === before || !told) return;
      told = false;
      queueMicrotask(tell);
    },
    /** Returns the function that ends the subscription. */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
