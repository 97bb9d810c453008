// What is pushed, for all conversations that somebody follows: by WebSocket, by event streams where sockets do not get
// through, and, while neither does, not at all, which followers hear, so that they can poll. Remembers the cursor of
// each conversation, so a new connection goes on where the last one ended, and what was told is not told twice. What
// the events mean is not its business.

import { backoff } from "./backoff.js";
import type { Clock, Surroundings, Timer } from "./environment.js";
import type { Frame, Link, LinkEvents, Transport } from "./link.js";

/**
 * How news come: `live`, pushed; `connecting`, a connection is being made; `polling`, it could not be made, so news come
 * every few seconds; `offline`, there is no network.
 */
export type ConnectionState = "live" | "connecting" | "polling" | "offline";

/** Who follows a conversation. */
export interface Listener {
  event(event: string, data: unknown): void;
  /** Events were missed: read everything anew, and follow again from the cursor that was read. */
  resync(): void;
  /** How news of this conversation come now. */
  state(state: ConnectionState): void;
  /** Nothing more will come: the conversation is gone, or nobody is signed in. A read will say which. */
  refused(): void;
}

/** That somebody follows a conversation. */
export interface Following {
  /** Others follow it already and have heard more than what was read: read once more. */
  joined: boolean;
  /** Follow it on from here, after a resync was answered with a read. */
  resume(cursor: string): void;
  stop(): void;
}

export interface ChannelOptions {
  /** In the order of preference. */
  transports: Transport[];
  clock: Clock;
  surroundings: Surroundings;
  /** Reads the cursor of a conversation's last event. */
  lastCursor: (conversationId: string) => Promise<string>;
}

/** A link that ends sooner, having said nothing, did not work. */
const USEFUL = 5_000;
/** How often a transport may fail in a row before the next one is tried. */
const PATIENCE = 2;
/** After a second choice served for so long, the first one gets a new chance. */
const SERVED = 60_000;
/** How soon to try again when no transport works. Polling covers the time. */
const RETRY_ALL = 20_000;
/** How long a link may be silent. The service says something every 15 s. */
const SILENCE = 45_000;
/** How long an event that exists may be under way before its link counts as dead. */
const GRACE = 2_000;
/** How often the link is looked at. */
const LOOK = 5_000;
/** Whoever was away for so long beyond that has slept, and its connections with it. */
const SLEPT = 15_000;

interface Followed {
  conversationId: string;
  cursor: string;
  listeners: Set<Listener>;
  /** Whether the link carries it. */
  carried: boolean;
  /** The last word was a resync with nothing to follow it. */
  stale: boolean;
  told: ConnectionState | null;
}

export type Channel = ReturnType<typeof createChannel>;

export function createChannel({ transports, clock, surroundings, lastCursor }: ChannelOptions) {
  const followed = new Map<string, Followed>();
  const failures = transports.map(() => 0);
  /** Which transport is in use. */
  let chosen = 0;
  let link: Link | null = null;
  let open = false;
  /** The most preferred transport that has brought something; if it fails later, the service was away. */
  let proven = transports.length;
  /** No transport works, as far as is known. */
  let hopeless = false;
  /** The last link was told that nobody is signed in, and had not served before. */
  let denied = false;
  let attempt = 0;
  /** Which link is in charge; what an earlier one still says is not heard. */
  let turn = 0;
  let retry: Timer | null = null;
  let look: Timer | null = null;
  let lookedAt = 0;
  let openedAt = 0;
  let reachedAt = -Infinity;
  let heardAt = 0;
  let hiddenAt: number | null = null;
  let probing = false;
  let ignore: (() => void) | null = null;

  // --- What followers are told.

  function stateOf({ carried, stale }: Followed): ConnectionState {
    if (!surroundings.online()) return "offline";
    if (open) return carried && !stale ? "live" : "polling";
    return hopeless ? "polling" : "connecting";
  }

  function tellStates() {
    for (const one of [...followed.values()]) {
      const state = stateOf(one);
      if (one.told === state) continue;
      one.told = state;
      for (const listener of [...one.listeners]) listener.state(state);
    }
  }

  // --- The link.

  function connect() {
    stopRetry();
    dropLink();
    if (followed.size === 0 || !surroundings.online()) return tellStates();
    const mine = turn;
    const transport = transports[chosen];
    if (!transport) return;
    denied = false;
    const startedAt = clock.now();
    heardAt = startedAt;
    let useful = false;
    const alive = () => {
      heardAt = clock.now();
      useful = true;
    };
    const inCharge = (run: () => void) => {
      if (turn === mine) run();
    };
    for (const one of followed.values()) {
      one.carried = true;
      one.stale = false;
    }
    const events: LinkEvents = {
      opened: () =>
        inCharge(() => {
          open = true;
          hopeless = false;
          reachedAt = -Infinity;
          openedAt = heardAt = clock.now();
          tellStates();
        }),
      alive: () => inCharge(alive),
      frame: (frame) =>
        inCharge(() => {
          alive();
          attempt = 0;
          failures[chosen] = 0;
          proven = Math.min(proven, chosen);
          take(frame);
        }),
      gone: (conversationId) => inCharge(() => refuse(conversationId)),
      crowded: (conversationId) =>
        inCharge(() => {
          const one = followed.get(conversationId);
          if (one) one.carried = false;
          tellStates();
        }),
      ended: (status) =>
        inCharge(() => {
          const served = open ? clock.now() - startedAt : 0;
          // The word that nobody is signed in is no use.
          const worked = (useful && status !== 401) || served >= USEFUL;
          dropLink();
          if (worked) attempt = 0;
          failures[chosen] = worked ? 0 : (failures[chosen] ?? 0) + 1;
          if (chosen > 0 && served >= SERVED) giveFirstAChance();
          if (status === 401) return signedOut(worked);
          retry = clock.setTimeout(connect, nextDelay());
          tellStates();
        }),
    };
    // A transport may tell of things while it opens, before its link is in hand.
    const opening = transport.open([...followed.values()], events);
    if (turn !== mine) return void opening?.close();
    link = opening;
    if (!opening) {
      failures[chosen] = PATIENCE;
      retry = clock.setTimeout(connect, nextDelay());
    }
    tellStates();
  }

  /**
   * Nobody is signed in, as far as the link knows. Whoever followed reads, which says whether that is so, and follows
   * again if somebody is: at once after a session that ended; where the link was denied from the beginning, it is
   * taken for one that does not work, since what the read could show may not get through on it.
   */
  function signedOut(worked: boolean) {
    denied = !worked;
    for (const conversationId of [...followed.keys()]) refuse(conversationId);
  }

  function giveFirstAChance() {
    chosen = 0;
    failures[0] = PATIENCE - 1;
  }

  function nextDelay(): number {
    if ((failures[chosen] ?? 0) < PATIENCE) return backoff(attempt++, clock.random);
    failures[chosen] = 0;
    chosen = (chosen + 1) % transports.length;
    if (chosen > 0) return 0;
    hopeless = true;
    return RETRY_ALL * (0.75 + clock.random() / 2);
  }

  function dropLink() {
    turn += 1;
    open = false;
    link?.close();
    link = null;
  }

  function stopRetry() {
    if (retry !== null) clock.clearTimeout(retry);
    retry = null;
  }

  // --- What the link says.

  function take({ conversationId, id, event, data }: Frame) {
    const one = followed.get(conversationId);
    if (!one) return;
    if (event === "resync") {
      // The cursor that goes with it may also be smaller: the service came back from a backup.
      if (id === null) one.stale = true;
      else one.cursor = id;
      tellStates();
      for (const listener of [...one.listeners]) listener.resync();
      return;
    }
    if (id !== null) {
      if (!isAfter(id, one.cursor)) return;
      one.cursor = id;
    }
    if (event === null) return;
    for (const listener of [...one.listeners]) listener.event(event, data);
  }

  function refuse(conversationId: string) {
    const one = followed.get(conversationId);
    if (!one) return;
    for (const listener of [...one.listeners]) {
      listener.refused();
      leave(one, listener);
    }
  }

  // --- Whether it is still alive.

  function watch() {
    if (look !== null) return;
    lookedAt = clock.now();
    look = clock.setTimeout(lookAt, LOOK);
    ignore ??= surroundings.onChange(changed);
  }

  function unwatch() {
    if (look !== null) clock.clearTimeout(look);
    look = null;
    ignore?.();
    ignore = null;
  }

  function lookAt() {
    look = null;
    const now = clock.now();
    // The timers of a hidden page are slow without its having slept.
    const slept = now - lookedAt > LOOK + SLEPT && !surroundings.hidden();
    watch();
    if (slept) return kick();
    if (open && chosen > proven && now - openedAt >= SERVED) return kick();
    if (!open || now - heardAt < SILENCE) return;
    if (transports[chosen]?.beats) return kick();
    void probe();
  }

  /** A socket can die without a sign. If there are events that it should have brought, it is dead. */
  async function probe() {
    const one = [...followed.values()].find(({ carried, stale }) => carried && !stale);
    if (!one || probing) return;
    probing = true;
    const mine = turn;
    try {
      const last = await lastCursor(one.conversationId);
      if (turn !== mine) return;
      heardAt = clock.now();
      if (!isAfter(last, one.cursor)) return;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, GRACE));
      if (turn === mine && isAfter(last, one.cursor)) kick();
    } catch {
      if (turn === mine) kick();
    } finally {
      probing = false;
    }
  }

  function changed() {
    if (surroundings.hidden()) {
      hiddenAt ??= clock.now();
    } else if (hiddenAt !== null) {
      const away = clock.now() - hiddenAt;
      hiddenAt = null;
      if (away > SLEPT) return kick();
    }
    const told = [...followed.values()].some((one) => one.told === "offline");
    if (!surroundings.online()) {
      stopRetry();
      dropLink();
      tellStates();
    } else if (told) kick();
  }

  /** Connects anew from the cursors, at once: the network is back, or the link is suspected to be dead. */
  function kick() {
    attempt = 0;
    hopeless = false;
    chosen = Math.min(chosen, proven);
    failures[chosen] = 0;
    connect();
  }

  // --- Who follows.

  function carry(one: Followed) {
    one.carried = true;
    one.stale = false;
    link?.subscribe(one);
    tellStates();
  }

  function leave(one: Followed, listener: Listener) {
    if (!one.listeners.delete(listener) || one.listeners.size > 0) return;
    if (followed.get(one.conversationId) !== one) return;
    followed.delete(one.conversationId);
    if (followed.size > 0) {
      link?.unsubscribe(one.conversationId);
      const waiting = [...followed.values()].find(({ carried }) => !carried);
      if (waiting) carry(waiting);
      return;
    }
    stopRetry();
    dropLink();
    unwatch();
    attempt = 0;
  }

  return {
    /** Follows a conversation from a cursor that was read before. */
    follow(conversationId: string, cursor: string, listener: Listener): Following {
      const known = followed.get(conversationId);
      const one = known ?? {
        conversationId,
        cursor,
        listeners: new Set<Listener>(),
        carried: true,
        stale: false,
        told: null,
      };
      followed.set(conversationId, one);
      one.listeners.add(listener);
      watch();
      const joined = isAfter(one.cursor, cursor);
      if (!link && retry === null) retry = clock.setTimeout(connect, denied ? nextDelay() : 0);
      if (!known) carry(one);
      else if (one.told !== null) listener.state(one.told);
      return {
        joined,
        stop: () => leave(one, listener),
        resume(from) {
          if (!one.stale || followed.get(conversationId) !== one) return;
          one.cursor = from;
          carry(one);
        },
      };
    },
    /** The service was reached again after it was away: if the channel is waiting, it need not. */
    reached() {
      if (followed.size === 0 || open || retry === null) return;
      // Where nothing can be pushed although the service can be reached, this is heard again and again.
      if (clock.now() - reachedAt < RETRY_ALL) return;
      reachedAt = clock.now();
      kick();
    },
    /** Somebody else is asking from now on, or the same one in a new session. */
    renewed() {
      denied = false;
      hopeless = false;
      if (followed.size > 0) kick();
    },
  };
}

/** Whether a cursor comes after another. They count; whatever else they may become, a different one is news. */
function isAfter(one: string, other: string): boolean {
  const counted = /^\d+$/.test(one) && /^\d+$/.test(other);
  return counted ? BigInt(one) > BigInt(other) : one !== other;
}
