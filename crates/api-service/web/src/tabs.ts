// Tells the other tabs of this browser who is signed in. They share the cookie: whatever one of them went on doing for
// whoever was here before, it would do in the next one's name.

import { effect } from "@preact/signals";

import { readMark, writeMark } from "./preferences";
import { state } from "./store";

const USER = "reelay.user";

/** Tells of it from now on, and begins anew when it has changed elsewhere. */
export function followUser(): void {
  let told: string | null = null;
  effect(() => {
    const user = state.value.session.user?.id ?? null;
    if (user === told) return;
    told = user;
    writeMark(USER, user);
  });
  addEventListener("storage", ({ key }) => {
    // Before the server has been asked there is nothing to go on with.
    if (key !== USER || state.peek().session.phase === "unknown") return;
    if (readMark(USER) !== told) location.reload();
  });
}
