// An address that leads nowhere.

import { useRef } from "preact/hooks";

import { useArrival } from "../parts/arrival";
import { Topbar } from "../parts/topbar";
import { homeHref } from "../routes";
import { phrases } from "../words";

export function NotFound({ text }: { text: string }) {
  const { app } = phrases();
  const heading = useRef<HTMLHeadingElement>(null);
  useArrival((first) => !first && heading.current?.focus());
  return (
    <div class="view">
      <Topbar title={app.notFound} heading={heading} />
      <div class="empty">
        <p>{text}</p>
        <a class="button primary" href={homeHref}>
          {app.start}
        </a>
      </div>
    </div>
  );
}
