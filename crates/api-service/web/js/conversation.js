// One conversation: what was said, the cards of its videos, and where to write.

import { announce } from "./announcer.js";
import { createCard } from "./card.js";
import { createComposer } from "./composer.js";
import { ask } from "./dialog.js";
import { h, icon, iconButton, keyedChildren, set, setText, touch } from "./dom.js";
import { shorten } from "./format.js";
import { createMessage, createPending } from "./message.js";
import { homeHref } from "./routes.js";
import { threadOf, timelineOf } from "./state.js";
import { topbar } from "./topbar.js";

/** How near to the end counts as reading along. */
const NEAR = 120;

export function createConversation({ id, store, actions, openDrawer, user, reload }) {
  const live = createIndicator();
  const bar = topbar({
    openDrawer,
    title: "",
    buttons: [live.el, iconButton("pencil", "Rename", rename), iconButton("trash", "Delete", remove)],
  });
  const list = h("ol", { class: "timeline", "aria-label": "Messages" });
  const makers = {
    message: createMessage,
    pending: () =>
      createPending({
        resend: (pending) => actions.resend(id, pending),
        edit(pending) {
          actions.dropUnsent(id, pending.key);
          composer.fill([pending.content, composer.text()].filter(Boolean).join("\n"));
        },
      }),
    generation: () => createCard({ actions }),
  };
  const updateList = keyedChildren(list, (item) => makers[item.kind](item));
  const typing = h("p", { class: "typing", hidden: true }, h("span"), h("span"), h("span"));
  const status = createThreadStatus({ reload });
  const scroller = h(
    "div",
    // Focusable, so that the keyboard can scroll it.
    {
      class: "scroller",
      tabindex: 0,
      role: "region",
      "aria-label": "Conversation",
      on: { scroll: scrolled },
    },
    h("div", { class: "column" }, status.el, list, typing),
  );
  const toEnd = iconButton("down", "To the newest", () => scrollToEnd("smooth"), {
    class: "icon-button to-end",
    hidden: true,
  });
  const composer = createComposer({
    userId: user.id,
    place: id,
    label: "Message",
    placeholder: "Message Reelay…",
    send(content) {
      composer.clear();
      pinned = true;
      actions.send(id, content);
    },
  });

  let pinned = true;
  let spoken = null;

  function scrolled() {
    pinned = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
    toEnd.hidden = pinned;
  }

  function scrollToEnd(behavior = "instant") {
    scroller.scrollTo({ top: scroller.scrollHeight, behavior });
  }

  // Whoever reads along stays at the end, whatever grows: a card, a picture, the field to write in.
  const observer = new ResizeObserver(() => pinned && scrollToEnd());
  observer.observe(scroller);
  observer.observe(scroller.firstElementChild);

  function rename() {
    ask({
      title: "Rename the conversation",
      field: { label: "Title", value: bar.heading.textContent },
      yes: "Rename",
      run: (title) => actions.renameConversation(id, title),
    });
  }

  function remove() {
    ask({
      title: "Delete this conversation?",
      text: "Its messages and videos go with it, and what is being made is cancelled. This cannot be undone.",
      yes: "Delete",
      no: "Keep",
      danger: true,
      run: () => actions.deleteConversation(id),
    });
  }

  /** Tells a screen reader what the assistant has said since the conversation was opened. */
  function speak(thread) {
    const said = Object.values(thread.messages).filter(({ role }) => role === "assistant");
    if (!spoken) {
      if (thread.phase === "ready") spoken = new Set(said.map((message) => message.id));
      return;
    }
    for (const message of said.filter((one) => !spoken.has(one.id))) {
      spoken.add(message.id);
      announce(`Reelay: ${shorten(message.content, 300)}`);
    }
  }

  return {
    el: h(
      "div",
      { class: "view" },
      bar.el,
      scroller,
      h("div", { class: "dock" }, h("div", { class: "column" }, toEnd, composer.el)),
    ),
    update(state) {
      const thread = threadOf(state, id);
      const items = timelineOf(state, id);
      const gone = thread.phase === "failed" && thread.error.status === 404;
      setText(bar.heading, gone ? "Not found" : (state.conversations.byId[id]?.title ?? "Conversation"));
      live.update(state.connection, thread.phase);
      for (const button of bar.el.querySelectorAll(".icon-button:not(.only-narrow)")) button.hidden = gone;
      composer.el.hidden = gone;
      status.update(thread, items.length === 0);
      updateList(items, state);
      set(scroller, "aria-busy", thread.phase === "loading" ? "true" : null);
      const waiting = thread.pending.some(({ error }) => !error);
      typing.hidden = !waiting;
      composer.update({ busy: waiting });
      speak(thread);
      if (pinned) scrollToEnd();
    },
    focus: composer.focus,
    opened(first) {
      if (!touch()) composer.focus();
      else if (!first) bar.heading.focus();
    },
  };
}

/** A quiet sign of how the page hears of news. */
function createIndicator() {
  const el = h("span", { class: "live", role: "img" });
  const words = {
    websocket: "Live",
    sse: "Live",
    polling: "Checking every few seconds",
  };
  return {
    el,
    update({ transport, offline }, phase) {
      const word = offline ? "Offline" : (words[transport] ?? "Connecting");
      el.hidden = phase === "failed";
      set(el, "data-transport", offline ? "none" : (transport ?? "none"));
      set(el, "title", word);
      set(el, "aria-label", `Updates: ${word}`);
    },
  };
}

/** What stands in place of the messages while there are none to show, or above them if loading failed. */
function createThreadStatus({ reload }) {
  const text = h("p");
  const again = h(
    "button",
    { type: "button", class: "button", on: { click: reload } },
    icon("retry"),
    "Try again",
  );
  const home = h("a", { class: "button primary", href: homeHref }, "Start a new video");
  const skeleton = h("div", { class: "skeleton", "aria-hidden": "true" }, h("span"), h("span"), h("span"));
  const el = h(
    "div",
    { class: "thread-status", role: "status" },
    skeleton,
    text,
    h("div", { class: "buttons" }, again, home),
  );
  return {
    el,
    update({ phase, error }, empty) {
      const failed = phase === "failed";
      const gone = failed && error.status === 404;
      const loading = empty && (phase === "loading" || phase === "idle");
      el.hidden = !failed && !empty;
      skeleton.hidden = !loading;
      again.hidden = !failed || gone;
      home.hidden = !gone;
      text.className = loading ? "unseen" : "";
      if (loading) setText(text, "Loading the conversation…");
      else if (gone) setText(text, "This conversation does not exist, or it is not yours.");
      else
        setText(text, failed ? error.detail : "Nothing has been said here yet. Describe the video you want.");
    },
  };
}
