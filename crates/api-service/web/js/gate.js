// The film gate: the frame that a video appears in. It has the video's shape from the first moment, so that
// nothing moves when the video arrives.

import { h } from "./dom.js";
import { ratio } from "./format.js";

export function createGate(generation, ...content) {
  const gate = h("div", { class: "gate" }, ...content);
  const shape = ratio(generation.parameters?.aspectRatio) ?? ratio(generation.resolution) ?? 16 / 9;
  gate.style.setProperty("--ratio", String(shape));
  return h("div", { class: "film" }, gate);
}
