// A world that does only what a test says: its clock stands still until time is let pass, its network is made of links
// that the test holds in its hands.

import type { ConnectionState, Listener } from "../src/push/channel.js";
import type { Clock, Surroundings } from "../src/push/environment.js";
import type { LinkEvents, Transport, Wanted } from "../src/push/link.js";

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  time = 1_000_000;
  private readonly timers = new Map<number, { run: () => void; due: number }>();
  private count = 0;

  now = () => this.time;
  /** The full delay, so that tests can count. */
  random = () => 1;

  setTimeout = (run: () => void, delay: number) => {
    this.count += 1;
    this.timers.set(this.count, { run, due: this.time + delay });
    return this.count;
  };

  clearTimeout = (timer: unknown) => void this.timers.delete(timer as number);

  get waiting() {
    return this.timers.size;
  }

  /** Lets time pass, and runs what comes due, in order. */
  async pass(time: number): Promise<void> {
    const end = this.time + time;
    for (;;) {
      await settle();
      const next = [...this.timers].filter(([, { due }]) => due <= end).sort(([, a], [, b]) => a.due - b.due)[0];
      if (!next) break;
      const [id, { run, due }] = next;
      this.timers.delete(id);
      this.time = Math.max(this.time, due);
      run();
    }
    this.time = end;
    await settle();
  }

  /** The machine sleeps: the time is gone, and no timer ran meanwhile. */
  sleep(time: number) {
    this.time += time;
  }
}

export class FakeSurroundings implements Surroundings {
  private readonly listeners = new Set<() => void>();
  constructor(
    private isOnline = true,
    private isHidden = false,
  ) {}

  online = () => this.isOnline;
  hidden = () => this.isHidden;
  onChange = (changed: () => void) => {
    this.listeners.add(changed);
    return () => void this.listeners.delete(changed);
  };

  get watchers() {
    return this.listeners.size;
  }

  set({ online = this.isOnline, hidden = this.isHidden }) {
    this.isOnline = online;
    this.isHidden = hidden;
    for (const tell of [...this.listeners]) tell();
  }
}

export class FakeLink {
  closed = false;
  readonly subscribed: Wanted[] = [];
  readonly unsubscribed: string[] = [];

  constructor(
    readonly transport: string,
    readonly wanted: Wanted[],
    readonly events: LinkEvents,
  ) {}

  /** Brings an event, as the server words it. */
  tell(id: string | null, event: string | null = "generation.updated", data: unknown = id, conversationId = "conv_1") {
    this.events.frame({ conversationId, id, event, data });
  }

  /** The cursors that it was opened with. */
  get cursors() {
    return Object.fromEntries(this.wanted.map(({ conversationId, cursor }) => [conversationId, cursor]));
  }
}

/** Transports whose links the test opens, feeds and ends. */
export function fakeTransports() {
  const links: FakeLink[] = [];
  const make = (name: "websocket" | "sse", beats: boolean): Transport => ({
    name,
    beats,
    open(wanted, events) {
      const link = new FakeLink(
        name,
        wanted.map(({ conversationId, cursor }) => ({ conversationId, cursor })),
        events,
      );
      links.push(link);
      return {
        subscribe: ({ conversationId, cursor }) => link.subscribed.push({ conversationId, cursor }),
        unsubscribe: (conversationId) => link.unsubscribed.push(conversationId),
        close: () => (link.closed = true),
      };
    },
  });
  return {
    links,
    transports: [make("websocket", false), make("sse", true)],
    last(): FakeLink {
      const link = links.at(-1);
      if (!link) throw new Error("no link was opened");
      return link;
    },
  };
}

/** A follower that writes down what it is told. */
export function recorder() {
  const heard = {
    events: [] as unknown[],
    states: [] as ConnectionState[],
    resyncs: 0,
    refused: 0,
  };
  const listener: Listener = {
    event: (_event, data) => heard.events.push(data),
    state: (state) => heard.states.push(state),
    resync: () => (heard.resyncs += 1),
    refused: () => (heard.refused += 1),
  };
  return { heard, listener };
}
