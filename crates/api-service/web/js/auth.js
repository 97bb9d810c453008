// Signing in and signing up: one form, which asks for a name as well when the account is new.

import { h, set, setBusy, setText, touch, uniqueId } from "./dom.js";
import { signInHref, signUpHref } from "./routes.js";
import { brandMark } from "./topbar.js";

export function createAuth({ store, actions }) {
  let isNew = null;
  let busy = false;

  const heading = h("h1", { tabindex: -1 });
  const notice = h("p", { class: "notice", role: "status", hidden: true });
  const error = h("p", { class: "notice bad", role: "alert", hidden: true });
  const name = field({
    label: "Name",
    name: "name",
    autocomplete: "name",
    hint: "Optional. How we address you.",
  });
  const email = field({
    label: "Email",
    name: "email",
    type: "email",
    autocomplete: "email",
    required: true,
  });
  const password = field({ label: "Password", name: "password", type: "password", required: true });
  const submitButton = h("button", { class: "button primary wide", type: "submit" });
  const otherText = h("span");
  const otherLink = h("a");

  async function submit(event) {
    event.preventDefault();
    if (busy || !check()) return;
    busy = true;
    setBusy(submitButton, true);
    show(null);
    const account = { email: email.input.value.trim(), password: password.input.value };
    const chosen = name.input.value.trim();
    try {
      await (isNew
        ? actions.register({ ...account, ...(chosen && { name: chosen }) })
        : actions.signIn(account));
    } catch (problem) {
      show(problem);
    } finally {
      busy = false;
      setBusy(submitButton, false);
    }
  }

  /** What can be told without asking the server; the rest is the server's to say. */
  function check() {
    email.fail(email.input.validity.valid ? null : "Enter your email address, like name@example.com.");
    password.fail(password.input.value ? null : "Enter your password.");
    return focusFirstWrong();
  }

  function show(problem) {
    const fields = problem?.fields ?? {};
    for (const one of [name, email, password]) one.fail(fields[one.input.name] ?? null);
    if (problem?.code === "email_taken") email.fail(problem.detail);
    const told = Object.keys(fields).length > 0 || problem?.code === "email_taken";
    error.hidden = !problem || told;
    setText(error, problem && !told ? problem.detail : "");
    focusFirstWrong();
  }

  function focusFirstWrong() {
    const wrong = [name, email, password].find(({ input }) => input.getAttribute("aria-invalid") === "true");
    wrong?.input.focus();
    return !wrong;
  }

  const form = h(
    "form",
    { class: "auth-form", novalidate: true, on: { submit } },
    brandMark(),
    heading,
    notice,
    error,
    name.el,
    email.el,
    password.el,
    submitButton,
    h("p", { class: "muted" }, otherText, " ", otherLink),
  );
  const el = h(
    "main",
    { class: "auth" },
    h(
      "div",
      { class: "auth-picture" },
      h("img", { src: "/scene.svg", alt: "", width: 800, height: 450 }),
      h("p", { class: "auth-line" }, "Say what you want to see. Watch it come to be."),
    ),
    form,
  );

  return {
    el,
    update({ session, route }) {
      notice.hidden = !session.notice;
      setText(notice, session.notice ?? "");
      const wanted = route.name === "signup";
      if (wanted === isNew) return;
      const first = isNew === null;
      isNew = wanted;
      setText(heading, isNew ? "Create your account" : "Welcome back");
      setText(submitButton, isNew ? "Create account" : "Sign in");
      setText(otherText, isNew ? "Already have an account?" : "New to Reelay?");
      setText(otherLink, isNew ? "Sign in" : "Create an account");
      set(otherLink, "href", isNew ? signInHref : signUpHref);
      set(password.input, "autocomplete", isNew ? "new-password" : "current-password");
      name.el.hidden = !isNew;
      show(null);
      if (!first) heading.focus();
      else if (!touch()) setTimeout(() => email.input.focus());
    },
  };
}

function field({ label, hint, type = "text", ...attributes }) {
  const id = uniqueId("field");
  const about = h("p", { class: "hint", id: `${id}-about`, hidden: !hint }, hint);
  const input = h("input", { id, class: "input", type, "aria-describedby": about.id, ...attributes });
  return {
    el: h("div", { class: "field" }, h("label", { class: "label", htmlFor: id }, label), input, about),
    input,
    /** Says what is wrong with the field, or with `null` that nothing is. */
    fail(message) {
      set(input, "aria-invalid", message ? "true" : null);
      about.className = message ? "field-error" : "hint";
      about.hidden = !message && !hint;
      setText(about, message ?? hint ?? "");
    },
  };
}
