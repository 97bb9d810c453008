// The video while it is being made: how far, at what stage, and about how long still.

import { ask } from "./dialog.js";
import { h, set, setBusy, setText } from "./dom.js";
import { timeLeft } from "./format.js";
import { createGate } from "./gate.js";
import { etaOf, stageOf } from "./status.js";

export function createProgress(generation, { actions }) {
  const number = h("p", { class: "percent", "aria-hidden": "true" });
  const stage = h("p", { class: "stage" });
  const eta = h("p", { class: "eta" });
  const bar = h("div", {
    class: "frames",
    role: "progressbar",
    "aria-label": "Progress of the video",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  const cancelButton = h(
    "button",
    { type: "button", class: "button small", on: { click: cancel } },
    "Cancel",
  );
  let current = generation;

  function cancel() {
    if (current.status !== "processing") return void actions.cancel(current);
    ask({
      title: "Stop making this video?",
      text: "What has been made of it so far is thrown away.",
      yes: "Stop it",
      no: "Keep going",
      danger: true,
      run: () => void actions.cancel(current),
    });
  }

  const el = h(
    "div",
    { class: "progress" },
    createGate(generation, h("div", { class: "making" }, h("div", { class: "beam" }), number, stage, bar)),
    h("div", { class: "film-foot" }, eta, cancelButton),
  );

  return {
    el,
    update(now, { deed }) {
      current = now;
      const percent = Math.floor(now.progress ?? 0);
      const started = now.status === "processing";
      const doing = stageOf(now);
      const left = etaOf(now, Date.now());
      set(el, "data-started", started);
      setText(number, started ? `${percent}` : "");
      setText(stage, doing);
      setText(eta, left === null ? "You may close this page; we go on without you." : timeLeft(left));
      bar.style.setProperty("--progress", String(percent / 100));
      set(bar, "aria-valuenow", started ? percent : null);
      set(bar, "aria-valuetext", `${doing}${started ? `, ${percent} %` : ""}`);
      setBusy(cancelButton, deed?.busy);
      setText(cancelButton, deed?.busy && deed.name === "cancel" ? "Stopping…" : "Cancel");
    },
  };
}
