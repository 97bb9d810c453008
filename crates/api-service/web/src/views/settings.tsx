// What can be chosen for this browser, and the account.

import { useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { disable, enable, enabled, permission } from "../notify";
import { useArrival } from "../parts/arrival";
import { calm } from "../parts/device";
import { Button } from "../parts/icon";
import { Topbar } from "../parts/topbar";
import { type Appearance, appearance, choose } from "../preferences";
import { failureOf } from "../server";
import { state } from "../store";

const APPEARANCES: [Appearance, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function Settings() {
  const { user } = state.value.session;
  const heading = useRef<HTMLHeadingElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useArrival((first) => !first && heading.current?.focus());

  async function signOut() {
    setProblem(null);
    try {
      await actions.signOut();
    } catch (error) {
      setProblem(failureOf(error).detail);
    }
  }

  return (
    <div class="view scrolls">
      <Topbar title="Settings" heading={heading} />
      <div class="sheet">
        <section class="panel">
          <fieldset>
            <legend class="panel-title">Appearance</legend>
            <div class="choices">
              {APPEARANCES.map(([value, label]) => (
                <label class="choice" key={value}>
                  <input
                    type="radio"
                    name="appearance"
                    checked={appearance.value === value}
                    onChange={() => choose(value)}
                  />
                  <span>{label}</span>
                </label>
              ))}
            </div>
          </fieldset>
          <p class="hint">
            {calm()
              ? "Your system asks for less motion, so nothing moves here by itself."
              : "If your system asks for less motion, nothing moves here by itself."}
          </p>
        </section>
        <Notifications />
        <section class="panel">
          <h2 class="panel-title">Account</h2>
          <dl class="details">
            {user?.name && (
              <div>
                <dt>Name</dt>
                <dd>{user.name}</dd>
              </div>
            )}
            <div>
              <dt>Email</dt>
              <dd>{user?.email}</dd>
            </div>
          </dl>
          {problem && (
            <p class="field-error" role="alert">
              {problem}
            </p>
          )}
          <div class="buttons">
            <Button icon="out" onClick={() => void signOut()}>
              Sign out
            </Button>
          </div>
        </section>
        <section class="panel">
          <h2 class="panel-title">For programs</h2>
          <p>
            All that this page does, a program can do as well: <a href="/docs">the API’s description</a>.
          </p>
        </section>
      </div>
    </div>
  );
}

const WORDS = {
  unsupported: "This browser shows no notifications of this page.",
  denied: "This browser does not let the page notify you. Its own settings for this site change that.",
  granted: "Only for videos that end while this page is not in sight.",
  default: "Only for videos that end while this page is not in sight. The browser will ask you first.",
} as const;

function Notifications() {
  const allowed = permission.value === "granted" || permission.value === "default";
  return (
    <section class="panel">
      <h2 class="panel-title">Notifications</h2>
      <label class="check">
        <input
          type="checkbox"
          role="switch"
          checked={enabled.value}
          disabled={!allowed}
          onChange={(event) => {
            if (!event.currentTarget.checked) return disable();
            // The box shows what is so, not what was wished: the browser may refuse.
            event.currentTarget.checked = false;
            void enable();
          }}
        />
        <span>Tell me when a video is done</span>
      </label>
      <p class="hint">{WORDS[permission.value]}</p>
    </section>
  );
}
