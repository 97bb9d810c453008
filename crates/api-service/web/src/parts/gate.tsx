// The film gate: the frame that a video appears in. It has the video's shape from the first moment, so that
// nothing moves when the video arrives.

import type { ComponentChildren } from "preact";

import { ratio } from "../format";
import type { Generation } from "../model/types";

export function shapeOf(generation: Generation): number {
  return ratio(generation.parameters?.aspectRatio) ?? ratio(generation.resolution) ?? 16 / 9;
}

export function Gate({ generation, children }: { generation: Generation; children: ComponentChildren }) {
  return (
    <div class="film">
      <div class="gate" style={{ "--ratio": String(shapeOf(generation)) }}>
        {children}
      </div>
    </div>
  );
}
