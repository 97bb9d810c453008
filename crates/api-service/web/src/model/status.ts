// The life of a generation in a person's words. What comes after what, and which of two versions is newer, is the
// client's to say. Pure.

import { isTerminal } from "@reelay/client";

import { number } from "../format";
import type { Generation, GenerationStatus } from "./types";
import { phrases } from "../words";

export { isRunning, isTerminal, isWaiting, newest } from "@reelay/client";

export type Face = "questions" | "confirmation" | "progress" | "player" | "ended";

/** Which face the generation's card shows. */
export function faceOf(status: GenerationStatus): Face {
  if (status === "pending_clarification") return "questions";
  if (status === "pending_confirmation") return "confirmation";
  if (status === "completed") return "player";
  if (isTerminal(status)) return "ended";
  return "progress";
}

/** The statuses of what is being made, in the order in which a video goes through them. */
export const RUNNING: readonly GenerationStatus[] = ["confirmed", "queued", "processing"];

/** What a generation's status is called; one of the future by its own name. */
export const statusOf = ({ status }: Pick<Generation, "status">): string => phrases().status[status] ?? status;

/** What is happening now, for a person. */
export function stageOf(generation: Pick<Generation, "status" | "stage" | "queuePosition">): string {
  const { status, stage, queuePosition } = generation;
  const { stages } = phrases();
  if (status === "confirmed") return stages.confirmed;
  if (status === "queued") {
    const place = queuePosition ?? 0;
    return place > 1 ? stages.place(number(place)) : stages.next;
  }
  return stages[stage ?? "other"] ?? stages.other;
}

/** What is said beside the way to stop a video, once there is something that a provider could charge for. */
export function costOfStopping(status: GenerationStatus): string {
  return status === "processing" ? phrases().progress.cost : "";
}

/**
 * Seconds that are left, as the server says; `null` if it says nothing, as of a video that is late: the pace so far would
 * be no better a guess.
 */
export function etaOf({ status, stage, etaSeconds }: Pick<Generation, "status" | "stage" | "etaSeconds">): number | null {
  return status === "processing" && stage !== "retrying" ? (etaSeconds ?? null) : null;
}
