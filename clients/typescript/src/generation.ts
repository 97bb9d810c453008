// The life of a generation: what comes after what, and which of two versions is newer. Pure. It must not know where a
// version came from (an answer, an event, a poll).

import type { components } from "./schema.js";

export type Generation = components["schemas"]["Generation"];
export type GenerationStatus = components["schemas"]["GenerationStatus"];

const ORDER: readonly GenerationStatus[] = [
  "pending_clarification",
  "pending_confirmation",
  "confirmed",
  "queued",
  "processing",
  "completed",
  "failed",
  "cancelled",
];

/** Whether nothing comes after this status. */
export function isTerminal(status: GenerationStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** Whether the service is at work on it. */
export function isRunning(status: GenerationStatus): boolean {
  return status === "confirmed" || status === "queued" || status === "processing";
}

/** Whether it waits for the user. */
export function isWaiting(status: GenerationStatus): boolean {
  return status === "pending_clarification" || status === "pending_confirmation";
}

/** What differs each time a generation is read, although nothing happened to it. */
const VOLATILE = new Set(["resultUrl", "thumbnailUrl", "posters", "eventsCursor"]);

/**
 * Merges what is known of a generation with a version that has just arrived. A status never goes back and a terminal
 * one never changes, so the status decides first, then the attempt, then the clock: answers, events and polls may
 * overtake one another. Returns `known` itself if the arrival is older or brings nothing.
 */
export function newest(known: Generation | null, arrived: Generation): Generation {
  if (!known) return arrived;
  const step = ORDER.indexOf(arrived.status) - ORDER.indexOf(known.status);
  if (isTerminal(known.status) ? step !== 0 : step < 0) return known;
  if (step > 0) return arrived;
  if (arrived.attempt < known.attempt) return known;
  const later = Date.parse(arrived.updatedAt) - Date.parse(known.updatedAt);
  if (later < 0) return known;
  const merged = { ...arrived };
  // Within an attempt progress never goes back.
  if (arrived.attempt === known.attempt) merged.progress = Math.max(known.progress, arrived.progress);
  return same(known, merged) ? known : merged;
}

function same(one: Generation, other: Generation): boolean {
  return fixed(one) === fixed(other);
}

/** As text, in which neither the order of keys counts nor whether what is absent is written as `null`. */
function fixed(generation: Generation): string {
  const lasting = Object.entries(generation).filter(([name]) => !VOLATILE.has(name));
  return JSON.stringify(Object.fromEntries(lasting), (_name, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).filter(([, held]) => held !== null);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
