// Which language the page speaks, for whoever is not in yet, and that it could not be had.

import { chooseLanguage } from "../preferences";
import { phrases, speech } from "../words";
import { type Language, LANGUAGES } from "../words/languages";

/** Each language has its own name here, for whoever understands no other. */
export const NAMED = Object.entries(LANGUAGES).map(([lang, label]) => ({ value: lang as Language, label, lang }));

/** Shows what is spoken, by whosever choice. The settings can leave it to the browser again. */
export function LanguageSelect() {
  return (
    <div class="auth-language">
      <select
        aria-label={phrases().settings.language}
        value={speech.value.language}
        onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}
      >
        {NAMED.map(({ value, label, lang }) => (
          <option key={value} value={value} lang={lang}>
            {label}
          </option>
        ))}
      </select>
      <LanguageMissing />
    </div>
  );
}

export function LanguageMissing() {
  const { missing } = speech.value;
  if (!missing) return null;
  return (
    <p class="field-error" role="alert">
      {phrases().settings.languageMissing(LANGUAGES[missing])}
    </p>
  );
}
