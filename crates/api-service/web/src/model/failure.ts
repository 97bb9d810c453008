// What went wrong, said to a person: in the page's language where it knows the code, else in the server's words, which
// are in the language of the talk where they are about a video. Pure.

import { number } from "../format";
import { phrases, speech } from "../words";
import type { Failure } from "./types";

export function detailOf({ status, code, detail, fields, requestId }: Failure): string {
  const { errors } = phrases();
  switch (code) {
    case "page":
      return errors.page;
    case "interrupted":
      return errors.interrupted;
    case "internal":
      // The server's own word for it promises what only this one shows: the request's id.
      return requestId ? errors.internalWithId(requestId) : errors.internal;
    case "unavailable":
    case "not_ready":
    case "request_timeout":
    case "incomplete_body":
    case "unreadable":
      return errors.unavailable;
    case "rate_limited":
      return errors.rateLimited;
    case "unauthenticated":
      return errors.unauthenticated;
    case "invalid_credentials":
      return errors.wrongPassword;
    case "email_taken":
      return errors.emailTaken;
    case "not_found":
      return errors.notFound;
    case "idempotency_in_flight":
      return errors.inFlight;
    case "invalid_state":
      return errors.invalidState;
    case "payload_too_large":
      return errors.tooMuch;
    case "unsupported_media_type":
      return errors.noPicture;
    case "too_many_uploads":
      return errors.tooManyPictures;
    case "validation_failed":
      if (Object.keys(fields).some((field) => field.endsWith(".uploadId"))) return errors.pictureGone;
      // What is sent as the body itself is a picture. What the server dislikes about it, it says in English.
      if (fields["body"]) return speech.value.language === "en" ? fields["body"] : errors.noPicture;
      return sentencesOf(fields) ?? detail;
  }
  if (status === 0) return errors.unreachable;
  // Something that stands between has answered.
  return code === "unknown" && status >= 500 ? errors.unavailable : detail;
}

/**
 * What is said of the fields, if it is for persons: whole sentences. The detail names the field as the API does, and of
 * several it only says how many they are.
 */
function sentencesOf(fields: Failure["fields"]): string | null {
  const said = [...new Set(Object.values(fields))];
  return said.length > 0 && said.every((one) => /[.?!]$/.test(one)) ? said.join(" ") : null;
}

/** What is wrong with the fields of an account, which the server says in English; empty if it is something else. */
export function wrongWithAccount(failure: Failure): Readonly<Record<string, string>> {
  const { auth } = phrases();
  if (failure.code === "email_taken") return { email: detailOf(failure) };
  const { email, name, password: told, ...others } = failure.fields;
  return {
    ...others,
    ...(email ? { email: auth.enterEmail } : {}),
    ...(name ? { name: auth.nameWrong } : {}),
    ...(told ? { password: wrongWithPassword(told) } : {}),
  };
}

/** How long it must be is the server's to say: the number in its words. The most is in bytes, which nobody counts. */
function wrongWithPassword(told: string): string {
  const { auth } = phrases();
  const [, least] = /\bat least (\d+)/.exec(told) ?? [];
  if (least) return auth.passwordShort(number(Number(least)));
  return /\bat most \d/.test(told) ? auth.passwordLong : told;
}
