// The life of a generation as the page needs it: what comes after what, and which of two versions is newer.
// Pure. It must not know where a version came from (an answer, an event, a poll).

const ORDER = [
  "pending_clarification",
  "pending_confirmation",
  "confirmed",
  "queued",
  "processing",
  "completed",
  "failed",
  "cancelled",
];
const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const RUNNING = new Set(["confirmed", "queued", "processing"]);

export const isTerminal = (status) => TERMINAL.has(status);

/** Whether somebody other than the user is at work on it, so that it is worth watching. */
export const isRunning = (status) => RUNNING.has(status);

/** Whether it waits for the user. */
export const isWaiting = (status) => status === "pending_clarification" || status === "pending_confirmation";

/** Which face the generation's card shows. */
export function faceOf(status) {
  if (status === "pending_clarification") return "questions";
  if (status === "pending_confirmation") return "confirmation";
  if (status === "completed") return "player";
  if (isTerminal(status)) return "ended";
  return "progress";
}

/**
 * Merges what is known of a generation with a version that has just arrived, whole or in part. A status never
 * goes back and a terminal one never changes, so the status decides first, and only then the clock: answers,
 * events and polls may overtake one another. Returns `known` itself if the arrival brings nothing.
 */
export function newest(known, arrived) {
  if (!known) return arrived;
  if (isTerminal(known.status) && arrived.status !== known.status) return known;
  const step = ORDER.indexOf(arrived.status) - ORDER.indexOf(known.status);
  if (step < 0) return known;
  if (step === 0 && time(arrived.updatedAt) < time(known.updatedAt)) return known;
  const merged = { ...known, ...arrived };
  // A guess at the time left is only as good as the version that it came with.
  if (!("etaSeconds" in arrived) && arrived.updatedAt !== known.updatedAt) delete merged.etaSeconds;
  // Within an attempt progress never goes back. A poll does not tell the attempt; it counts as the same one.
  if (step === 0 && merged.attempt === known.attempt) {
    merged.progress = Math.max(known.progress ?? 0, arrived.progress ?? 0);
  }
  return JSON.stringify(merged) === JSON.stringify(known) ? known : merged;
}

const time = (text) => (text ? Date.parse(text) : 0);

const STAGES = {
  submitting: "Handing it to the model",
  generating: "Making the pictures",
  downloading: "Fetching the footage",
  processing: "Checking the footage",
  uploading: "Putting it in your library",
  retrying: "That take failed, trying again",
};

/** What is happening now, for a person. */
export function stageOf(generation) {
  const { status, stage, queuePosition } = generation;
  if (status === "confirmed") return "Getting ready";
  if (status === "queued") {
    return queuePosition > 1 ? `Number ${queuePosition} in the queue` : "Next in the queue";
  }
  return STAGES[stage] ?? "Making your video";
}

/**
 * Seconds that are left, as the server says, or else as the pace so far suggests; `null` if nothing can be
 * said. `now` is in milliseconds.
 */
export function etaOf(generation, now) {
  if (generation.status !== "processing" || generation.stage === "retrying") return null;
  if (Number.isFinite(generation.etaSeconds)) return generation.etaSeconds;
  const { progress, startedAt, attempt } = generation;
  if (!startedAt || !(progress >= 10) || attempt > 1) return null;
  return Math.max(0, ((now - time(startedAt)) / 1000 / progress) * (100 - progress));
}
