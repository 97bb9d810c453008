// Pictures beside what is being written.

import assert from "node:assert/strict";
import { test } from "node:test";

import { attached, type Picture, pictureOf, takenBack } from "../../src/model/pictures";
import type { Attachment } from "../../src/model/types";

const picture = (id: number): Attachment => ({ uploadId: `upl_${id}`, role: "first_frame", name: `${id}.png` });
const loading: Picture = { ...pictureOf(picture(9)), key: "k9", uploadId: null, preview: null };

test("a message that is taken back brings its pictures along, each once and with what it is for", () => {
  const last: Attachment = { ...picture(1), role: "last_frame" };
  const items = takenBack([pictureOf(picture(2)), loading, pictureOf(picture(1))], [last, picture(3)]);
  assert.deepEqual(attached(items), [last, picture(3), picture(2)]);
  assert.equal(items.at(-1), loading, "what is on its way goes on");
  assert.equal(new Set(items.map(({ key }) => key)).size, items.length);
});

test("the small copy of a picture is kept, since the picture itself needs a network", () => {
  const preview = "data:image/jpeg;base64,AA==";
  const kept = attached([{ ...pictureOf(picture(1)), preview }]);
  assert.deepEqual(kept, [{ ...picture(1), preview }]);
  assert.equal(kept.map(pictureOf)[0]?.preview, preview);
});

test("a message carries what the server has", () => {
  assert.deepEqual(attached([loading, pictureOf(picture(1))]), [picture(1)]);
  assert.deepEqual(attached([loading], true).map(({ name }) => name), ["9.png"]);
});
