// The time, as a signal that moves every few seconds, for what a view says of it.

import { signal } from "@preact/signals";

const STEP = 5_000;

export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, STEP);
