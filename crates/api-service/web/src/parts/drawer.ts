// Whether the list at the side is open where the screen is narrow.

import { signal } from "@preact/signals";

export const drawer = signal(false);
