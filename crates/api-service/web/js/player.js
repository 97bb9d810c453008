// The finished video.

import { posterUrl, videoUrl } from "./api.js";
import { resultLine } from "./details.js";
import { h, icon, setText } from "./dom.js";
import { shorten } from "./format.js";
import { createGate } from "./gate.js";
import { log } from "./log.js";

/** In pixels of the page: no player is wider, as the column that it stands in (app.css). */
const WIDEST = 720;

export function createPlayer(generation) {
  const { id, prompt, status } = generation;
  const facts = h("p", { class: "facts" });
  const again = h(
    "button",
    { type: "button", class: "button small", on: { click: reload } },
    icon("retry"),
    "Try again",
  );
  const broken = h(
    "div",
    { class: "broken", role: "alert", hidden: true },
    h("p", {}, "The video could not be loaded."),
    again,
  );
  const video = h("video", {
    controls: true,
    playsinline: true,
    preload: "metadata",
    poster: posterUrl(id, Math.min(window.innerWidth, WIDEST) * (window.devicePixelRatio || 1)),
    src: videoUrl(id),
    "aria-label": `Video: ${shorten(prompt || "untitled", 120)}`,
    on: { error: () => (broken.hidden = false), loadedmetadata: () => (broken.hidden = true) },
  });

  function reload() {
    broken.hidden = true;
    video.load();
    video.focus();
  }

  const download = h(
    "a",
    // The link leads to the store, another site, whose answer decides whether it is saved or shown: hence a new tab.
    {
      class: "button small",
      href: `${videoUrl(id)}?download=1`,
      download: "",
      target: "_blank",
      rel: "noopener",
    },
    icon("download"),
    "Download",
  );
  log("Video player displayed", { generationId: id, status });
  return {
    el: h(
      "div",
      { class: "player" },
      createGate(generation, video, broken),
      h("div", { class: "film-foot" }, facts, download),
    ),
    focusTarget: video,
    update(now) {
      setText(facts, resultLine(now));
    },
  };
}
