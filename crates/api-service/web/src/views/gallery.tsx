// All videos, newest first, as a wall of pictures.

import { useEffect, useRef } from "preact/hooks";

import * as actions from "../actions";
import { now } from "../clock";
import { day, percent, seconds, shorten } from "../format";
import { posterSet, posterUrl } from "../model/details";
import { detailOf } from "../model/failure";
import { galleryOf } from "../model/state";
import { isRunning, isWaiting, stageOf, statusOf } from "../model/status";
import type { Generation } from "../model/types";
import { useArrival } from "../parts/arrival";
import { CopyRequestId } from "../parts/copy";
import { shapeOf } from "../parts/gate";
import { Button, Icon, IconButton } from "../parts/icon";
import { Topbar } from "../parts/topbar";
import { openVariation } from "../parts/variation";
import { conversationHref, galleryHref, homeHref, videoHref } from "../routes";
import { state } from "../store";
import { phrases } from "../words";

/** About how wide a tile is, in CSS pixels. */
const WIDTH = 288;

export function Gallery() {
  const { route, gallery } = state.value;
  const { act, app, gallery: words, places, status: names } = phrases();
  const filters = [
    ["", words.all],
    ["completed", names.completed],
    ["running", names.processing],
    ["failed", names.failed],
    ["cancelled", names.cancelled],
  ] as const;
  const status = route.name === "gallery" ? route.status : "";
  const shown = galleryOf(state.value);
  const heading = useRef<HTMLHeadingElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const { phase, error, nextCursor } = gallery;
  useArrival((first) => !first && heading.current?.focus());

  useEffect(() => void actions.loadGallery(status, true), [status]);
  // The next page is fetched before its place comes into sight.
  useEffect(() => {
    const element = end.current;
    if (!element || phase !== "ready" || !nextCursor) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && void actions.loadGallery(status, false),
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [status, phase, nextCursor]);

  const loading = phase === "loading" || phase === "idle";
  return (
    <div class="view scrolls">
      <Topbar title={places.videos} heading={heading} />
      <div class="sheet wide">
        <nav class="filters" aria-label={words.filters}>
          {filters.map(([name, label]) => (
            <a
              key={name}
              class="filter"
              href={galleryHref(name)}
              aria-current={name === status ? "page" : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        {phase === "failed" && shown.length === 0 ? null : (
          <ul class="wall" aria-label={places.videos} aria-busy={loading ? "true" : undefined}>
            {shown.map((generation) => (
              <Tile key={generation.id} generation={generation} />
            ))}
            {loading && shown.length === 0 && Array.from({ length: 6 }, (_, index) => <Blank key={index} />)}
          </ul>
        )}
        {phase === "failed" && (
          <div class="empty" role="alert">
            <p>{error && detailOf(error)}</p>
            <Button icon="retry" onClick={() => void actions.loadGallery(status, shown.length === 0)}>
              {act.retry}
            </Button>
            <CopyRequestId failure={error} />
          </div>
        )}
        {phase === "ready" && shown.length === 0 && (
          <div class="empty" role="status">
            <p>{status ? words.noneOfThese : words.none}</p>
            <a class="button primary" href={homeHref}>
              {app.start}
            </a>
          </div>
        )}
        <div ref={end} class="wall-end">
          {loading && shown.length > 0 && <p class="muted">{app.loading}</p>}
        </div>
      </div>
    </div>
  );
}

function Blank() {
  return (
    <li class="tile blank" aria-hidden="true">
      <span class="tile-picture" />
      <span class="tile-title" />
    </li>
  );
}

function Tile({ generation }: { generation: Generation }) {
  const { id, status, prompt, createdAt, parameters, conversationId } = generation;
  const { act, card } = phrases();
  const done = status === "completed";
  const length = generation.duration ?? parameters.duration;
  const facts = [day(createdAt, new Date(now.value)), typeof length === "number" ? seconds(Math.round(length)) : ""];
  return (
    <li class="tile" data-status={status}>
      <a class="tile-link" href={isWaiting(status) ? conversationHref(conversationId) : videoHref(id)}>
        <span class="tile-picture">
          {done ? <Picture generation={generation} /> : <Stand generation={generation} />}
        </span>
        <span class="tile-title" dir="auto">{shorten(prompt || card.untitled, 120)}</span>
      </a>
      <div class="tile-foot">
        <p>
          {!done && <span class="chip">{statusOf(generation)}</span>}
          {facts.filter(Boolean).join(" · ")}
        </p>
        {done && <IconButton icon="vary" label={act.vary} onClick={() => openVariation(generation)} />}
        {(status === "failed" || status === "cancelled") && prompt && (
          <IconButton icon="retry" label={act.retry} onClick={() => void retry(generation)} />
        )}
      </div>
    </li>
  );
}

/** What is tried again waits for its yes where it was asked for. */
async function retry(generation: Generation): Promise<void> {
  await actions.retry(generation);
  if (!state.peek().deeds[generation.id]?.error) location.hash = conversationHref(generation.conversationId);
}

function Picture({ generation }: { generation: Generation }) {
  const set = posterSet(generation);
  return (
    <img
      src={posterUrl(generation.id, WIDTH * devicePixelRatio)}
      {...(set ? { srcset: set, sizes: "(max-width: 34rem) 92vw, 18rem" } : {})}
      alt=""
      loading="lazy"
      decoding="async"
      class={shapeOf(generation) < 1 ? "upright" : ""}
    />
  );
}

/** What stands where a picture will be, or never came. */
function Stand({ generation }: { generation: Generation }) {
  const { status, progress } = generation;
  if (isRunning(status)) {
    return (
      <span class="tile-making">
        <span class="tile-percent">{status === "processing" ? percent(Math.floor(progress)) : ""}</span>
        <span>{stageOf(generation)}</span>
      </span>
    );
  }
  return (
    <span class="tile-making">
      <Icon name={status === "failed" ? "alert" : status === "cancelled" ? "stop" : "chat"} />
    </span>
  );
}
