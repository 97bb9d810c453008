// Tells the other tabs of this browser who is signed in. They share the cookie: whatever one of them went on doing for
// whoever was here before, it would do in the next one's name.

import { effect } from "@preact/signals";

import { readMark, writeMark } from "./preferences";
import { state } from "./store";

const USER = "reelay.user";

/** Tells of it from now on, and begins anew when it has changed elsewhere. */
export function followUser(): void {
  let told: string | null | undefined;
  effect(() => {
    const { phase, user } = state.value.session;
    const now = user?.id ?? null;
    // Before the server has been asked there is nothing to tell, and nothing to go on with.
    if (phase === "unknown" || now === told) return;
    told = now;
    writeMark(USER, now);
  });
  const compare = () => {
    if (state.peek().session.phase !== "unknown" && readMark(USER) !== told) location.reload();
  };
  addEventListener("storage", ({ key }) => {
    if (key === USER) compare();
  });
  // A page that the back button brings back as it was has heard of nothing in the meantime.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) compare();
  });
}
