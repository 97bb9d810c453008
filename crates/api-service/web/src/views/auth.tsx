// Signing in and signing up: one form, which asks for a name as well when the account is new.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { detailOf, wrongWithAccount } from "../model/failure";
import type { Failure } from "../model/types";
import { touch } from "../parts/device";
import { Field } from "../parts/field";
import { Brand, Button } from "../parts/icon";
import { LanguageSelect } from "../parts/language";
import scene from "../pictures/scene.svg";
import { signInHref, signUpHref } from "../routes";
import { failureOf } from "../server";
import { state } from "../store";
import { phrases } from "../words";

type Wrong = Partial<Record<string, string>>;
/** It is worded when it is shown: the language may be chosen while it stands there. */
type Worded = () => Wrong;

const nothing: Worded = () => ({});

export function Auth() {
  const { session, route } = state.value;
  const { auth } = phrases();
  const isNew = route.name === "signup";
  const form = useRef<HTMLFormElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  const [busy, setBusy] = useState(false);
  const [worded, setWorded] = useState<Worded>(() => nothing);
  const [failure, setFailure] = useState<Failure | null>(null);

  useEffect(() => {
    setWorded(() => nothing);
    setFailure(null);
    if (!first.current) heading.current?.focus();
    else if (!touch()) form.current?.querySelector<HTMLInputElement>("input[name=email]")?.focus();
    first.current = false;
  }, [isNew]);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [worded]);
  const wrong = worded();

  async function submit(event: Event) {
    event.preventDefault();
    const fields = form.current;
    if (busy || !fields) return;
    const value = (name: string) => (fields.elements.namedItem(name) as HTMLInputElement | null)?.value ?? "";
    const email = fields.elements.namedItem("email") as HTMLInputElement;
    const password = value("password");
    const name = value("name").trim();
    // What can be told without asking the server; the rest is the server's to say.
    const isAddress = email.validity.valid;
    setWorded(() => () => {
      const { auth } = phrases();
      return {
        ...(isAddress ? {} : { email: auth.enterEmail }),
        ...(password ? {} : { password: auth.enterPassword }),
      };
    });
    setFailure(null);
    if (!isAddress || !password) return;
    setBusy(true);
    try {
      const account = { email: email.value.trim(), password };
      await (isNew ? actions.register({ ...account, ...(name ? { name } : {}) }) : actions.signIn(account));
    } catch (error) {
      const told = failureOf(error);
      setWorded(() => () => wrongWithAccount(told));
      if (Object.keys(wrongWithAccount(told)).length === 0) setFailure(told);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="auth">
      <div class="auth-picture">
        <img src={scene} alt="" width={800} height={450} fetchpriority="high" />
        <p class="auth-line">{auth.line}</p>
      </div>
      <form class="auth-form" noValidate onSubmit={submit} ref={form}>
        <Brand />
        <h1 tabIndex={-1} ref={heading}>
          {isNew ? auth.create : auth.welcome}
        </h1>
        {session.notice && (
          <p class="notice" role="status">
            {auth.sessionEnded}
          </p>
        )}
        {failure && (
          <p class="notice bad" role="alert">
            {detailOf(failure)}
          </p>
        )}
        {isNew && (
          <Field
            label={auth.name}
            name="name"
            kind="text"
            autoComplete="name"
            hint={auth.nameHint}
            problem={wrong["name"]}
          />
        )}
        <Field label={auth.email} name="email" kind="email" autoComplete="email" required problem={wrong["email"]} />
        <Field
          label={auth.password}
          name="password"
          kind="password"
          autoComplete={isNew ? "new-password" : "current-password"}
          required
          problem={wrong["password"]}
        />
        <Button type="submit" look="primary wide" busy={busy}>
          {isNew ? auth.createAccount : auth.signIn}
        </Button>
        <p class="muted">
          {isNew ? auth.haveAccount : auth.newHere}{" "}
          <a href={isNew ? signInHref : signUpHref}>{isNew ? auth.signIn : auth.createOne}</a>
        </p>
        <LanguageSelect />
      </form>
    </main>
  );
}
