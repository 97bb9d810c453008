// What the user can do. Each action asks the server and puts the answer, or the error, into the state; none
// touches the document.

import { newKey } from "./api.js";
import { forgetDrafts } from "./drafts.js";
import { shorten } from "./format.js";
import { conversationHref, homeHref } from "./routes.js";

export function createActions({ store, api, go }) {
  const { dispatch } = store;
  /** The keys of wishes whose outcome is unknown, so that asking again cannot do it twice. */
  const keys = new Map();

  /** Runs `call(key)`. The key is used again until the server has given a definite answer. */
  async function once(wish, call) {
    const key = keys.get(wish) ?? newKey();
    keys.set(wish, key);
    try {
      const answer = await call(key);
      keys.delete(wish);
      return answer;
    } catch (error) {
      const refused = error.status >= 400 && error.status < 500;
      // The first sending may still be at work; with another key this one would be a second wish.
      if (refused && !/in_flight|in_progress/.test(error.code)) keys.delete(wish);
      throw error;
    }
  }

  async function enter(call) {
    const { user } = await call;
    dispatch({ type: "session.known", user });
  }

  async function loadConversations(cursor = null) {
    dispatch({ type: "conversations.loading" });
    try {
      dispatch({ type: "conversations.loaded", ...(await api.conversations(cursor)) });
    } catch (error) {
      dispatch({ type: "conversations.failed", error });
    }
  }

  async function send(id, content, key = newKey()) {
    const pending = { key, content, createdAt: new Date().toISOString() };
    dispatch({ type: "send.started", id, pending });
    try {
      dispatch({ type: "send.done", id, key, ...(await api.sendMessage(id, content, key)) });
    } catch (error) {
      dispatch({ type: "send.failed", id, key, error });
    }
  }

  /** Something asked of one generation; its card shows that it is under way, and what came of it. */
  async function deed(generation, name, details, call) {
    const { id } = generation;
    if (store.get().deeds[id]?.busy) return;
    dispatch({ type: "deed.started", id, name, status: generation.status });
    try {
      const answer = await once(`${name} ${id} ${JSON.stringify(details)}`, call);
      dispatch({ type: "generations.received", generations: [answer] });
      dispatch({ type: "deed.done", id });
    } catch (error) {
      dispatch({ type: "deed.failed", id, error });
      // Somebody was faster: another tab, or the worker. What is so now says more than the refusal.
      if (error.status === 409) await refresh(id);
    }
  }

  async function refresh(id) {
    try {
      dispatch({ type: "generations.received", generations: [await api.generation(id)] });
    } catch {
      // The refusal stays on the card; the channel or the next load brings the rest.
    }
  }

  return {
    /** These two throw an `ApiError`, which the form shows. */
    register: (body) => enter(api.register(body)),
    signIn: (body) => enter(api.login(body)),
    async signOut() {
      try {
        await api.logout();
      } catch (error) {
        if (error.status === 0) throw error;
      }
      forgetDrafts();
      keys.clear();
      dispatch({ type: "session.known", user: null });
      go(homeHref);
    },

    loadConversations,
    /** Makes a conversation of its first message. Throws an `ApiError` if there is none made. */
    async startConversation(content) {
      const body = { title: shorten(content, 60) };
      const conversation = await once(`start ${content}`, (key) => api.createConversation(body, key));
      dispatch({ type: "conversation.received", conversation });
      go(conversationHref(conversation.id));
      await send(conversation.id, content);
    },
    /** These two throw an `ApiError`, which their dialog shows. */
    async renameConversation(id, title) {
      const conversation = await api.renameConversation(id, title);
      dispatch({ type: "conversation.received", conversation: conversation ?? { id, title } });
    },
    async deleteConversation(id) {
      try {
        await api.deleteConversation(id);
      } catch (error) {
        if (error.status !== 404) throw error;
      }
      dispatch({ type: "conversation.removed", id });
      go(homeHref);
    },

    send: (id, content) => send(id, content),
    resend: (id, pending) => send(id, pending.content, pending.key),
    dropUnsent: (id, key) => dispatch({ type: "send.dropped", id, key }),

    clarify: (generation, responses) =>
      deed(generation, "clarify", responses, (key) => api.clarify(generation.id, responses, key)),
    /** The yes is to what the card shows: this price, and these words. */
    confirm: (generation, enhancedPrompt) => {
      const body = { estimatedCost: generation.estimatedCost ?? undefined, enhancedPrompt };
      return deed(generation, "confirm", body, (key) => api.confirm(generation.id, body, key));
    },
    /** Goes along with whatever else is asked of the generation: a yes that is on its way has these words, too. */
    async reword(generation, enhancedPrompt) {
      const { id, status } = generation;
      try {
        const answer = await api.reword(id, enhancedPrompt);
        dispatch({ type: "generations.received", generations: [answer] });
      } catch (error) {
        if (error.status === 409) await refresh(id);
        else if (!store.get().deeds[id]?.busy) {
          dispatch({ type: "deed.started", id, name: "reword", status });
          dispatch({ type: "deed.failed", id, error });
        }
      }
    },
    cancel: (generation) => deed(generation, "cancel", null, (key) => api.cancel(generation.id, key)),
    retry: (generation) => deed(generation, "retry", null, (key) => api.retry(generation.id, key)),
  };
}
