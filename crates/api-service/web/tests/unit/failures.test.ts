// What went wrong, as a view shows it.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./stage";
import { ReelayError } from "@reelay/client";
import { failureOf } from "../../src/server";

const detail = "Something went wrong on our side. The request id helps us to find it.";

test("a request id that is spoken of is shown, and none is spoken of that is not there", () => {
  const known = failureOf(new ReelayError({ status: 500, code: "internal", detail, requestId: "req_1" }));
  assert.match(known.detail, /req_1/);
  assert.equal(known.requestId, "req_1");
  const unknown = failureOf(new ReelayError({ status: 500, code: "internal", detail }));
  assert.equal(unknown.detail, "Something went wrong on our side.");
});

test("what was refused for a reason of the user's needs no request id", () => {
  const refused = failureOf(new ReelayError({ status: 422, code: "validation_failed", detail: "no", requestId: "req_1" }));
  assert.deepEqual([refused.detail, refused.requestId], ["no", null]);
});
