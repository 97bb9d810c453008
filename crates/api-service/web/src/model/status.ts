// The life of a generation in a person's words. What comes after what, and which of two versions is newer, is the
// client's to say. Pure.

import { isTerminal } from "@reelay/client";

import type { Generation, GenerationStatus } from "./types";

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

const STAGES: Record<string, string> = {
  submitting: "Handing it to the model",
  generating: "Making the pictures",
  downloading: "Fetching the footage",
  processing: "Checking the footage",
  uploading: "Putting it in your library",
  retrying: "That take failed, trying again",
};

/** What a generation's status is called. */
export const STATUS_WORDS: Record<GenerationStatus, string> = {
  pending_clarification: "A few questions",
  pending_confirmation: "Ready when you are",
  confirmed: "Confirmed",
  queued: "Queued",
  processing: "In the making",
  completed: "Ready",
  failed: "Not made",
  cancelled: "Cancelled",
};

/** What is happening now, for a person. */
export function stageOf(generation: Pick<Generation, "status" | "stage" | "queuePosition">): string {
  const { status, stage, queuePosition } = generation;
  if (status === "confirmed") return "Getting ready";
  if (status === "queued") {
    return (queuePosition ?? 0) > 1 ? `Number ${queuePosition} in the queue` : "Next in the queue";
  }
  return STAGES[stage ?? ""] ?? "Making your video";
}

/** What is said beside the way to stop a video, once there is something that a provider could charge for. */
export function costOfStopping(status: GenerationStatus): string {
  return status === "processing" ? "What the provider has begun may be charged." : "";
}

/**
 * Seconds that are left, as the server says; `null` if it says nothing, as of a video that is late: the pace so far would
 * be no better a guess.
 */
export function etaOf({ status, stage, etaSeconds }: Pick<Generation, "status" | "stage" | "etaSeconds">): number | null {
  return status === "processing" && stage !== "retrying" ? (etaSeconds ?? null) : null;
}
