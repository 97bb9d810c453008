// The video while it is being made: how far, at what stage, and about how long still.

import { useId } from "preact/hooks";

import * as actions from "../actions";
import { timeLeft } from "../format";
import type { Deed } from "../model/state";
import { costOfStopping, etaOf, stageOf } from "../model/status";
import type { Generation } from "../model/types";
import { canAsk, enable } from "../notify";
import { ask } from "../parts/dialog";
import { Gate } from "../parts/gate";
import { Button } from "../parts/icon";

interface ProgressProps {
  generation: Generation;
  deed: Deed | undefined;
}

export function Progress({ generation, deed }: ProgressProps) {
  const percent = Math.floor(generation.progress ?? 0);
  const started = generation.status === "processing";
  const doing = stageOf(generation);
  const left = etaOf(generation);
  const stopping = deed?.busy && deed.name === "cancel";
  const cost = costOfStopping(generation.status);
  const note = useId();

  function cancel() {
    if (!started) return void actions.cancel(generation);
    ask({
      title: "Stop making this video?",
      text: `What has been made of it so far is thrown away. ${cost}`,
      yes: "Stop it",
      no: "Keep going",
      danger: true,
      run: () => void actions.cancel(generation),
    });
  }

  return (
    <div class="progress" data-started={started}>
      <Gate generation={generation}>
        <div class="making">
          <div class="beam" />
          <p class="percent" aria-hidden="true">
            {started ? percent : ""}
          </p>
          <p class="stage">{doing}</p>
          <div
            class="frames"
            role="progressbar"
            aria-label="Progress of the video"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={started ? percent : undefined}
            aria-valuetext={`${doing}${started ? `, ${percent} %` : ""}`}
            style={{ "--progress": String(percent / 100) }}
          />
        </div>
      </Gate>
      <div class="film-foot">
        <p class="eta">{left === null ? "You may close this page; we go on without you." : timeLeft(left)}</p>
        <div class="buttons">
          {canAsk.value && (
            <Button look="small" icon="bell" onClick={() => void enable()}>
              Tell me when it is done
            </Button>
          )}
          <Button look="small" busy={deed?.busy} onClick={cancel} aria-describedby={cost ? note : undefined}>
            {stopping ? "Stopping…" : "Cancel"}
          </Button>
        </div>
        {cost && (
          <p class="cost" id={note}>
            {cost}
          </p>
        )}
      </div>
    </div>
  );
}
