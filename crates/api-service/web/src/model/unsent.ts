// Messages that the server has not confirmed: which of them go out again by themselves. Pure.

import type { Pending } from "./state";
import type { Failure } from "./types";

/** How long the server is sure to know a message by its key, in milliseconds; it promises a day. */
const KNOWN = 23 * 60 * 60 * 1000;

/** Of a message whose outcome nobody has heard, since the page was closed. */
export const INTERRUPTED: Failure = {
  status: 0,
  code: "interrupted",
  detail: "The page was closed before it was on its way.",
  fields: {},
  resetsAt: null,
};

/** Whether the key may be forgotten by now, so that sending it again could say it twice. */
export const isOutdated = ({ createdAt }: Pick<Pending, "createdAt">, now: number): boolean =>
  now - Date.parse(createdAt) > KNOWN;

/** Whether it is sent again without being asked: nothing was wrong with it but the way to the server. */
export function goesAgain({ createdAt, error }: Pick<Pending, "createdAt" | "error">, now: number): boolean {
  if (error === null || isOutdated({ createdAt }, now)) return false;
  const { status, code } = error;
  return status === 0 || status >= 500 || [401, 408, 425, 429].includes(status) || code.includes("in_flight");
}
