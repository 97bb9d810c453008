// What can be chosen for this browser, and the account.

import { useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { detailOf } from "../model/failure";
import type { Failure } from "../model/types";
import { disable, enable, enabled, permission } from "../notify";
import { useArrival } from "../parts/arrival";
import { calm } from "../parts/device";
import { Button } from "../parts/icon";
import { LanguageMissing, NAMED } from "../parts/language";
import { Topbar } from "../parts/topbar";
import { type Appearance, appearance, choose, chooseLanguage, language } from "../preferences";
import { failureOf } from "../server";
import { state } from "../store";
import { phrases } from "../words";
import type { Wanted } from "../words/languages";

const APPEARANCES: readonly Appearance[] = ["system", "light", "dark"];

export function Settings() {
  const { user } = state.value.session;
  const heading = useRef<HTMLHeadingElement>(null);
  const [problem, setProblem] = useState<Failure | null>(null);
  const { act, auth, places, settings: words } = phrases();
  useArrival((first) => !first && heading.current?.focus());

  async function signOut() {
    setProblem(null);
    try {
      await actions.signOut();
    } catch (error) {
      setProblem(failureOf(error));
    }
  }

  return (
    <div class="view scrolls">
      <Topbar title={places.settings} heading={heading} />
      <div class="sheet">
        <section class="panel">
          <OneOf
            title={words.appearance}
            name="appearance"
            options={APPEARANCES.map((value) => ({ value, label: words[value] }))}
            value={appearance.value}
            choose={choose}
          />
          <p class="hint">{calm() ? words.calm : words.lively}</p>
        </section>
        <Languages />
        <Notifications />
        <section class="panel">
          <h2 class="panel-title">{words.account}</h2>
          <dl class="details">
            {user?.name && (
              <div>
                <dt>{auth.name}</dt>
                <dd>{user.name}</dd>
              </div>
            )}
            <div>
              <dt>{auth.email}</dt>
              <dd>{user?.email}</dd>
            </div>
          </dl>
          {problem && (
            <p class="field-error" role="alert">
              {detailOf(problem)}
            </p>
          )}
          <div class="buttons">
            <Button icon="out" onClick={() => void signOut()}>
              {act.signOut}
            </Button>
          </div>
        </section>
        <section class="panel">
          <h2 class="panel-title">{words.programs}</h2>
          <p>
            {words.programsText} <a href="/docs">{words.programsLink}</a>.
          </p>
        </section>
      </div>
    </div>
  );
}

interface OneOfProps<Value extends string> {
  title: string;
  name: string;
  /** `lang` is the language of the label, where that is not the page's. */
  options: readonly { value: Value; label: string; lang?: string }[];
  value: Value;
  choose: (value: Value) => void;
}

function OneOf<Value extends string>({ title, name, options, value: chosen, choose }: OneOfProps<Value>) {
  return (
    <fieldset>
      <legend class="panel-title">{title}</legend>
      <div class="choices">
        {options.map(({ value, label, lang }) => (
          <label class="choice" key={value}>
            <input type="radio" name={name} checked={chosen === value} onChange={() => choose(value)} />
            <span lang={lang}>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What the page speaks. */
function Languages() {
  const { settings } = phrases();
  return (
    <section class="panel">
      <OneOf<Wanted>
        title={settings.language}
        name="language"
        options={[{ value: "browser", label: settings.browser }, ...NAMED]}
        value={language.value}
        choose={chooseLanguage}
      />
      <LanguageMissing />
      <p class="hint">{settings.languageHint}</p>
    </section>
  );
}

function Notifications() {
  const { settings } = phrases();
  const allowed = permission.value === "granted" || permission.value === "default";
  return (
    <section class="panel">
      <h2 class="panel-title">{settings.notifications}</h2>
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
        <span>{settings.tellMe}</span>
      </label>
      <p class="hint">{settings.permissions[permission.value]}</p>
    </section>
  );
}
