// The window's title. It tells from another tab how far the video is.

import { effect } from "@preact/signals";

import { percent } from "./format";
import { generationsOf, type State } from "./model/state";
import { isRunning } from "./model/status";
import { state } from "./store";
import { phrases } from "./words";

function placeOf({ name }: State["route"]): string | undefined {
  const { places } = phrases();
  return name === "gallery" ? places.videos : name === "usage" || name === "settings" ? places[name] : undefined;
}

export function titleOf(current: State): string {
  const { route, session, conversations, generations } = current;
  if (session.phase !== "signedIn") return "Reelay";
  const all =
    route.name === "conversation" ? generationsOf(current, route.id) : Object.values(generations);
  const running = all.findLast(({ status }) => isRunning(status));
  const name =
    route.name === "conversation"
      ? (conversations.byId[route.id]?.title ?? phrases().places.conversation)
      : route.name === "video"
        ? generations[route.id]?.prompt || phrases().places.video
        : placeOf(route);
  return `${running ? `${percent(Math.floor(running.progress ?? 0))} · ` : ""}${name ? `${name} · ` : ""}Reelay`;
}

export function showTitle(): void {
  effect(() => {
    const title = titleOf(state.value);
    if (document.title !== title) document.title = title;
  });
}
