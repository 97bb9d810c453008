// Why there is no video, and the way to try again.

import { useEffect, useRef } from "preact/hooks";

import * as actions from "../actions";
import { reasonOf } from "../model/details";
import type { Deed } from "../model/state";
import type { Generation } from "../model/types";
import { Button, Icon } from "../parts/icon";
import { openVariation } from "../parts/variation";
import { phrases } from "../words";

interface EndedProps {
  generation: Generation;
  deed: Deed | undefined;
  retried: boolean;
}

export function Ended({ generation, deed, retried }: EndedProps) {
  const buttons = useRef<HTMLDivElement>(null);
  const note = useRef<HTMLParagraphElement>(null);
  const asked = deed?.name === "retry";
  const { act, ended } = phrases();

  // The button that had the focus gives way to the note.
  useEffect(() => {
    const lost = document.activeElement === document.body;
    if (retried && asked && lost) note.current?.focus({ preventScroll: true });
  }, [retried]);

  return (
    <div class="ended">
      <div class="ended-text">
        <Icon name={generation.status === "failed" ? "alert" : "stop"} />
        <div>
          <p class="reason">{reasonOf(generation)}</p>
          {generation.errorMessage && <p class="muted">{generation.errorMessage}</p>}
        </div>
      </div>
      <div class="buttons" ref={buttons}>
        {retried ? (
          <p class="muted" tabIndex={-1} ref={note}>
            {ended.retried}
          </p>
        ) : (
          <Button icon="retry" busy={deed?.busy} onClick={() => void actions.retry(generation)}>
            {act.retry}
          </Button>
        )}
        {generation.prompt && (
          <Button icon="vary" onClick={() => openVariation(generation)}>
            {ended.change}
          </Button>
        )}
      </div>
    </div>
  );
}
