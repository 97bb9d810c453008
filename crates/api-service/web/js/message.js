// What was said: the user's messages, also those that are still on their way, and the assistant's.

import { h, icon, set, setText } from "./dom.js";
import { clock } from "./format.js";

/** A message never changes once it is there. */
export function createMessage({ message }) {
  const mine = message.role === "user";
  const time = h(
    "time",
    { datetime: message.createdAt, title: new Date(message.createdAt).toLocaleString() },
    clock(message.createdAt),
  );
  const who = mine
    ? h("p", { class: "unseen" }, "You, ", time)
    : h("p", { class: "who" }, icon("reel"), h("span", {}, "Reelay"), time);
  const text = h("p", { class: "said" }, message.content);
  const el = h("li", { class: `turn ${mine ? "mine" : "theirs"}`, "data-type": message.type }, who, text);
  return { el, update() {} };
}

/** A message of the user's that the server has not confirmed. */
export function createPending({ resend, edit }) {
  const text = h("p", { class: "said" });
  const reason = h("p", { class: "field-error", role: "alert" });
  let pending = null;
  const again = h(
    "button",
    { type: "button", class: "button small", on: { click: () => resend(pending) } },
    icon("retry"),
    "Try again",
  );
  const change = h(
    "button",
    { type: "button", class: "button small", on: { click: () => edit(pending) } },
    icon("pencil"),
    "Edit",
  );
  const failure = h("div", { class: "unsent" }, reason, h("div", { class: "buttons end" }, change, again));
  const el = h("li", { class: "turn mine" }, h("p", { class: "unseen" }, "You, now"), text, failure);
  return {
    el,
    update(item) {
      pending = item.pending;
      setText(text, pending.content);
      set(el, "data-state", pending.error ? "failed" : "sending");
      failure.hidden = !pending.error;
      if (pending.error) setText(reason, `Not sent. ${pending.error.detail}`);
    },
  };
}
