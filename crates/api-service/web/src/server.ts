// The way to the server: the client, told what the page does when the server is away or the session has ended, and
// its errors as what a view shows.

import { createClient, ReelayError } from "@reelay/client";

import type { Failure } from "./model/types";
import { dispatch, state } from "./store";

export const server = createClient({
  onReach: (reached) => dispatch({ type: "network.changed", unreachable: !reached }),
  onUnauthorized() {
    if (state.peek().session.phase !== "signedIn") return;
    dispatch({ type: "session.ended", notice: "Your session has ended. Please sign in again." });
  },
});

/** Links that redirect to a fresh link each time, so they never die. Those of posters are in `model/details.ts`. */
export const videoUrl = (id: string) => `/api/generations/${id}/video`;
/** As `videoUrl`, but what it leads to is saved, not shown. */
export const downloadUrl = (id: string) => server.videoUrl(id, { download: true });

/** A mistake of the server's own. Its own word for it promises what only this one shows: the request's id. */
const OURS = "Something went wrong on our side.";
const ours = (requestId: string | null) =>
  requestId ? `${OURS} The request id ${requestId} helps us to find it.` : OURS;

const UNREACHABLE = "Reelay could not be reached. Check your connection and try again.";

/** What went wrong, as a view shows it. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ReelayError)) {
    // A mistake of the page's own: whoever has the console open shall see it.
    console.error(error);
    const detail = "Something went wrong on this page. Please try again.";
    return { status: -1, code: "page", detail, fields: {}, resetsAt: null };
  }
  const { status, code, errors, resetsAt, requestId } = error;
  const mistake = code === "internal";
  return {
    status,
    code,
    detail: mistake ? ours(requestId) : status === 0 ? UNREACHABLE : error.message,
    fields: Object.fromEntries(errors.map(({ field, message }) => [field, message])),
    requestId: mistake ? requestId : null,
    resetsAt,
  };
}
