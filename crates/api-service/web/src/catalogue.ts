// The models that the server offers, read once when they are first of use.

import { signal } from "@preact/signals";

import type { OfferedModel } from "./model/types";

/** Empty until they are read. */
export const models = signal<readonly OfferedModel[]>([]);
