// What will be made and what it costs, before the yes.

import { h, setBusy, setText } from "./dom.js";
import { money } from "./format.js";
import { parameterList } from "./details.js";

export function createConfirmation(generation, { actions }) {
  const list = h("dl", { class: "details" });
  const price = h("p", { class: "price" });
  const confirmButton = h("button", {
    type: "button",
    class: "button primary",
    on: { click: () => actions.confirm(current) },
  });
  const cancelButton = h(
    "button",
    { type: "button", class: "button", on: { click: () => actions.cancel(current) } },
    "Cancel",
  );
  let current = generation;

  return {
    el: h(
      "div",
      { class: "confirmation" },
      list,
      h(
        "div",
        { class: "confirmation-foot" },
        h("div", {}, h("p", { class: "price-label" }, "Price"), price),
        h("div", { class: "buttons" }, cancelButton, confirmButton),
      ),
    ),
    update(now, { deed }) {
      current = now;
      list.replaceChildren(...parameterList(now));
      const cost = money(now.estimatedCost);
      setText(price, cost || "Not known");
      const confirming = deed?.busy && deed.name === "confirm";
      setText(confirmButton, confirming ? "One moment…" : cost ? `Make it for ${cost}` : "Make it");
      setBusy(confirmButton, deed?.busy);
      setBusy(cancelButton, deed?.busy);
    },
  };
}
