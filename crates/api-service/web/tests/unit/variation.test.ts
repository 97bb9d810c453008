// What can be asked of a model, and which pictures go together.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Attachment, OfferedModel } from "../../src/model/types";
import {
  durationsOf,
  fit,
  leftOutOf,
  modelOf,
  nextRole,
  parametersOf,
  picturesAllowed,
  priceOf,
  type Role,
  rolesOf,
  takenOf,
  wrongWith,
} from "../../src/model/variation";
import { isScale } from "../../src/parts/choices";

const usd = (amount: string) => ({ amount, currency: "USD" });
const VEO: OfferedModel = {
  provider: "veo3",
  model: "veo",
  name: "Veo",
  default: true,
  durations: [4, 6, 8],
  aspectRatios: ["16:9", "9:16"],
  resolutions: [
    { name: "720p", durations: [4, 6, 8], pricePerSecond: usd("0.40") },
    { name: "1080p", durations: [8], pricePerSecond: usd("0.1234") },
  ],
  defaults: { duration: 8, aspectRatio: "16:9", resolution: "720p" },
  audio: "always",
  seed: false,
  negativePrompt: true,
  maxPromptBytes: 8192,
  images: { firstFrame: true, lastFrame: true, references: 3, referencesWithFrames: false },
  typicalLatencySeconds: 90,
};
const PLAIN: OfferedModel = {
  ...VEO,
  model: "plain",
  name: "Plain",
  default: false,
  audio: "optional",
  negativePrompt: false,
  images: { firstFrame: true, lastFrame: false, references: 0, referencesWithFrames: false },
};
const pictures = (...roles: Role[]): Attachment[] =>
  roles.map((role, index) => ({ uploadId: `upl_${index}`, role, name: `${index}.png` }));

test("a model is found by its name, else it is the default", () => {
  assert.equal(modelOf([PLAIN, VEO], "plain"), PLAIN);
  assert.equal(modelOf([PLAIN, VEO], "gone"), VEO);
  assert.equal(modelOf([PLAIN]), PLAIN);
  assert.equal(modelOf([]), undefined);
});

test("a wish becomes the nearest that the model makes", () => {
  const whole = { provider: "veo3", model: "veo" };
  const cases = [
    [{}, { duration: 8, aspectRatio: "16:9", resolution: "720p" }],
    [
      { duration: 5, aspectRatio: "9:16" },
      { duration: 4, aspectRatio: "9:16", resolution: "720p" },
    ],
    [
      { duration: 4, resolution: "1080p" },
      { duration: 8, aspectRatio: "16:9", resolution: "1080p" },
    ],
    [
      { aspectRatio: "1:1", resolution: "8k" },
      { duration: 8, aspectRatio: "16:9", resolution: "720p" },
    ],
  ] as const;
  for (const [wanted, got] of cases) assert.deepEqual(fit(VEO, wanted), { ...whole, ...got });
  assert.deepEqual(durationsOf(VEO, "1080p"), [8]);
  assert.deepEqual(durationsOf(VEO, "8k"), [4, 6, 8]);
});

test("the price is counted without losing a cent", () => {
  assert.deepEqual(priceOf(VEO, fit(VEO, {})), usd("3.20"));
  assert.deepEqual(priceOf(VEO, fit(VEO, { resolution: "1080p" })), usd("0.99"));
  assert.equal(priceOf(VEO, { ...fit(VEO, {}), resolution: "8k" }), null);
});

test("a variation keeps what the model takes, and no seed", () => {
  const before = { duration: 4, style: "ink", negativePrompt: "people", audio: true, seed: 7 };
  const wish = fit(VEO, before);
  const base = { duration: 4, aspectRatio: "16:9", resolution: "720p", style: "ink" };
  assert.deepEqual(parametersOf(VEO, wish, before, []), { ...base, negativePrompt: "people" });
  assert.deepEqual(parametersOf(PLAIN, wish, before, []), { ...base, audio: true });
});

test("pictures get the role that is still open", () => {
  assert.deepEqual(rolesOf(VEO), ["first_frame", "last_frame", "reference"]);
  assert.deepEqual(rolesOf(PLAIN), ["first_frame"]);
  assert.deepEqual([picturesAllowed(VEO), picturesAllowed(PLAIN)], [3, 1]);
  const both = { ...VEO, images: { ...VEO.images, referencesWithFrames: true } };
  assert.equal(picturesAllowed(both), 5);
  assert.equal(nextRole(VEO, []), "first_frame");
  assert.equal(nextRole(VEO, pictures("first_frame")), "last_frame");
  assert.equal(nextRole(VEO, pictures("reference")), "reference");
});

test("pictures that do not go together are told of", () => {
  const cases: [OfferedModel, Role[], RegExp | null][] = [
    [VEO, [], null],
    [VEO, ["first_frame"], null],
    [VEO, ["first_frame", "last_frame"], null],
    [VEO, ["reference", "reference", "reference"], null],
    [VEO, ["last_frame"], /needs one to begin with/],
    [VEO, ["first_frame", "first_frame"], /begins with one/],
    [VEO, ["first_frame", "last_frame", "last_frame"], /ends with one/],
    [VEO, ["first_frame", "reference"], /not both/],
    [VEO, ["reference", "reference", "reference", "reference"], /takes 3/],
    [PLAIN, ["reference"], /takes no pictures/],
  ];
  for (const [model, roles, told] of cases) {
    const wrong = wrongWith(model, pictures(...roles));
    if (told) assert.match(wrong ?? "", told, roles.join());
    else assert.equal(wrong, null, roles.join());
  }
});

test("a variation is made from the pictures of the one before, as far as the model takes them", () => {
  const inputs = (...roles: Role[]) => roles.map((role, index) => ({ uploadId: `upl_${index}`, role }));
  const taken = (model: OfferedModel, ...roles: Role[]) =>
    takenOf(model, inputs(...roles)).map(({ uploadId, role }) => [uploadId, role]);
  assert.deepEqual(taken(VEO, "last_frame", "first_frame"), [
    ["upl_1", "first_frame"],
    ["upl_0", "last_frame"],
  ]);
  assert.deepEqual(taken(PLAIN, "first_frame", "last_frame"), [["upl_0", "first_frame"]]);
  assert.deepEqual(taken(PLAIN, "reference", "reference"), []);
  assert.equal(taken(VEO, "reference", "reference", "reference", "reference").length, 3);
  assert.deepEqual(takenOf(VEO, [{ uploadId: "upl_0" }]), [{ uploadId: "upl_0" }], "the video begins with it");
  const images = inputs("first_frame");
  assert.deepEqual(parametersOf(VEO, fit(VEO, {}), { images, seed: 1 }, images).images, images);
  assert.equal("images" in parametersOf(VEO, fit(VEO, {}), { images }, []), false);
});

test("pictures that are left out are told of", () => {
  assert.equal(leftOutOf(PLAIN, 0, 2), null);
  assert.equal(leftOutOf(PLAIN, 1, 1), "Plain does not take the picture, so it is left out.");
  assert.equal(leftOutOf(PLAIN, 2, 2), "Plain does not take the pictures, so they are left out.");
  assert.equal(leftOutOf(PLAIN, 1, 2), "Plain does not take 1 of the pictures, so it is left out.");
});

test("pictures to show leave only the lengths that go with them", () => {
  const model = { ...VEO, images: { ...VEO.images, referenceDurations: [8] } };
  assert.deepEqual(durationsOf(model, "720p", pictures("reference")), [8]);
  assert.deepEqual(durationsOf(model, "720p", pictures("first_frame")), [4, 6, 8]);
  assert.equal(fit(model, { duration: 4 }, pictures("reference")).duration, 8);
});

test("many numbers in order are a slider, a few are chips", () => {
  const options = (...values: (number | string)[]) => values.map((value) => ({ value, label: String(value) }));
  assert.equal(isScale(options(3, 4, 5, 6, 7, 8, 9, 10)), true);
  assert.equal(isScale(options(4, 6, 8)), false);
  assert.equal(isScale(options(9, 8, 7, 6, 5, 4)), false);
  assert.equal(isScale(options("a", "b", "c", "d", "e", "f")), false);
});
