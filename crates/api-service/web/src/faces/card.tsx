// The card of one generation. It stays the same card through the generation's whole life and changes its face:
// questions, confirmation, progress, then the player, or why there is none.

import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";

import { percent } from "../format";
import { textOf } from "../model/answers";
import { parameterList, priceList } from "../model/details";
import { detailOf } from "../model/failure";
import { type Deed, generationsOf } from "../model/state";
import { faceOf, isWaiting, stageOf, statusOf } from "../model/status";
import type { Generation } from "../model/types";
import { announce } from "../parts/announcer";
import { Pairs } from "../parts/pairs";
import { state } from "../store";
import { phrases } from "../words";
import { Confirmation } from "./confirmation";
import { Ended } from "./ended";
import { Player } from "./player";
import { Progress } from "./progress";
import { Questions } from "./questions";

export function Card({ generation }: { generation: Generation }) {
  const id = useId();
  const card = useRef<HTMLElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const deed = state.value.deeds[generation.id];
  const { card: words } = phrases();
  const name = faceOf(generation.status);
  // A face is made anew only if what it is made from has changed: a form half filled in stays.
  const key = name === "questions" ? name + (generation.clarificationQuestions ?? []).map(textOf).join() : name;

  useFocusKept(key, body, () => video.current ?? card.current);
  useSpoken(generation, id);

  const failure = deed && !deed.busy && deed.status === generation.status ? deed.error : null;
  return (
    <article
      class="card"
      aria-labelledby={id}
      tabIndex={-1}
      ref={card}
      data-status={generation.status}
      data-face={name}
    >
      <header class="card-head">
        <span class="chip">{statusOf(generation)}</span>
        <span class="card-model">{generation.model ?? generation.provider ?? ""}</span>
      </header>
      <h2 class="card-title" id={id} dir="auto">
        {generation.prompt || words.untitled}
      </h2>
      {failure && !isShownByFace(name, deed, generation) && (
        <p class="notice bad" role="alert">
          {detailOf(failure)}
        </p>
      )}
      <div class="card-body" ref={body} key={key}>
        {name === "questions" && <Questions generation={generation} deed={deed} />}
        {name === "confirmation" && <Confirmation generation={generation} deed={deed} />}
        {name === "progress" && <Progress generation={generation} deed={deed} />}
        {name === "player" && <Player generation={generation} video={video} />}
        {name === "ended" && <Ended generation={generation} deed={deed} retried={isRetried(generation)} />}
      </div>
      {!isWaiting(generation.status) && (
        <details class="more">
          <summary>{words.details}</summary>
          {generation.enhancedPrompt && (
            <p class="asked">
              <span class="muted">{words.askedAs} </span>
              {generation.enhancedPrompt}
            </p>
          )}
          <Pairs pairs={[...parameterList(generation), ...priceList(generation)]} />
        </details>
      )}
    </article>
  );
}

function isRetried({ id, conversationId }: Generation): boolean {
  return generationsOf(state.value, conversationId).some(({ retryOf }) => retryOf === id);
}

/** Whether the face says itself what went wrong, and better. */
function isShownByFace(face: string, deed: Deed | undefined, generation: Generation): boolean {
  if (face === "confirmation") return deed?.name === "confirm" || deed?.name === "reword";
  const questions = generation.clarificationQuestions ?? [];
  return face === "questions" && questions.some(({ id }) => deed?.error?.fields[`responses.${id}`]);
}

/**
 * The button that had the focus goes with the old face; the keyboard goes on at the new one. Never on a button:
 * a key held too long must not buy anything.
 */
function useFocusKept(
  key: string,
  body: { readonly current: HTMLElement | null },
  target: () => HTMLElement | null,
): void {
  const shown = useRef(key);
  // Asked before the new face stands there, since the old one takes the focus with it.
  const here = body.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    if (shown.current === key) return;
    shown.current = key;
    if (here) target()?.focus({ preventScroll: true });
  }, [key]);
}

/** Says what becomes of the video, in quarters. */
function useSpoken(generation: Generation, topic: string): void {
  const quarter = Math.floor((generation.progress ?? 0) / 25) * 25;
  const word =
    faceOf(generation.status) === "progress"
      ? `${stageOf(generation)}, ${percent(quarter)}`
      : statusOf(generation);
  const { card } = phrases();
  const said = useRef(word);
  useEffect(() => {
    if (said.current === word) return;
    said.current = word;
    announce(card.spoken(word), topic);
  }, [word]);
}
