// What push needs of the world around it: a clock, and signs that the network or the machine was away. Tests hand in
// worlds of their own.

export type Timer = unknown;

/** Time, and chance. */
export interface Clock {
  now(): number;
  setTimeout(run: () => void, delay: number): Timer;
  clearTimeout(timer: Timer): void;
  random(): number;
}

/** What a page can know of its network and of whether somebody looks at it. */
export interface Surroundings {
  /** Whether the machine believes that it has a network. */
  online(): boolean;
  /** Whether the page is hidden; timers are slow then, and a phone may stop them altogether. */
  hidden(): boolean;
  /** Calls back when any of this changes; returns how to stop. */
  onChange(changed: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, delay) => setTimeout(run, delay),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: Math.random,
};

/** The browser, or, where there is none, a machine that is always there. */
export const browserSurroundings: Surroundings = {
  // Node has a `navigator` as well, without this property.
  online: () => globalThis.navigator?.onLine !== false,
  hidden: () => globalThis.document?.hidden === true,
  onChange(changed) {
    const { document, window } = globalThis as Partial<typeof globalThis>;
    window?.addEventListener?.("online", changed);
    window?.addEventListener?.("offline", changed);
    document?.addEventListener("visibilitychange", changed);
    return () => {
      window?.removeEventListener?.("online", changed);
      window?.removeEventListener?.("offline", changed);
      document?.removeEventListener("visibilitychange", changed);
    };
  },
};
