// The words that the provider is asked with: what the form shows, means, and makes of news.

import assert from "node:assert/strict";
import { test } from "node:test";

import { differs, draftOf, followed, meant, restored, type Wording, wordingOf } from "../../src/model/wording";

const prompt = "a paper boat";
const better = "A small paper boat drifts along a gutter at dusk.";

test("proposed words are shown, and without them the user's own", () => {
  assert.deepEqual(wordingOf({ prompt, enhancedPrompt: better }), { own: false, text: better });
  assert.deepEqual(wordingOf({ prompt, enhancedPrompt: null }), { own: true, text: prompt });
  // A server of before knows nothing of it.
  assert.deepEqual(wordingOf({ prompt }), { own: true, text: prompt });
});

test("a yes means what the form shows", () => {
  const cases: [Wording, string | null][] = [
    [{ own: false, text: ` ${better}\n` }, better],
    [{ own: true, text: better }, null],
    [{ own: false, text: "  " }, null],
  ];
  for (const [form, expected] of cases) assert.equal(meant(form), expected);
});

test("only what is not known yet has to be told", () => {
  const generation = { prompt, enhancedPrompt: better };
  const cases: [Wording, { prompt: string; enhancedPrompt?: string | null }, boolean][] = [
    [{ own: false, text: better }, generation, false],
    [{ own: false, text: `${better} ` }, generation, false],
    [{ own: false, text: "Another boat." }, generation, true],
    [{ own: true, text: better }, generation, true],
    [{ own: true, text: prompt }, { prompt }, false],
    [{ own: false, text: prompt }, { prompt, enhancedPrompt: null }, false],
    [{ own: false, text: "Another boat." }, { prompt, enhancedPrompt: null }, true],
  ];
  for (const [form, known, expected] of cases) {
    assert.equal(differs(form, known), expected, JSON.stringify(form));
  }
});

test("news replace what nobody has touched, and nothing else", () => {
  const before = { prompt, enhancedPrompt: better };
  const now = { prompt, enhancedPrompt: "From another tab." };
  assert.deepEqual(followed(wordingOf(before), before, now), wordingOf(now));
  const written = { own: false, text: "What I am writ" };
  assert.deepEqual(followed(written, before, now), written);
  const own = { own: true, text: better };
  assert.deepEqual(followed(own, before, now), own);
  assert.deepEqual(followed(wordingOf(before), before, { prompt, enhancedPrompt: null }), {
    own: true,
    text: prompt,
  });
});

test("what is written counts by what it means, so that news are followed once it was told", () => {
  const told = { prompt, enhancedPrompt: "A black swan." };
  const now = { prompt, enhancedPrompt: "A black swan., at night" };
  assert.deepEqual(followed({ own: false, text: "A black swan. " }, told, now), wordingOf(now));
  // Own words were chosen and told; the proposed ones still stand in the form behind them.
  const own = { prompt, enhancedPrompt: null };
  assert.deepEqual(followed({ own: true, text: better }, own, now), wordingOf(now));
  // Without news of the words they go on standing there.
  assert.deepEqual(followed({ own: true, text: better }, own, { ...own }), { own: true, text: better });
});

test("a draft stands only as long as the words that it was made from", () => {
  const before = { prompt, enhancedPrompt: better };
  const written = { own: false, text: "What I am writ" };
  const draft = JSON.parse(JSON.stringify(draftOf(written, before)));
  assert.deepEqual(restored(draft, before), written);
  for (const now of [
    { prompt, enhancedPrompt: null },
    { prompt, enhancedPrompt: "From the chat." },
    { prompt: "a paper boat, at night", enhancedPrompt: better },
  ]) {
    assert.deepEqual(restored(draft, now), wordingOf(now), JSON.stringify(now));
  }
  // As it was kept before it said what it was made from.
  assert.deepEqual(restored(written, before), wordingOf(before));
  assert.deepEqual(restored(null, { prompt }), { own: true, text: prompt });
  assert.equal(draftOf(wordingOf(before), before), null, "what the server has is no draft");
});
