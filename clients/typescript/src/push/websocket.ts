// The first choice: one socket for all conversations.

import type { Clock, Timer } from "./environment.js";
import { parse, type LinkEvents, type Transport, type Wanted } from "./link.js";

/** How long opening may take, in milliseconds. */
const OPENING = 8_000;

/** The part of a browser's WebSocket that is used. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface WebSocketOptions {
  /** The address, `ws:` or `wss:`. */
  url: () => string;
  /** The token for the first frame; `null` where the cookie says who is asking. */
  token: () => Promise<string | null>;
  /** `undefined` where there are no WebSockets. */
  connect: ((url: string) => Socket) | undefined;
  clock: Clock;
}

interface Told {
  id?: string | number | null;
  event?: string;
  data?: { conversationId?: string } | null;
  error?: { code?: string; conversationId?: string };
}

export function webSocketTransport({ url, token, connect, clock }: WebSocketOptions): Transport {
  return {
    name: "websocket",
    // The server's pings are answered by the browser and shown to nobody.
    beats: false,
    open(wanted, events) {
      return connect ? openSocket(connect, wanted, events) : null;
    },
  };

  function openSocket(start: (url: string) => Socket, first: Wanted[], events: LinkEvents) {
    const wanted = new Map(first.map((one) => [one.conversationId, one]));
    let socket: Socket | null = null;
    let open = false;
    let over = false;
    const hurry: Timer = clock.setTimeout(() => finish(null), OPENING);

    function leave() {
      over = true;
      clock.clearTimeout(hurry);
      if (!socket) return;
      socket.onopen = socket.onmessage = socket.onclose = null;
      // A socket that is closed while it opens reports an error, which nobody has to hear of.
      socket.onerror = () => {};
      socket.close();
    }

    function finish(status: number | null) {
      if (over) return;
      leave();
      events.ended(status);
    }

    function say(what: object) {
      socket?.send(JSON.stringify(what));
    }

    function subscribe({ conversationId, cursor }: Wanted) {
      say({ subscribe: conversationId, after: cursor });
    }

    function hear(text: string) {
      const told = parse(text) as Told | null;
      if (over) return;
      events.alive();
      if (told?.error) return refused(told.error);
      const conversationId = told?.data?.conversationId;
      if (!told?.event || !conversationId) return;
      const id = told.id === null || told.id === undefined ? null : String(told.id);
      events.frame({ conversationId, id, event: told.event, data: told.data });
    }

    function refused({ code, conversationId }: NonNullable<Told["error"]>) {
      if (code === "unauthenticated") finish(401);
      else if (conversationId && code === "not_found") events.gone(conversationId);
      else if (conversationId && code === "too_many_listeners") events.crowded(conversationId);
      else finish(null);
    }

    token().then(
      (bearer) => {
        if (over) return;
        try {
          socket = start(url());
        } catch {
          // A policy of the page may forbid sockets, which a browser says by throwing.
          return finish(null);
        }
        socket.onopen = () => {
          clock.clearTimeout(hurry);
          open = true;
          if (bearer !== null) say({ auth: bearer });
          for (const one of wanted.values()) subscribe(one);
          events.opened();
        };
        socket.onmessage = ({ data }: { data: string }) => hear(data);
        socket.onclose = () => finish(null);
        socket.onerror = () => finish(null);
      },
      () => finish(null),
    );

    return {
      subscribe(one: Wanted) {
        wanted.set(one.conversationId, one);
        if (open && !over) subscribe(one);
      },
      unsubscribe(conversationId: string) {
        wanted.delete(conversationId);
        if (open && !over) say({ unsubscribe: conversationId });
      },
      close: leave,
    };
  }
}
