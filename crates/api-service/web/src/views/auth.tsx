// Signing in and signing up: one form, which asks for a name as well when the account is new.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { touch } from "../parts/device";
import { Field } from "../parts/field";
import { Brand, Button } from "../parts/icon";
import scene from "../pictures/scene.svg";
import { signInHref, signUpHref } from "../routes";
import { failureOf } from "../server";
import { state } from "../store";
import type { Failure } from "../model/types";

type Wrong = Partial<Record<"name" | "email" | "password", string>>;

export function Auth() {
  const { session, route } = state.value;
  const isNew = route.name === "signup";
  const form = useRef<HTMLFormElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong>({});
  const [failure, setFailure] = useState<Failure | null>(null);

  useEffect(() => {
    setWrong({});
    setFailure(null);
    if (!first.current) heading.current?.focus();
    else if (!touch()) form.current?.querySelector<HTMLInputElement>("input[name=email]")?.focus();
    first.current = false;
  }, [isNew]);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [wrong]);

  async function submit(event: Event) {
    event.preventDefault();
    const fields = form.current;
    if (busy || !fields) return;
    const value = (name: string) => (fields.elements.namedItem(name) as HTMLInputElement | null)?.value ?? "";
    const email = fields.elements.namedItem("email") as HTMLInputElement;
    const password = value("password");
    const name = value("name").trim();
    // What can be told without asking the server; the rest is the server's to say.
    const found: Wrong = {
      ...(email.validity.valid ? {} : { email: "Enter your email address, like name@example.com." }),
      ...(password ? {} : { password: "Enter your password." }),
    };
    setWrong(found);
    setFailure(null);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      const account = { email: email.value.trim(), password };
      await (isNew ? actions.register({ ...account, ...(name ? { name } : {}) }) : actions.signIn(account));
    } catch (error) {
      const told = failureOf(error);
      const beside: Wrong = told.code === "email_taken" ? { email: told.detail } : told.fields;
      setWrong(beside);
      if (Object.keys(beside).length === 0) setFailure(told);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="auth">
      <div class="auth-picture">
        <img src={scene} alt="" width={800} height={450} fetchpriority="high" />
        <p class="auth-line">Say what you want to see. Watch it come to be.</p>
      </div>
      <form class="auth-form" noValidate onSubmit={submit} ref={form}>
        <Brand />
        <h1 tabIndex={-1} ref={heading}>
          {isNew ? "Create your account" : "Welcome back"}
        </h1>
        {session.notice && (
          <p class="notice" role="status">
            {session.notice}
          </p>
        )}
        {failure && (
          <p class="notice bad" role="alert">
            {failure.detail}
          </p>
        )}
        {isNew && (
          <Field
            label="Name"
            name="name"
            kind="text"
            autoComplete="name"
            hint="Optional. How we address you."
            problem={wrong.name}
          />
        )}
        <Field label="Email" name="email" kind="email" autoComplete="email" required problem={wrong.email} />
        <Field
          label="Password"
          name="password"
          kind="password"
          autoComplete={isNew ? "new-password" : "current-password"}
          required
          problem={wrong.password}
        />
        <Button type="submit" look="primary wide" busy={busy}>
          {isNew ? "Create account" : "Sign in"}
        </Button>
        <p class="muted">
          {isNew ? "Already have an account? " : "New to Reelay? "}
          <a href={isNew ? signInHref : signUpHref}>{isNew ? "Sign in" : "Create an account"}</a>
        </p>
      </form>
    </main>
  );
}
