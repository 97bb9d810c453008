// The way to the server: the client, told what the page does when the server is away or the session has ended, and
// its errors as what the page keeps of them.

import { createClient, ReelayError } from "@reelay/client";

import type { Failure } from "./model/types";
import { dispatch, state } from "./store";

export const server = createClient({
  onReach: (reached) => dispatch({ type: "network.changed", unreachable: !reached }),
  onUnauthorized() {
    if (state.peek().session.phase !== "signedIn") return;
    dispatch({ type: "session.ended", notice: true });
  },
});

/** Links that redirect to a fresh link each time, so they never die. Those of posters are in `model/details.ts`. */
export const videoUrl = (id: string) => `/api/generations/${id}/video`;
/** As `videoUrl`, but what it leads to is saved, not shown. */
export const downloadUrl = (id: string) => server.videoUrl(id, { download: true });

/** What went wrong. `model/failure.ts` says it to a person. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ReelayError)) {
    // A mistake of the page's own: whoever has the console open shall see it.
    console.error(error);
    return { status: -1, code: "page", detail: "", fields: {}, resetsAt: null };
  }
  const { status, code, errors, resetsAt, requestId } = error;
  return {
    status,
    code,
    detail: error.message,
    fields: Object.fromEntries(errors.map(({ field, message }) => [field, message])),
    requestId: code === "internal" ? requestId : null,
    resetsAt,
  };
}
