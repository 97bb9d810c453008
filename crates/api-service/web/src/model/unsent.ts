// Messages that the server has not confirmed: which of them go out again by themselves. Pure.

import type { Pending } from "./state";
import type { Failure } from "./types";

/** How long the server is sure to know a message by its key, in milliseconds; it promises a day. */
const KNOWN = 23 * 60 * 60 * 1000;

/**
 * How long a message is sure to be about what its writer had before them, in milliseconds. A yes that comes hours late
 * could agree to a price that was offered since: whoever wrote it is asked.
 */
export const FRESH = 2 * 60 * 1000;

/** Of a message whose outcome nobody has heard, since the page was closed or its user had to sign in again. */
export const INTERRUPTED: Failure = {
  status: 0,
  code: "interrupted",
  detail: "",
  fields: {},
  resetsAt: null,
};

/** Whether the key may be forgotten by now, so that sending it again could say it twice. */
export const isOutdated = ({ createdAt }: Pick<Pending, "createdAt">, now: number): boolean =>
  now - Date.parse(createdAt) > KNOWN;

/**
 * Whether it is sent again without being asked: it is fresh, and nothing was wrong with it but the way to the server.
 * One that was written behind another is not: what that one changes, such as a price, its writer has not seen.
 */
export function goesAgain(message: Pick<Pending, "createdAt" | "error" | "behind">, now: number): boolean {
  const { createdAt, error, behind = false } = message;
  if (error === null || behind || now - Date.parse(createdAt) > FRESH) return false;
  const { status, code } = error;
  return status === 0 || status >= 500 || [401, 408, 425].includes(status) || code.includes("in_flight");
}
