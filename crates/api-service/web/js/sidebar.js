// The list of conversations, and who is signed in.

import { h, icon, iconButton, keyedChildren, set, setText } from "./dom.js";
import { day } from "./format.js";
import { conversationHref, homeHref } from "./routes.js";
import { conversationsOf } from "./state.js";
import { brandMark } from "./topbar.js";

/** `close()` closes the drawer that the list is on a narrow screen. */
export function createSidebar({ actions, close }) {
  const list = h("ul", { class: "conversations" });
  const updateList = keyedChildren(list, () => createEntry());
  const note = h("p", { class: "sidebar-note" });
  const retry = h(
    "button",
    { type: "button", class: "button small", on: { click: () => actions.loadConversations() } },
    "Try again",
  );
  const older = h("button", { type: "button", class: "button small" }, "Show older");
  const problem = h("p", { class: "field-error", role: "alert", hidden: true });
  const name = h("strong");
  const email = h("span", { class: "muted" });
  const newVideo = h(
    "a",
    { class: "button new", href: homeHref, on: { click: close } },
    icon("plus"),
    "New video",
  );
  let cursor = null;
  older.addEventListener("click", () => actions.loadConversations(cursor));

  async function signOut() {
    problem.hidden = true;
    try {
      await actions.signOut();
    } catch (error) {
      problem.hidden = false;
      setText(problem, error.detail);
    }
  }

  const el = h(
    "aside",
    { class: "sidebar", "aria-label": "Conversations" },
    h(
      "div",
      { class: "sidebar-head" },
      h(
        "a",
        { class: "brand-link", href: homeHref, "aria-label": "Reelay, start", on: { click: close } },
        brandMark(),
      ),
      iconButton("close", "Close the list", close, { class: "icon-button only-narrow" }),
    ),
    newVideo,
    h("nav", { class: "sidebar-list", "aria-label": "Your conversations" }, list, note, retry, older),
    problem,
    h(
      "div",
      { class: "account" },
      h("div", { class: "account-who" }, name, email),
      iconButton("out", "Sign out", signOut),
    ),
  );

  return {
    el,
    focus: () => newVideo.focus(),
    update(state) {
      const { phase, nextCursor, error } = state.conversations;
      const conversations = conversationsOf(state);
      const now = new Date();
      const open = state.route.name === "conversation" ? state.route.id : null;
      updateList(
        conversations.map((conversation) => ({ key: conversation.id, conversation })),
        open,
        now,
      );
      cursor = nextCursor;
      older.hidden = !nextCursor || phase === "failed";
      retry.hidden = phase !== "failed";
      note.hidden = phase === "ready" && conversations.length > 0;
      const empty = phase === "ready" ? "Your conversations will be listed here." : "Loading…";
      setText(note, phase === "failed" ? error.detail : conversations.length > 0 ? "" : empty);
      setText(name, state.session.user?.name || "Signed in");
      setText(email, state.session.user?.email ?? "");
    },
  };
}

function createEntry() {
  const title = h("span", { class: "entry-title" });
  const when = h("time", { class: "entry-time" });
  const link = h("a", { class: "entry" }, title, when);
  return {
    el: h("li", {}, link),
    update({ conversation }, open, now) {
      set(link, "href", conversationHref(conversation.id));
      set(link, "aria-current", conversation.id === open ? "page" : null);
      setText(title, conversation.title || "Untitled");
      set(when, "datetime", conversation.createdAt);
      setText(when, day(conversation.createdAt, now));
    },
  };
}
