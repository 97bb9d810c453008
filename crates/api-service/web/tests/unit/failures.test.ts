// What went wrong, as a view shows it.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./stage";
import { ReelayError } from "@reelay/client";
import { detailOf, wrongWithAccount } from "../../src/model/failure";
import type { Failure } from "../../src/model/types";
import { INTERRUPTED } from "../../src/model/unsent";
import { failureOf } from "../../src/server";
import { en } from "../../src/words/en";

const detail = "Something went wrong on our side. The request id helps us to find it.";
const { auth, errors } = en;

const failure = (status: number, code: string, fields: Record<string, string> = {}): Failure => ({
  status,
  code,
  detail: "the server's own words",
  fields,
  resetsAt: null,
});

test("a request id that is spoken of is shown, and none is spoken of that is not there", () => {
  const known = failureOf(new ReelayError({ status: 500, code: "internal", detail, requestId: "req_1" }));
  assert.match(detailOf(known), /req_1/);
  assert.equal(known.requestId, "req_1");
  const unknown = failureOf(new ReelayError({ status: 500, code: "internal", detail }));
  assert.equal(detailOf(unknown), "Something went wrong on our side.");
});

test("what was refused for a reason of the user's needs no request id", () => {
  const refused = failureOf(new ReelayError({ status: 422, code: "validation_failed", detail: "no", requestId: "req_1" }));
  assert.deepEqual([detailOf(refused), refused.requestId], ["no", null]);
});

test("the page has words of its own for what it knows, and leaves the rest to the server", () => {
  const cases: [Failure, string][] = [
    [INTERRUPTED, errors.interrupted],
    [failure(-1, "page"), errors.page],
    [failure(0, "unreachable"), errors.unreachable],
    [failure(0, "timeout"), errors.unreachable],
    [failure(401, "invalid_credentials"), errors.wrongPassword],
    [failure(401, "unauthenticated"), errors.unauthenticated],
    [failure(404, "not_found"), errors.notFound],
    [failure(409, "invalid_state"), errors.invalidState],
    [failure(409, "idempotency_in_flight"), errors.inFlight],
    [failure(413, "payload_too_large"), errors.tooMuch],
    [failure(415, "unsupported_media_type"), errors.noPicture],
    [failure(422, "validation_failed", { "attachments[0].uploadId": "gone" }), errors.pictureGone],
    [failure(422, "validation_failed", { body: "The picture is animated." }), "The picture is animated."],
    [failure(422, "validation_failed", { attachments: "Nimmt kein Bild." }), "Nimmt kein Bild."],
    [failure(422, "validation_failed", { seed: "Ohne Seed.", audio: "Ohne Ton." }), "Ohne Seed. Ohne Ton."],
    [failure(422, "validation_failed", { seed: "Ohne Seed.", title: "must not be empty" }), "the server's own words"],
    [failure(429, "rate_limited"), errors.rateLimited],
    [failure(429, "too_many_uploads"), errors.tooManyPictures],
    [failure(402, "budget_exceeded"), "the server's own words"],
    [failure(502, "unknown"), errors.unavailable],
    [failure(500, "mistake"), "the server's own words"],
    [failure(503, "unavailable"), errors.unavailable],
  ];
  for (const [failed, expected] of cases) assert.equal(detailOf(failed), expected, failed.code);
});

test("what is wrong with an account is said beside its field", () => {
  const refused = (fields: Record<string, string>) => failure(422, "validation_failed", fields);
  const cases: [Failure, Record<string, string>][] = [
    [failure(409, "email_taken"), { email: errors.emailTaken }],
    [refused({ email: "must be an email address" }), { email: auth.enterEmail }],
    [refused({ name: "must have at most 100 characters" }), { name: auth.nameWrong }],
    [refused({ password: "must have at least 8 characters" }), { password: auth.passwordShort("8") }],
    [refused({ password: "must have at most 1024 bytes" }), { password: auth.passwordLong }],
    [refused({ password: "is odd", other: "too" }), { password: "is odd", other: "too" }],
    [failure(401, "invalid_credentials"), {}],
  ];
  for (const [failed, expected] of cases) assert.deepEqual(wrongWithAccount(failed), expected);
});
