// The video while it is being made: how far, at what stage, and about how long still.

import { useId } from "preact/hooks";

import * as actions from "../actions";
import { percent as asPercent, timeLeft } from "../format";
import type { Deed } from "../model/state";
import { costOfStopping, etaOf, stageOf } from "../model/status";
import type { Generation } from "../model/types";
import { canAsk, enable } from "../notify";
import { ask } from "../parts/dialog";
import { Gate } from "../parts/gate";
import { Button } from "../parts/icon";
import { phrases } from "../words";

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
  const { act, progress } = phrases();

  function cancel() {
    if (!started) return void actions.cancel(generation);
    ask({
      title: progress.stopTitle,
      text: `${progress.stopText} ${cost}`,
      yes: progress.stop,
      no: progress.goOn,
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
            aria-label={progress.label}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={started ? percent : undefined}
            aria-valuetext={`${doing}${started ? `, ${asPercent(percent)}` : ""}`}
            style={{ "--progress": String(percent / 100) }}
          />
        </div>
      </Gate>
      <div class="film-foot">
        <p class="eta">{left === null ? progress.mayClose : timeLeft(left)}</p>
        <div class="buttons">
          {canAsk.value && (
            <Button look="small" icon="bell" onClick={() => void enable()}>
              {progress.tellMe}
            </Button>
          )}
          <Button look="small" busy={deed?.busy} onClick={cancel} aria-describedby={cost ? note : undefined}>
            {stopping ? progress.stopping : act.cancel}
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
