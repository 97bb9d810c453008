// Says that a video is done while nobody looks: a notification of the system's, and only after the user asked for
// it. Which videos were being made is read from the state, so it does not matter how the page hears of the end.

import { computed, effect, signal } from "@preact/signals";

import { shorten } from "./format";
import { isRunning, isTerminal } from "./model/status";
import type { Generation } from "./model/types";
import { answer, notify } from "./preferences";
import { videoHref } from "./routes";
import { state } from "./store";
import { speech } from "./words";

export type Permission = "granted" | "denied" | "default" | "unsupported";

/** What shows notifications where pages may not do it themselves. */
const WORKER = "/notify.js";

const read = (): Permission => ("Notification" in window ? Notification.permission : "unsupported");

/** What the browser allows. */
export const permission = signal<Permission>(read());

/** Whether it makes sense to offer it beside a video in the making. */
export const canAsk = computed(() => notify.value === "unasked" && permission.value === "default");

/** Whether notifications are on: wished here, and allowed by the browser. */
export const enabled = computed(() => notify.value === "yes" && permission.value === "granted");

/** Asks the browser. Must be called from a click, or browsers refuse. */
export async function enable(): Promise<void> {
  if (read() === "unsupported") return;
  permission.value = await Notification.requestPermission();
  answer(permission.value === "granted" ? "yes" : "no");
  // It has to be there before a video ends: a page out of sight may be given no time to fetch it.
  if (enabled.peek()) await worker().catch(() => {});
}

export function disable(): void {
  answer("no");
}

/** Watches the state from now on. */
export function watchEnds(): void {
  let running = new Set<string>();
  effect(() => {
    const { generations } = state.value;
    const ended = [...running].flatMap((id) => generations[id] ?? []).filter(({ status }) => isTerminal(status));
    for (const generation of ended) tell(generation);
    running = new Set(
      Object.values(generations).flatMap(({ id, status }) => (isRunning(status) ? [id] : [])),
    );
  });
}

function tell({ id, status, prompt }: Generation): void {
  if (!enabled.peek() || !document.hidden || (status !== "completed" && status !== "failed")) return;
  const { phrases, language: lang } = speech.peek();
  const title = phrases.notify[status];
  // Of two tabs that both say it, the system shows one: the tag is the same.
  const options = { body: shorten(prompt, 120), tag: id, lang, icon: "/favicon.svg" };
  try {
    const notification = new Notification(title, options);
    notification.onclick = () => {
      window.focus();
      location.hash = videoHref(id);
      notification.close();
    };
  } catch {
    // Phones leave this to service workers.
    void worker()
      .then((registration) => registration.showNotification(title, { ...options, data: videoHref(id) }))
      .catch(() => (permission.value = "unsupported"));
  }
}

/** The service worker, made if it is not there yet; rejects where browsers know or allow none. */
async function worker(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(WORKER);
  return navigator.serviceWorker.ready;
}

/** Goes where a notification of the service worker's leads that was chosen. */
export function followNotifications(): void {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ lead?: unknown } | null>) => {
    if (typeof data?.lead === "string" && data.lead.startsWith("#/")) location.hash = data.lead;
  });
}
