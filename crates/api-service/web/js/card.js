// The card of one generation. It stays the same card through the generation's whole life and changes its face:
// questions, confirmation, progress, then the player, or why there is none.

import { announce } from "./announcer.js";
import { createConfirmation } from "./confirmation.js";
import { parameterList, priceList, wordsList } from "./details.js";
import { h, set, setText, uniqueId } from "./dom.js";
import { createEnded } from "./ended.js";
import { createPlayer } from "./player.js";
import { createProgress } from "./progress.js";
import { createQuestions } from "./questions.js";
import { generationsOf } from "./state.js";
import { faceOf, isWaiting, stageOf } from "./status.js";

const FACES = {
  questions: createQuestions,
  confirmation: createConfirmation,
  progress: createProgress,
  player: createPlayer,
  ended: createEnded,
};

const WORDS = {
  pending_clarification: "A few questions",
  pending_confirmation: "Ready when you are",
  confirmed: "Confirmed",
  queued: "Queued",
  processing: "In the making",
  completed: "Ready",
  failed: "Not made",
  cancelled: "Cancelled",
};

export function createCard({ actions }) {
  const id = uniqueId("card");
  const status = h("span", { class: "chip" });
  const model = h("span", { class: "card-model" });
  const title = h("h2", { class: "card-title", id });
  const body = h("div", { class: "card-body" });
  const list = h("dl", { class: "details" });
  const more = h("details", { class: "more" }, h("summary", {}, "Details"), list);
  const error = h("p", { class: "notice bad", role: "alert", hidden: true });
  const card = h(
    "article",
    { class: "card", "aria-labelledby": id, tabindex: -1 },
    h("header", { class: "card-head" }, status, model),
    title,
    error,
    body,
    more,
  );
  let shown = null;
  let face = null;
  let said = null;

  /** A face is made anew only if what it is made from has changed: a form half filled in stays. */
  function turn(generation) {
    const name = faceOf(generation.status);
    const key = name === "questions" ? name + JSON.stringify(generation.clarificationQuestions) : name;
    if (key === shown) return;
    // The button that had the focus goes with the old face; the keyboard goes on at the new one. Never on a
    // button: a key held too long must not buy anything.
    const here = body.contains(document.activeElement);
    shown = key;
    face = FACES[name](generation, { actions });
    body.replaceChildren(face.el);
    set(card, "data-face", name);
    if (here) (face.focusTarget ?? card).focus({ preventScroll: true });
  }

  function speak(generation) {
    const quarter = Math.floor((generation.progress ?? 0) / 25) * 25;
    const word =
      faceOf(generation.status) === "progress"
        ? `${stageOf(generation)}, ${quarter} %`
        : WORDS[generation.status];
    if (said !== null && said !== word) announce(`Video: ${word}`, id);
    said = word;
  }

  return {
    el: h("li", { class: "turn card-turn" }, card),
    update({ generation }, state) {
      const deed = state.deeds[generation.id];
      turn(generation);
      const retried = generationsOf(state, generation.conversationId).some(
        ({ retryOf }) => retryOf === generation.id,
      );
      face.update(generation, { deed, retried });
      more.hidden = isWaiting(generation.status);
      list.replaceChildren(...wordsList(generation), ...parameterList(generation), ...priceList(generation));
      setText(title, generation.prompt || "A new video");
      setText(status, WORDS[generation.status] ?? generation.status);
      set(card, "data-status", generation.status);
      setText(model, generation.model ?? generation.provider ?? "");
      // What failed is history once the generation has moved on, and a face may say it better.
      const failed = deed?.error && deed.status === generation.status && !face.shows?.(deed.error);
      error.hidden = !failed;
      setText(error, failed ? deed.error.detail : "");
      speak(generation);
    },
  };
}
