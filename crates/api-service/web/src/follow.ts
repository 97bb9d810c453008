// Follows what matters just now: the conversation that is open, and every other one in which something is being
// made, so that its progress and its end are seen wherever the user is. The client does the following; this file
// says whom, and puts what it tells into the state.

import type { ConnectionState, ConversationUpdate, Follower } from "@reelay/client";
import { effect } from "@preact/signals";

import { log } from "./log";
import { generationsOf, runningOf, type State } from "./model/state";
import { isRunning } from "./model/status";
import { failureOf, server } from "./server";
import { dispatch, state } from "./store";

/** How many conversations beside the open one are followed at most. */
const ASIDE = 6;

const followers = new Map<string, Follower>();
/** Those beside the open one that could not be followed. */
const lost = new Set<string>();
/** How the news of each conversation come. */
const states = new Map<string, ConnectionState>();

/** The conversation that the address leads to. */
function openIn({ session, route, generations }: State): string | null {
  if (session.phase !== "signedIn") return null;
  if (route.name === "conversation") return route.id;
  return route.name === "video" ? (generations[route.id]?.conversationId ?? null) : null;
}

function wantedIn(current: State): Set<string> {
  const open = openIn(current);
  const wanted = new Set(open ? [open] : []);
  if (current.session.phase !== "signedIn") return wanted;
  for (const id of [...runningOf(current).keys()].reverse()) {
    if (wanted.size <= ASIDE && !lost.has(id)) wanted.add(id);
  }
  return wanted;
}

/** Follows from now on. */
export function followState(): void {
  effect(() => {
    const current = state.value;
    const wanted = wantedIn(current);
    queueMicrotask(() => {
      for (const [id, follower] of followers) if (!wanted.has(id)) drop(id, follower);
      for (const id of wanted) if (!followers.has(id)) begin(id);
      const open = openIn(state.peek());
      dispatch({ type: "connection.changed", push: open ? (states.get(open) ?? null) : null });
    });
  });
}

/** Reads the open conversation again. */
export function reload(): void {
  const open = openIn(state.peek());
  if (!open) return;
  drop(open, followers.get(open));
  begin(open);
}

function drop(id: string, follower: Follower | undefined): void {
  follower?.stop();
  followers.delete(id);
  states.delete(id);
}

function begin(id: string): void {
  const isOpen = () => openIn(state.peek()) === id;
  if (isOpen()) dispatch({ type: "thread.loading", id });
  const follower = server.followConversation(id, {
    update: (update) => take(id, update),
    connection(push) {
      states.set(id, push);
      if (isOpen()) dispatch({ type: "connection.changed", push });
      if (push === "polling") {
        for (const { id: generationId, status } of generationsOf(state.peek(), id)) {
          if (isRunning(status)) log("Polling started", { generationId, status });
        }
      }
    },
    failed(error) {
      // The open one stays in the map, so that it is not begun again by itself: `reload` does.
      if (isOpen()) return dispatch({ type: "thread.failed", id, error: failureOf(error) });
      lost.add(id);
      drop(id, follower);
    },
  });
  followers.set(id, follower);
}

function take(id: string, update: ConversationUpdate): void {
  if (update.type === "message") {
    dispatch({ type: "messages.received", id, messages: [update.message] });
  } else if (update.type === "generation") {
    const { generation } = update;
    log("Status update received", { generationId: generation.id, status: generation.status });
    dispatch({ type: "generations.received", generations: [generation] });
  } else {
    const { conversation, messages, generations } = update;
    dispatch({ type: "conversation.received", conversation });
    dispatch({ type: "messages.received", id, messages });
    dispatch({ type: "generations.received", generations });
    dispatch({ type: "thread.loaded", id });
  }
}
