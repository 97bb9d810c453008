// Keeps the open conversation up to date: loads it, listens from the cursor it was loaded at, polls while
// nothing listens, and loads anew when told that something may have been missed.

import { backoff } from "./backoff.js";
import { openChannel } from "./channel.js";
import { log } from "./log.js";
import { createPoller } from "./poller.js";
import { generationsOf } from "./state.js";
import { isRunning } from "./status.js";

/** A listener that has heard nothing for so long, while something is being made, is checked by one question. */
const SUSPICIOUS = 20_000;
/** A tab that was hidden for so long may have slept, and its connection with it. */
const SLEPT = 15_000;

/** Follows conversation `id` until `stop()`. */
export function followConversation({ id, store, api }) {
  const abort = new AbortController();
  const { signal } = abort;
  let channel = null;
  let tail = null;
  let heardAt = Date.now();
  let asking = false;
  let tries = 0;
  let again = null;

  const stopped = () => signal.aborted;
  const running = () => generationsOf(store.get(), id).filter(({ status }) => isRunning(status));
  const poller = createPoller({ fetchStatus: api.status, onSnapshot: takeSnapshot });

  async function load() {
    clearTimeout(again);
    channel?.close();
    channel = null;
    store.dispatch({ type: "thread.loading", id });
    try {
      const conversation = await api.conversation(id, { signal });
      store.dispatch({ type: "conversation.received", conversation });
      // Listening begins at the cursor that was read first, so nothing falls between it and what is read now.
      listen(conversation.eventsCursor ?? null);
      await Promise.all([loadMessages(null), loadGenerations()]);
      if (stopped()) return;
      tries = 0;
      store.dispatch({ type: "thread.loaded", id });
    } catch (error) {
      if (stopped()) return;
      store.dispatch({ type: "thread.failed", id, error });
      if (error.status === 0 || error.status >= 500) again = setTimeout(load, 2 * backoff(tries++));
    }
  }

  async function loadMessages(from) {
    for await (const { items, cursor } of api.messages(id, { cursor: from, signal })) {
      tail = cursor;
      if (!stopped()) store.dispatch({ type: "messages.received", id, messages: items });
    }
  }

  async function loadGenerations() {
    for await (const { items } of api.generations(id, { signal })) {
      if (!stopped()) store.dispatch({ type: "generations.received", generations: items });
    }
  }

  function listen(cursor) {
    if (stopped()) return;
    channel?.close();
    let caughtUp = cursor !== null;
    channel = openChannel({
      conversationId: id,
      cursor,
      on: {
        event: takeEvent,
        resync: load,
        transport(transport) {
          heardAt = Date.now();
          store.dispatch({ type: "connection.changed", transport });
          if (transport) store.dispatch({ type: "network.changed", unreachable: false });
          // Without a cursor a listener starts from now: what happened while it connected has to be read.
          if (transport && !caughtUp) {
            caughtUp = true;
            catchUp();
          }
        },
        refused(status) {
          if (status === 404) load();
          if (status === 401) api.conversation(id).catch(() => {});
        },
      },
    });
  }

  function takeEvent({ event, data }) {
    heardAt = Date.now();
    if (event === "message.created" && data?.message) {
      store.dispatch({ type: "messages.received", id: data.conversationId ?? id, messages: [data.message] });
    }
    if (event === "generation.updated" && data?.generation) {
      const { generation } = data;
      log("Status update received", { generationId: generation.id, status: generation.status });
      store.dispatch({ type: "generations.received", generations: [generation] });
    }
  }

  /** A status answer is only a part of the generation and tells of no message, so news are read in full. */
  function takeSnapshot(snapshot) {
    log("Status update received", { generationId: snapshot.id, status: snapshot.status });
    const before = store.get().generations[snapshot.id];
    store.dispatch({ type: "status.received", snapshot });
    const after = store.get().generations[snapshot.id];
    if (after !== before) readInFull(snapshot.id, after.status !== before?.status);
    return after !== before;
  }

  async function readInFull(generationId, withMessages) {
    const reads = [
      api.generation(generationId).then((generation) => {
        if (!stopped()) store.dispatch({ type: "generations.received", generations: [generation] });
      }),
    ];
    if (withMessages) reads.push(loadMessages(tail));
    await Promise.allSettled(reads);
  }

  function catchUp() {
    return Promise.allSettled([loadMessages(tail), loadGenerations()]);
  }

  /** Polls what is being made while nothing listens. */
  function watch() {
    if (stopped()) return;
    const { connection, session } = store.get();
    const deaf = connection.transport === null || connection.transport === "polling";
    const toPoll = deaf && session.phase === "signedIn" && !connection.offline ? running() : [];
    poller.watch(toPoll);
    if (toPoll.length > 0) store.dispatch({ type: "connection.changed", transport: "polling" });
  }

  /** A connection can die without a sign. If a question brings what it should have brought, it is dead. */
  async function suspect() {
    const silent = Date.now() - heardAt > SUSPICIOUS;
    const [generation] = running();
    if (!silent || asking || !generation || !channel || store.get().connection.transport === "polling")
      return;
    asking = true;
    try {
      const { snapshot } = await api.status(generation.id, null, signal);
      heardAt = Date.now();
      if (snapshot && takeSnapshot(snapshot)) channel?.kick();
    } catch {
      // The next round asks again.
    } finally {
      asking = false;
    }
  }

  let hiddenAt = null;
  function seen() {
    if (document.hidden) hiddenAt = Date.now();
    else if (hiddenAt && Date.now() - hiddenAt > SLEPT) channel?.kick();
  }
  const online = () => (channel ? channel.kick() : load());

  document.addEventListener("visibilitychange", seen, { signal });
  window.addEventListener("online", online, { signal });
  const unsubscribe = store.subscribe(watch);
  const timer = setInterval(suspect, 5_000);
  load();

  return {
    reload: load,
    stop() {
      abort.abort();
      unsubscribe();
      clearInterval(timer);
      clearTimeout(again);
      channel?.close();
      poller.watch([]);
      store.dispatch({ type: "connection.changed", transport: null });
    },
  };
}
