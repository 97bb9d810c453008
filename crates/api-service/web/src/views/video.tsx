// One video by its address: its card, and the way to the conversation that it comes from.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { Card } from "../faces/card";
import { detailOf } from "../model/failure";
import type { Failure } from "../model/types";
import { useArrival } from "../parts/arrival";
import { CopyRequestId } from "../parts/copy";
import { Button, Icon } from "../parts/icon";
import { Topbar } from "../parts/topbar";
import { conversationHref, galleryHref } from "../routes";
import { failureOf } from "../server";
import { state } from "../store";
import { phrases } from "../words";
import { NotFound } from "./notfound";

export function VideoPage() {
  const { route, generations } = state.value;
  const { act, places, video } = phrases();
  const id = route.name === "video" ? route.id : "";
  const generation = generations[id];
  const heading = useRef<HTMLHeadingElement>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [tried, setTried] = useState(0);
  useArrival((first) => !first && heading.current?.focus());

  useEffect(() => {
    setFailure(null);
    // What is known already may be old: nothing told of it since, unless its conversation was open.
    actions.loadGeneration(id).catch((error: unknown) => setFailure(failureOf(error)));
  }, [id, tried]);

  if (failure?.status === 404) return <NotFound text={video.gone} />;
  return (
    <div class="view scrolls">
      <Topbar title={places.video} heading={heading} />
      <div class="sheet">
        {generation ? (
          <Card generation={generation} />
        ) : failure ? (
          <div class="empty" role="alert">
            <p>{detailOf(failure)}</p>
            <Button icon="retry" onClick={() => setTried(tried + 1)}>
              {act.retry}
            </Button>
            <CopyRequestId failure={failure} />
          </div>
        ) : (
          <div class="skeleton" aria-hidden="true">
            <span />
            <span />
            <span />
          </div>
        )}
        <div class="buttons video-ways">
          {generation && (
            <a class="button small" href={conversationHref(generation.conversationId)}>
              <Icon name="chat" />
              {video.conversation}
            </a>
          )}
          <a class="button small" href={galleryHref()}>
            <Icon name="grid" />
            {video.all}
          </a>
        </div>
      </div>
    </div>
  );
}
