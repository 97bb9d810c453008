// Where the user writes. Keeps what is written as a draft until it is sent.

import { readDraft, writeDraft } from "./drafts.js";
import { h, icon, set, setText, touch, uniqueId } from "./dom.js";

/** What the server takes of a message, in bytes. */
const LIMIT = 8 * 1024;
const encoder = new TextEncoder();

/** `place` names the draft; `send(content)` is called with what was written, which stays until `clear()`. */
export function createComposer({ userId, place, label, placeholder, send }) {
  const id = uniqueId("composer");
  const about = h("p", { class: "composer-about", id: `${id}-about`, role: "status" });
  const text = h("textarea", {
    id,
    rows: 1,
    placeholder,
    "aria-label": label,
    "aria-describedby": about.id,
    enterkeyhint: touch() ? "enter" : "send",
    on: { input: changed, keydown },
  });
  const button = h(
    "button",
    { type: "submit", class: "send", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  let busy = false;

  text.value = readDraft(userId, place);

  function changed() {
    writeDraft(userId, place, text.value);
    fit();
  }

  function fit() {
    const over = encoder.encode(text.value.trim()).length - LIMIT;
    setText(about, over > 0 ? `Too long: please cut about ${over} characters.` : "");
    set(button, "aria-disabled", busy || over > 0 || !text.value.trim() ? "true" : null);
    // Where the browser cannot size the field by its content, the page does.
    if (!CSS.supports("field-sizing", "content")) {
      text.style.blockSize = "auto";
      text.style.blockSize = `${text.scrollHeight}px`;
    }
  }

  function keydown(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch()) return;
    event.preventDefault();
    submit();
  }

  function submit(event) {
    event?.preventDefault();
    const content = text.value.trim();
    if (content && !button.hasAttribute("aria-disabled")) send(content);
  }

  function fill(value) {
    text.value = value;
    changed();
    text.focus();
    text.setSelectionRange(value.length, value.length);
  }

  const el = h(
    "form",
    { class: "composer", on: { submit } },
    h("div", { class: "composer-box" }, text, button),
    about,
  );
  fit();

  return {
    el,
    update(now) {
      busy = now.busy;
      fit();
    },
    focus: () => text.focus(),
    fill,
    text: () => text.value,
    clear() {
      text.value = "";
      changed();
    },
  };
}
