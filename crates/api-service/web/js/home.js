// Where a conversation begins: an empty sheet, a question, and a few ideas.

import { createComposer } from "./composer.js";
import { h, setText, touch } from "./dom.js";
import { topbar } from "./topbar.js";

const IDEAS = [
  "A paper boat crossing a rainy street at dusk",
  "A slow drone shot over terraced tea fields at sunrise, 8 seconds",
  "A fox in a red scarf waits for the last train, vertical, in watercolour",
];

export function createHome({ actions, openDrawer, user }) {
  const error = h("p", { class: "field-error", role: "alert", hidden: true });
  let busy = false;

  async function send(content) {
    if (busy) return;
    busy = true;
    error.hidden = true;
    composer.update({ busy });
    try {
      await actions.startConversation(content);
      composer.clear();
    } catch (problem) {
      error.hidden = false;
      setText(error, problem.detail);
    } finally {
      busy = false;
      composer.update({ busy });
    }
  }

  const composer = createComposer({
    userId: user.id,
    place: "new",
    label: "Describe your video",
    placeholder: "Describe your video…",
    send,
  });
  const ideas = IDEAS.map((text) =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "idea", on: { click: () => composer.fill(text) } }, text),
    ),
  );
  const bar = topbar({ openDrawer, title: "New video" });
  const first = user.name?.trim().split(/\s+/)[0];

  return {
    el: h(
      "div",
      { class: "view home" },
      bar.el,
      h(
        "div",
        { class: "home-body" },
        h("img", { class: "home-picture", src: "/scene.svg", alt: "", width: 800, height: 450 }),
        h("h2", { class: "hero" }, first ? `What shall we film, ${first}?` : "What shall we film?"),
        h(
          "p",
          { class: "muted hero-text" },
          "Say it in your own words. We ask only for what is missing, show you the price, and start when you say so.",
        ),
        composer.el,
        error,
        h("h3", { class: "ideas-title" }, "Or begin with one of these"),
        h("ul", { class: "ideas" }, ...ideas),
      ),
    ),
    update() {},
    focus: composer.focus,
    opened() {
      if (!touch()) composer.focus();
    },
  };
}
