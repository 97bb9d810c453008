// The facts of a generation as pairs of a name and a value.

import { bytes, money, number, seconds } from "../format";
import { phrases } from "../words";
import type { Generation } from "./types";

export type Pair = readonly [name: string, value: string];

type Facts = Pick<Generation, "parameters">;

/** What was asked for. */
export function parameterList({ parameters }: Facts): Pair[] {
  const { duration, aspectRatio, resolution, style, negativePrompt, audio, seed, images } = parameters ?? {};
  const { facts } = phrases();
  const shapes: Readonly<Record<string, string>> = facts.shapes;
  const pictures = images?.length ?? 0;
  return pairs([
    [facts.length, typeof duration === "number" && seconds(duration)],
    [facts.shape, shapes[aspectRatio ?? ""] ?? aspectRatio],
    [facts.resolution, resolution],
    [facts.sound, typeof audio === "boolean" && (audio ? facts.yes : facts.no)],
    [facts.style, style],
    [facts.without, negativePrompt],
    [facts.seed, seed !== undefined && seed !== null && String(seed)],
    [facts.pictures, pictures > 0 && number(pictures)],
  ]);
}

/** What it was said to cost. */
export function priceList({ estimatedCost }: Pick<Generation, "estimatedCost">): Pair[] {
  return pairs([[phrases().facts.price, money(estimatedCost)]]);
}

type Result = Pick<Generation, "duration" | "resolution" | "fileSize" | "format" | "processingTime">;

/** What was made, in one line. */
export function resultLine({ duration, resolution, fileSize, format, processingTime }: Result): string {
  return [
    typeof duration === "number" && seconds(duration),
    resolution?.replace("x", "×"),
    typeof fileSize === "number" && bytes(fileSize),
    format?.replace(/^video\//, "").toUpperCase(),
    typeof processingTime === "number" && phrases().facts.madeIn(seconds(Math.round(processingTime))),
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

/** Why there is no video. */
export function reasonOf({ status, errorCode }: Pick<Generation, "status" | "errorCode">): string {
  const { ended } = phrases();
  const reasons: Readonly<Record<string, string>> = ended.reasons;
  return reasons[errorCode ?? ""] ?? (status === "cancelled" ? ended.cancelled : ended.other);
}

function pairs(list: [string, string | false | null | undefined][]): Pair[] {
  return list.flatMap(([name, value]): Pair[] => (value ? [[name, value]] : []));
}
