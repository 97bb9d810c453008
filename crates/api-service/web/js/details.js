// The facts of a generation as pairs of a name and a value.

import { h } from "./dom.js";
import { bytes, money, seconds } from "./format.js";

const SHAPES = { "16:9": "16:9, wide", "9:16": "9:16, upright", "1:1": "1:1, square" };

/** What was asked for, as the children of a `dl`. */
export function parameterList({ parameters = {} }) {
  const { duration, aspectRatio, resolution, style, negativePrompt, audio, seed } = parameters;
  return pairs([
    ["Length", Number.isFinite(duration) && seconds(duration)],
    ["Shape", SHAPES[aspectRatio] ?? aspectRatio],
    ["Resolution", resolution],
    ["Sound", typeof audio === "boolean" && (audio ? "Yes" : "No")],
    ["Style", style],
    ["Without", negativePrompt],
    ["Seed", seed !== undefined && seed !== null && String(seed)],
  ]);
}

/** What it was said to cost, likewise. */
export const priceList = ({ estimatedCost }) => pairs([["Price", money(estimatedCost)]]);

/** The words that it is asked for with, where they are not the user's own. */
export const wordsList = ({ enhancedPrompt }) => pairs([["Asked for as", enhancedPrompt]]);

/** What was made, in one line. */
export function resultLine({ duration, resolution, fileSize, format, processingTime }) {
  return [
    Number.isFinite(duration) && seconds(duration),
    resolution?.replace("x", "×"),
    Number.isFinite(fileSize) && bytes(fileSize),
    format?.replace(/^video\//, "").toUpperCase(),
    Number.isFinite(processingTime) && `made in ${seconds(Math.round(processingTime))}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function pairs(list) {
  return list
    .filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}
