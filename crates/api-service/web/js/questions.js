// The questions that stand before the price, as controls that already hold what is usual.

import { h, icon, set, setBusy, setText, uniqueId } from "./dom.js";

export function createQuestions(generation, { actions }) {
  const fields = (generation.clarificationQuestions ?? []).map(createField);
  const submitButton = h("button", { type: "submit", class: "button primary" }, "Continue");
  const cancelButton = h(
    "button",
    { type: "button", class: "button", on: { click: () => actions.cancel(current) } },
    "Cancel",
  );
  let current = generation;
  let told = null;

  function submit(event) {
    event.preventDefault();
    const missing = fields.filter(({ question, read }) => question.required && read() === undefined);
    for (const field of fields) field.fail(missing.includes(field) ? "This needs an answer." : null);
    if (missing.length > 0) return missing[0].focus();
    const answers = fields.map(({ question, read }) => [question.id, read()]);
    return actions.clarify(current, Object.fromEntries(answers.filter(([, value]) => value !== undefined)));
  }

  /** Puts what the server says of an answer beside its question. */
  function tell(error) {
    if (error === told) return;
    told = error;
    for (const field of fields) field.fail(error?.fields[`responses.${field.question.id}`] ?? null);
    if (error) fields.find(({ failed }) => failed())?.focus();
  }

  const el = h(
    "form",
    { class: "questions", novalidate: true, on: { submit } },
    ...fields.map((field) => field.el),
    h("div", { class: "buttons" }, submitButton, cancelButton),
  );
  return {
    el,
    /** Whether the error stands beside its question already. */
    shows: (error) => fields.some(({ question }) => error.fields[`responses.${question.id}`]),
    update(now, { deed }) {
      current = now;
      setBusy(submitButton, deed?.busy);
      setBusy(cancelButton, deed?.busy);
      setText(submitButton, deed?.busy && deed.name === "clarify" ? "One moment…" : "Continue");
      if (deed?.name === "clarify") tell(deed.error);
    },
  };
}

/** One question: its element, `read()` for its answer (`undefined` if there is none), and `fail(message)`. */
function createField(question) {
  const id = uniqueId("question");
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const make = { choice: choices, boolean: yesOrNo, number, text }[question.kind] ?? text;
  const { control, inputs, read } = make(question, id);
  const grouped = inputs.length > 1;
  const label = grouped
    ? h("legend", { class: "label" }, question.question)
    : h("label", { class: "label", htmlFor: inputs[0].id }, question.question);
  const described = grouped ? "fieldset" : "div";
  const el = h(
    described,
    { class: "field", "aria-describedby": grouped ? error.id : null },
    label,
    control,
    error,
  );
  return {
    el,
    question,
    read,
    focus: () => (inputs.find(({ checked }) => checked) ?? inputs[0]).focus(),
    failed: () => !error.hidden,
    fail(message) {
      error.hidden = !message;
      error.replaceChildren(...(message ? [icon("alert"), message] : []));
      for (const input of inputs) {
        set(input, "aria-invalid", message ? "true" : null);
        if (!grouped) set(input, "aria-describedby", message ? error.id : null);
      }
    },
  };
}

function choices({ options = [], default: usual }, id) {
  const inputs = options.map(({ value }, index) =>
    h("input", {
      type: "radio",
      name: id,
      id: `${id}-${index}`,
      value: String(index),
      checked: value === usual,
    }),
  );
  const chips = options.map(({ label }, index) =>
    h("label", { class: "choice" }, inputs[index], h("span", {}, label)),
  );
  return {
    control: h("div", { class: "choices" }, ...chips),
    // A choice without options cannot be answered; better an empty field than a broken form.
    inputs: inputs.length > 0 ? inputs : [h("input", { id })],
    // The answer is the option's own value, a number where the server gave a number.
    read: () => options[inputs.findIndex(({ checked }) => checked)]?.value,
  };
}

function yesOrNo(question, id) {
  const options = [
    { value: true, label: "Yes" },
    { value: false, label: "No" },
  ];
  return choices({ ...question, options }, id);
}

function number({ default: usual, required }, id) {
  const input = h("input", {
    id,
    class: "input narrow",
    type: "number",
    inputmode: "numeric",
    step: 1,
    required,
    value: usual === undefined ? "" : String(usual),
  });
  return {
    control: input,
    inputs: [input],
    read: () => (input.value === "" ? undefined : input.valueAsNumber),
  };
}

function text({ default: usual, required }, id) {
  const input = h("textarea", { id, class: "input", rows: 2, required, value: String(usual ?? "") });
  return { control: input, inputs: [input], read: () => input.value.trim() || undefined };
}
