// What will be made and what it costs, before the yes; and the words that it is asked for with, which can be changed
// until then.

import { h, set, setBusy, setText, uniqueId } from "./dom.js";
import { money } from "./format.js";
import { parameterList } from "./details.js";
import { differs, followed, meant, wordingOf } from "./wording.js";

export function createConfirmation(generation, { actions }) {
  const list = h("dl", { class: "details" });
  const price = h("p", { class: "price" });
  const words = createWords(generation, { onChange: (enhancedPrompt) => actions.reword(current, enhancedPrompt) });
  const confirmButton = h("button", {
    type: "button",
    class: "button primary",
    on: { click: () => actions.confirm(current, words.meant()) },
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
      words.el,
      list,
      h(
        "div",
        { class: "confirmation-foot" },
        h("div", {}, h("p", { class: "price-label" }, "Price"), price),
        h("div", { class: "buttons" }, cancelButton, confirmButton),
      ),
    ),
    update(now, { deed }) {
      words.update(now);
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

/** The words as a form. Whoever has changed them and goes on elsewhere has them kept: a yes in the chat is for them. */
function createWords(generation, { onChange }) {
  const id = uniqueId("words");
  const field = h("textarea", {
    id,
    class: "input",
    rows: 4,
    maxlength: 8192,
    on: { input: () => read(), change: () => tell() },
  });
  const own = h("input", {
    type: "checkbox",
    on: {
      change: () => {
        read();
        show();
        tell();
        if (!form.own) field.focus();
      },
    },
  });
  const label = h("label", { class: "label", htmlFor: id }, "I would ask for");
  let current = generation;
  let form = wordingOf(generation);

  function read() {
    form = { own: own.checked, text: field.value };
  }

  function tell() {
    if (differs(form, current)) onChange(meant(form));
  }

  function show() {
    set(own, "checked", form.own);
    set(field, "value", form.text);
    field.hidden = form.own;
    label.hidden = form.own;
  }

  show();
  return {
    el: h(
      "div",
      { class: "wording" },
      label,
      field,
      h("label", { class: "wording-own" }, own, h("span", {}, "Use my own words")),
    ),
    meant: () => meant(form),
    update(now) {
      form = followed(form, current, now);
      current = now;
      show();
    },
  };
}
