// The finished video, and what can be done with it.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { shorten } from "../format";
import { log } from "../log";
import { posterUrl, resultLine } from "../model/details";
import type { Generation } from "../model/types";
import { Copy } from "../parts/copy";
import { Gate } from "../parts/gate";
import { Button, Icon } from "../parts/icon";
import { openVariation } from "../parts/variation";
import { videoHref } from "../routes";
import { downloadUrl, videoUrl } from "../server";
import { phrases } from "../words";

/** About how wide the player is at most, in CSS pixels. */
const WIDTH = 680;

interface PlayerProps {
  generation: Generation;
  video: RefObject<HTMLVideoElement | null>;
}

export function Player({ generation, video }: PlayerProps) {
  const { id, prompt, status } = generation;
  const { act, player } = phrases();
  const [broken, setBroken] = useState(false);
  /** Where it stood when its link died; it is fetched anew once before the user is told. */
  const again = useRef<number | null>(null);
  const poster = posterUrl(id, WIDTH * devicePixelRatio);

  useEffect(() => log("Video player displayed", { generationId: id, status }), [id]);

  function failed() {
    const element = video.current;
    if (!element) return;
    if (again.current !== null) return setBroken(true);
    again.current = element.currentTime;
    // Our own address leads to a fresh link each time.
    element.load();
  }

  function loaded() {
    const element = video.current;
    setBroken(false);
    if (element && again.current) element.currentTime = again.current;
  }

  function reload() {
    again.current = null;
    setBroken(false);
    video.current?.load();
    video.current?.focus();
  }

  return (
    <div class="player">
      <Gate generation={generation}>
        <video
          ref={video}
          controls
          playsInline
          preload="metadata"
          poster={poster}
          src={videoUrl(id)}
          aria-label={player.label(shorten(prompt || player.untitled, 120))}
          onError={failed}
          onLoadedMetadata={loaded}
          onPlaying={() => (again.current = null)}
        />
        {broken && (
          <div class="broken" role="alert">
            <p>{player.broken}</p>
            <Button look="small" icon="retry" onClick={reload}>
              {act.retry}
            </Button>
          </div>
        )}
      </Gate>
      <div class="film-foot">
        <p class="facts">{resultLine(generation)}</p>
        <div class="buttons">
          {/* The address of the video's own page, which never dies. The address bar has it as well. */}
          <Copy
            text={new URL(videoHref(id), location.href).href}
            label={player.copyLink}
            icon="link"
            told={player.linkCopied}
            otherwise={() => (location.hash = videoHref(id))}
          />
          {/* The link leads to the store, another site, whose answer decides whether it is saved or shown: hence a new tab. */}
          <a class="button small" href={downloadUrl(id)} download="" target="_blank" rel="noopener">
            <Icon name="download" />
            {player.download}
          </a>
          <Button look="small" icon="vary" onClick={() => openVariation(generation)}>
            {act.vary}
          </Button>
        </div>
      </div>
    </div>
  );
}
