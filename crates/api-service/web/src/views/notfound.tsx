// An address that leads nowhere.

import { useRef } from "preact/hooks";

import { useArrival } from "../parts/arrival";
import { Topbar } from "../parts/topbar";
import { homeHref } from "../routes";

export function NotFound({ text }: { text: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useArrival((first) => !first && heading.current?.focus());
  return (
    <div class="view">
      <Topbar title="Not found" heading={heading} />
      <div class="empty">
        <p>{text}</p>
        <a class="button primary" href={homeHref}>
          Start a new video
        </a>
      </div>
    </div>
  );
}
