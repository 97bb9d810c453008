// Modal questions. The browser's own dialog keeps the focus inside and gives it back afterwards.

import { h, setText, uniqueId } from "./dom.js";

/**
 * Asks before something happens. `run(value)` does it, `value` being the text of `field` if there is one
 * (`{label, value}`); if it throws an `ApiError` the dialog says why and stays open.
 */
export function ask({ title, text, field, yes, no = "Cancel", danger = false, run }) {
  const ids = { title: uniqueId("dialog"), field: uniqueId("field") };
  const error = h("p", { class: "field-error", role: "alert", hidden: true });
  const input =
    field &&
    h("input", {
      id: ids.field,
      class: "input",
      type: "text",
      value: field.value,
      maxlength: 200,
      required: true,
    });
  const accept = h("button", { class: danger ? "button danger" : "button primary", type: "submit" }, yes);
  const refuse = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, no);

  async function submit(event) {
    event.preventDefault();
    accept.disabled = true;
    try {
      await run(input?.value.trim());
      dialog.close();
    } catch (problem) {
      error.hidden = false;
      setText(error, problem.detail ?? "Something went wrong. Please try again.");
      accept.disabled = false;
    }
  }

  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": ids.title, on: { close: () => dialog.remove() } },
    h(
      "form",
      { on: { submit } },
      h("h2", { id: ids.title }, title),
      text && h("p", { class: "muted" }, text),
      field && h("label", { class: "label", htmlFor: ids.field }, field.label),
      input,
      error,
      h("div", { class: "buttons end" }, refuse, accept),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  input?.select();
  // A slip of the finger must not do what cannot be undone.
  if (danger) refuse.focus();
}
