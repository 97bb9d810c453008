// Every language says all that there is to say, in its own words, and the right one is spoken.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "./stage";
import { bytes, moment, money, percent, seconds, timeLeft } from "../../src/format";
import { detailOf } from "../../src/model/failure";
import { stageOf } from "../../src/model/status";
import { chooseLanguage, language as chosen } from "../../src/preferences";
import { type Phrases, phrases, speak, speech } from "../../src/words";
import { de } from "../../src/words/de";
import { en } from "../../src/words/en";
import { es } from "../../src/words/es";
import { fr } from "../../src/words/fr";
import { it } from "../../src/words/it";
import { isLanguage, LANGUAGES, languageFor, type Wanted } from "../../src/words/languages";
import { pt } from "../../src/words/pt";

const OTHERS: Record<string, Phrases> = { de, es, fr, it, pt };

beforeEach(() => speak("en", []));

type Phrase = string | ((...filled: unknown[]) => string);

/** The phrases by their places, as `chat.push.live`. */
function listed(tree: object, above = ""): [place: string, phrase: Phrase][] {
  return Object.entries(tree).flatMap(([name, value]): [string, Phrase][] => {
    const place = above + name;
    return typeof value === "object" ? listed(value as object, `${place}.`) : [[place, value as Phrase]];
  });
}

/** What is filled in, of every kind: what follows from it differs by language, but it must be there. */
const SAMPLES: readonly (readonly unknown[])[] = [
  ["Veo", "Omni"],
  ["18:05", "01:05"],
  ["1:05", "1:05"],
  [1, 1],
  [2, 2],
  [7, 7],
  ["Veo", 1],
  ["Veo", 3],
];

/** A phrase as it may be heard, with each of the samples that it takes. */
const spoken = (phrase: Phrase): { said: string; filled: readonly unknown[] }[] =>
  typeof phrase === "string"
    ? [{ said: phrase, filled: [] }]
    : SAMPLES.map((sample) => ({ said: phrase(...sample), filled: sample.slice(0, phrase.length) }));

const english = new Map(listed(en));

for (const [language, own] of Object.entries({ en, ...OTHERS })) {
  test(`every phrase is there in ${language}, with what is filled in`, () => {
    assert.deepEqual(listed(own).map(([place]) => place).sort(), [...english.keys()].sort());
    for (const [place, phrase] of listed(own)) {
      const source = english.get(place);
      assert.equal(typeof phrase, typeof source, place);
      if (typeof phrase === "function") assert.equal(phrase.length, (source as typeof phrase).length, place);
      for (const { said, filled } of spoken(phrase)) {
        assert.equal(typeof said, "string", place);
        assert.equal(said, said.trim(), place);
        assert.ok(said.length > 0, place);
        assert.doesNotMatch(said, /undefined|NaN|\[object|\$\{|[{}]| {2}|\.\.\.|'|"/, place);
        for (const value of filled) assert.ok(said.includes(String(value)), `${place}: ${said} without ${value}`);
      }
    }
  });
}

/** What is the same word in English and in these languages. */
const SAME: Record<string, readonly string[]> = {
  de: ["auth.name", "card.spoken", "facts.seed", "places.video", "places.videos", "player.label"],
  es: ["card.spoken", "facts.no", "places.video", "places.videos", "player.label"],
  fr: [
    "chat.message",
    "chat.messages",
    "facts.style",
    "places.conversation",
    "settings.notifications",
    "sidebar.menu",
  ],
  it: [
    "auth.password",
    "card.spoken",
    "facts.no",
    "places.video",
    "player.label",
    "settings.account",
    "sidebar.menu",
  ],
  pt: ["sidebar.menu"],
};

for (const [language, own] of Object.entries(OTHERS)) {
  test(`no English is left in ${language}`, () => {
    const same = listed(own).flatMap(([place, phrase]) => {
      const [said] = spoken(phrase);
      const [source] = spoken(english.get(place) ?? "");
      return said?.said === source?.said ? [place] : [];
    });
    assert.deepEqual(same.sort(), [...(SAME[language] ?? [])].sort());
  });
}

test("one and many are told apart", () => {
  for (const [language, own] of Object.entries({ en, ...OTHERS })) {
    const forms = [own.pictures.takesSome("Veo", 1), own.pictures.takesSome("Veo", 3)];
    assert.notEqual(forms[0]?.replace("1", "3"), forms[1], language);
  }
  assert.equal(en.composer.tooLong(1), "Too long: please cut about 1 character.");
  assert.equal(fr.pictures.someLeftOut("Veo", 2), "Veo ne prend pas 2 des images, elles sont donc laissées de côté.");
});

test("each language is set as it is printed", () => {
  const all = (own: Phrases) => listed(own).flatMap(([, phrase]) => spoken(phrase).map(({ said }) => said));
  for (const said of all(fr)) {
    assert.doesNotMatch(said, /[^\u202f][?!;]|[^\u00a0\d]:| [?!;:]|"/, said);
  }
  for (const said of all(es)) {
    assert.equal(said.match(/\?/g)?.length, said.match(/¿/g)?.length, said);
    assert.equal(said.match(/!/g)?.length, said.match(/¡/g)?.length, said);
  }
  // An ellipsis stands by itself in German, and at its word everywhere else.
  for (const said of all(de)) assert.doesNotMatch(said, /\S…/, said);
  for (const own of [en, es, fr, it, pt]) for (const said of all(own)) assert.doesNotMatch(said, /\s…/, said);
});

test("the hour of one is a single one", () => {
  const spanish = ["1:05", "01:05", "11:05", "18:05"].map(es.time.at);
  assert.deepEqual(spanish, ["a la 1:05", "a la 01:05", "a las 11:05", "a las 18:05"]);
  const portuguese = ["1:05", "10:05"].map(pt.time.at);
  assert.deepEqual(portuguese, ["à 1:05", "às 10:05"]);
});

test("a day of the month is said as it is read", () => {
  const days = ["1 décembre", "11 décembre"].map((date) => fr.time.onAt(date, "01:00"));
  assert.deepEqual(days, ["le 1er décembre à 01:00", "le 11 décembre à 01:00"]);
  const italian = ["1", "2", "8", "11", "18"].map((date) => it.time.onAt(`${date} dicembre`, "01:00").split(" dic")[0]);
  assert.deepEqual(italian, ["il 1º", "il 2", "l’8", "l’11", "il 18"]);
});

test("the language is the chosen one, else the first of the browser's that is spoken, else English", () => {
  const cases: [Wanted, string[], language: string, locale: string][] = [
    ["browser", [], "en", "en"],
    ["browser", ["de-DE", "en-US"], "de", "de-DE"],
    ["browser", ["de-AT"], "de", "de-AT"],
    ["browser", ["nl-NL", "fr-CH", "de"], "fr", "fr-CH"],
    ["browser", ["nl", "pl"], "en", "en"],
    ["browser", ["PT-br"], "pt", "PT-br"],
    ["browser", ["en-US@posix"], "en", "en"],
    ["browser", ["en-US@posix", "en-GB"], "en", "en-GB"],
    ["browser", ["item", "dep"], "en", "en"],
    ["es", ["en-US"], "es", "es"],
    ["es", ["en-US", "es-MX", "es"], "es", "es-MX"],
    ["en", ["de-DE"], "en", "en"],
  ];
  for (const [wanted, asked, language, locale] of cases) {
    assert.deepEqual(languageFor(wanted, asked), { language, locale }, `${wanted} ${asked}`);
  }
  for (const code of Object.keys(LANGUAGES)) assert.ok(isLanguage(code), code);
  for (const code of ["", "browser", "eo", "toString", null, undefined]) assert.ok(!isLanguage(code), String(code));
});

test("what was chosen is kept, and whoever leaves it to the browser leaves nothing behind", () => {
  chooseLanguage("fr");
  assert.deepEqual([chosen.value, localStorage.getItem("reelay.language")], ["fr", "fr"]);
  chooseLanguage("browser");
  assert.deepEqual([chosen.value, localStorage.getItem("reelay.language")], ["browser", null]);
});

test("each language is fetched when it is wanted", async () => {
  for (const [language, own] of Object.entries(OTHERS)) {
    await speak(language as Wanted, []);
    assert.deepEqual([speech.value.language, phrases().act.cancel], [language, own.act.cancel]);
  }
});

test("what was spoken stands if the words cannot be had, and whatever was wanted last is spoken", async () => {
  const lost = () => Promise.reject(new Error("no network"));
  await speak("fr", [], lost);
  assert.deepEqual([speech.value.language, speech.value.missing], ["en", "fr"]);
  assert.equal(phrases(), en);
  await speak("de", ["de-AT"]);
  assert.deepEqual([speech.value.language, speech.value.locale, speech.value.missing], ["de", "de-AT", null]);
  await speak("it", [], lost);
  assert.deepEqual([speech.value.language, speech.value.missing], ["de", "it"]);

  let arrive = (_: Phrases) => {};
  const late = speak("es", [], () => new Promise((resolve) => (arrive = resolve)));
  await speak("en", []);
  arrive(es);
  await late;
  assert.equal(speech.value.language, "en", "what was wanted before comes too late");
});

test("numbers, money and times are those of the language", async () => {
  const spaced = (text: string) => text.replace(/\s/g, " ");
  const now = new Date(2026, 10, 30, 9, 0);
  const then = new Date(2026, 11, 1, 1, 0).toISOString();
  await speak("de", []);
  assert.equal(spaced(money({ amount: "1234.50", currency: "EUR" })), "1.234,50 €");
  assert.equal(spaced(percent(42)), "42 %");
  assert.equal(seconds(7.96), "8,0 s");
  assert.equal(timeLeft(41), "Noch etwa 45 s");
  assert.equal(moment(then, now), "morgen um 01:00");
  assert.equal(stageOf({ status: "queued", stage: null, queuePosition: 3 }), "Nummer 3 in der Warteschlange");
  await speak("fr", []);
  assert.equal(spaced(bytes(4_210_334)), "4,2 Mo");
  assert.equal(moment(then, now), "demain à 01:00");
  await speak("es", []);
  assert.equal(moment(then, now), "mañana a la 01:00");
});

test("what goes wrong is said in the language too, but for what the server says in it", async () => {
  await speak("de", []);
  const failure = { status: 422, code: "validation_failed", detail: "Höchstens 8192 Bytes.", resetsAt: null };
  assert.equal(detailOf({ ...failure, fields: { enhancedPrompt: failure.detail } }), failure.detail);
  assert.equal(detailOf({ ...failure, fields: { body: "The picture is cut short." } }), de.errors.noPicture);
  assert.equal(detailOf({ ...failure, code: "rate_limited", fields: {} }), de.errors.rateLimited);
});
