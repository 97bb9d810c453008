// What stands above every view: the bar with its title, and the name of the house.

import { h, icon } from "./dom.js";

/** The bar above a view; `buttons` stand at its end. */
export function topbar({ openDrawer, title, buttons = [] }) {
  const heading = h("h1", { class: "topbar-title", tabindex: -1 }, title);
  const menu = h(
    "button",
    {
      type: "button",
      class: "icon-button only-narrow",
      "aria-label": "Conversations",
      title: "Conversations",
      on: { click: openDrawer },
    },
    icon("menu"),
  );
  return { el: h("header", { class: "topbar" }, menu, heading, ...buttons), heading };
}

export function brandMark() {
  return h("span", { class: "brand" }, icon("reel"), h("span", {}, "Reelay"));
}
