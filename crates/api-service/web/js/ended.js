// Why there is no video, and the way to try again.

import { h, icon, setBusy, setText } from "./dom.js";

/** What the codes mean for a person. The server's own message, which says more, stands below. */
const REASONS = {
  content_filtered: "The model declined to make this. Describing it differently may help.",
  invalid_request: "The model does not accept this request.",
  provider_unavailable: "The video service is not answering just now.",
  provider_quota: "The video service has no capacity left for now.",
  provider_error: "The video service ran into an error.",
  timeout: "It took too long, so we stopped.",
  invalid_video: "What came back was not a playable video.",
  storage_error: "The video was made but could not be stored.",
  submission_unknown: "We lost touch with the video service while handing it over.",
  expired: "It was not confirmed within seven days.",
};

export function createEnded(generation, { actions }) {
  const reason = h("p", { class: "reason" });
  const detail = h("p", { class: "muted" });
  const note = h("p", { class: "muted", tabindex: -1 }, "Tried again below.");
  const retryButton = h(
    "button",
    { type: "button", class: "button", on: { click: () => actions.retry(current) } },
    icon("retry"),
    "Try again",
  );
  let current = generation;

  return {
    el: h(
      "div",
      { class: "ended" },
      h(
        "div",
        { class: "ended-text" },
        icon(generation.status === "failed" ? "alert" : "stop"),
        h("div", {}, reason, detail),
      ),
      h("div", { class: "buttons" }, retryButton, note),
    ),
    update(now, { deed, retried }) {
      current = now;
      const known = REASONS[now.errorCode];
      const plain =
        now.status === "cancelled" ? "This video was cancelled." : "Something went wrong on the way.";
      setText(reason, known ?? plain);
      detail.hidden = !now.errorMessage;
      setText(detail, now.errorMessage ?? "");
      setBusy(retryButton, deed?.busy);
      const focused = document.activeElement === retryButton;
      retryButton.hidden = retried;
      note.hidden = !retried;
      if (focused && retried) note.focus();
    },
  };
}
