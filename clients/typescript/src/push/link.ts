// What the channel expects of a transport. A link is one attempt: it opens, carries, ends once, and is thrown away.

/** One thing that the server said of a conversation. */
export interface Frame {
  conversationId: string;
  /** The cursor to resume from; `null` where the server gave none. */
  id: string | null;
  /** `message.created`, `generation.updated` or `resync`; `null` if only the cursor moved. */
  event: string | null;
  data: unknown;
}

/** What a link tells. Nothing is told any more after `ended` or after `close()`. */
export interface LinkEvents {
  /** It carries events from now on. */
  opened(): void;
  frame(frame: Frame): void;
  /** Anything at all was heard: the other side lives. */
  alive(): void;
  /** The conversation is not there (any more), or not this user's. */
  gone(conversationId: string): void;
  /** This link has no room for the conversation. */
  crowded(conversationId: string): void;
  /** The link is over; `status` is the HTTP status where one says why. */
  ended(status: number | null): void;
}

/** A conversation that is followed, and the cursor after which events are wanted. */
export interface Wanted {
  conversationId: string;
  cursor: string;
}

export interface Link {
  subscribe(wanted: Wanted): void;
  unsubscribe(conversationId: string): void;
  close(): void;
}

export interface Transport {
  name: "websocket" | "sse";
  /** Whether the other side says something at least every 15 s that a program can see. */
  beats: boolean;
  /** Opens a link for these conversations; `null` where this transport does not exist. */
  open(wanted: Wanted[], events: LinkEvents): Link | null;
}

/** The text's JSON, or `null` if it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
