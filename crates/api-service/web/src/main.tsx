// Starts the page: follows the address, asks who is signed in, and draws what there is to see.

import { effect } from "@preact/signals";
import { render } from "preact";

import * as actions from "./actions";
import { App } from "./app";
import { followState } from "./follow";
import { followNotifications, watchEnds } from "./notify";
import { parseRoute } from "./routes";
import { server } from "./server";
import { dispatch, state } from "./store";
import "./styles/index.css";
import { followUser } from "./tabs";
import { showTitle } from "./title";
import { followLanguage } from "./words";

/** The wait before the first question again, and the longest, in milliseconds. */
const FIRST = 1_000;
const LONGEST = 30_000;
/** How long the page waits for its words in another language before it begins in English. */
const PATIENCE = 4_000;

const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
const delay = (tried: number) => Math.min(LONGEST, FIRST * 2 ** tried) * (0.75 + Math.random() / 2);

const routed = () => dispatch({ type: "route.changed", route: parseRoute(location.hash) });
const network = () => dispatch({ type: "network.changed", offline: !navigator.onLine });
window.addEventListener("hashchange", routed);
window.addEventListener("online", network);
window.addEventListener("offline", network);
routed();
network();

const spoken = followLanguage();
followUser();
followState();
actions.followUnsent();
watchEnds();
followNotifications();
showTitle();

// Where the user wanted to go before being asked to sign in.
let wished = "#/";
let user: string | null = null;
effect(() => {
  const { session, route } = state.value;
  const entering = route.name === "signin" || route.name === "signup";
  if (!entering) wished = location.hash || "#/";
  else if (session.phase === "signedIn") location.replace(wished);
  const now = session.user?.id ?? null;
  if (now === user) return;
  user = now;
  actions.endStay();
  if (!user) return;
  queueMicrotask(() => {
    void actions.loadConversations();
    void actions.loadRunning();
    void actions.restoreUnsent();
  });
});

// What could not be sent goes out as soon as it can.
window.addEventListener("online", actions.networkReturned);
let away = false;
effect(() => {
  const { offline, unreachable } = state.value.connection;
  const back = away && !offline && !unreachable;
  away = offline || unreachable;
  if (back) queueMicrotask(() => void actions.resendAll());
});

// While the server is away, the page asks until it answers, so that it notices by itself.
let probing = false;
effect(() => {
  const { connection, session } = state.value;
  if (connection.unreachable && session.phase !== "unknown" && !probing) void probe();
});

async function probe(): Promise<void> {
  probing = true;
  for (let tried = 0; state.peek().connection.unreachable; tried += 1) {
    await wait(delay(tried));
    await server.me().catch(() => {});
  }
  probing = false;
  const { session, conversations } = state.peek();
  if (session.phase === "signedIn" && conversations.phase === "failed") void actions.loadConversations();
}

/** Asks who is here until there is an answer. */
async function askWho(): Promise<void> {
  for (let tried = 0; state.peek().session.phase === "unknown"; tried += 1) {
    try {
      const { user: known } = await server.me();
      dispatch({ type: "session.known", user: known ?? null });
    } catch {
      await wait(delay(tried));
    }
  }
}

/** Nothing is drawn before its words are there, or it would change under the reader's eyes. */
async function draw(): Promise<void> {
  await Promise.race([spoken, wait(PATIENCE)]);
  const root = document.getElementById("app");
  if (!root) return;
  root.replaceChildren();
  render(<App />, root);
}

// Not awaited here: whatever is fetched later is built upon this file, and would wait for its end.
void askWho();
void draw();
