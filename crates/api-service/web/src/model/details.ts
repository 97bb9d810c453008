// The facts of a generation as pairs of a name and a value.

import { bytes, money, seconds } from "../format";
import type { Generation } from "./types";

const SHAPES: Record<string, string> = { "16:9": "16:9, wide", "9:16": "9:16, upright", "1:1": "1:1, square" };

export type Pair = readonly [name: string, value: string];

type Facts = Pick<Generation, "parameters">;

/** What was asked for. */
export function parameterList({ parameters }: Facts): Pair[] {
  const { duration, aspectRatio, resolution, style, negativePrompt, audio, seed, images } = parameters ?? {};
  const pictures = images?.length ?? 0;
  return pairs([
    ["Length", typeof duration === "number" && seconds(duration)],
    ["Shape", SHAPES[aspectRatio ?? ""] ?? aspectRatio],
    ["Resolution", resolution],
    ["Sound", typeof audio === "boolean" && (audio ? "Yes" : "No")],
    ["Style", style],
    ["Without", negativePrompt],
    ["Seed", seed !== undefined && seed !== null && String(seed)],
    ["Pictures", pictures > 0 && String(pictures)],
  ]);
}

/** What it was said to cost. */
export function priceList({ estimatedCost }: Pick<Generation, "estimatedCost">): Pair[] {
  return pairs([["Price", money(estimatedCost)]]);
}

type Result = Pick<Generation, "duration" | "resolution" | "fileSize" | "format" | "processingTime">;

/** What was made, in one line. */
export function resultLine({ duration, resolution, fileSize, format, processingTime }: Result): string {
  return [
    typeof duration === "number" && seconds(duration),
    resolution?.replace("x", "×"),
    typeof fileSize === "number" && bytes(fileSize),
    format?.replace(/^video\//, "").toUpperCase(),
    typeof processingTime === "number" && `made in ${seconds(Math.round(processingTime))}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * The address of the picture for a place that is so many pixels wide. It leads to a fresh link each time: the links in
 * a generation die after an hour, and a page may stay open for longer.
 */
export const posterUrl = (id: string, pixels: number): string =>
  `/api/generations/${id}/poster?width=${Math.ceil(pixels)}`;

/** `srcset` of the posters, by addresses that never die; empty if there are none. */
export function posterSet({ id, posters }: Pick<Generation, "id"> & { posters?: Generation["posters"] }): string {
  return (posters ?? []).map(({ width }) => `${posterUrl(id, width)} ${width}w`).join(", ");
}

/** What the codes mean for a person. The server's own message, which says more, and what is charged, stands below. */
const REASONS: Record<string, string> = {
  content_filtered: "The model declined to make this. Describing it differently may help.",
  invalid_request: "The model does not accept this request.",
  provider_unavailable: "The video service is not answering just now.",
  provider_quota: "The video service has no capacity left for now.",
  provider_error: "The video service ran into an error.",
  timeout: "It took too long, so we stopped.",
  invalid_video: "What came back was not a playable video.",
  storage_error: "The video was made but could not be stored.",
  submission_unknown: "Handing it over to the video service went wrong.",
  expired: "It was not confirmed within seven days.",
};

/** Why there is no video. */
export function reasonOf({ status, errorCode }: Pick<Generation, "status" | "errorCode">): string {
  const plain = status === "cancelled" ? "This video was cancelled." : "Something went wrong on the way.";
  return REASONS[errorCode ?? ""] ?? plain;
}

function pairs(list: [string, string | false | null | undefined][]): Pair[] {
  return list.flatMap(([name, value]): Pair[] => (value ? [[name, value]] : []));
}
