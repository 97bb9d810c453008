// Starts the page: puts the parts together, asks who is signed in, and follows the address.

import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { createApp } from "./app.js";
import { backoff } from "./backoff.js";
import { followConversation } from "./follow.js";
import { parseRoute } from "./routes.js";
import { initialState, reduce } from "./state.js";
import { createStore } from "./store.js";

const store = createStore(reduce, initialState);
const api = createApi({
  onReach: (reached) => store.dispatch({ type: "network.changed", unreachable: !reached }),
  onUnauthorized() {
    if (store.get().session.phase !== "signedIn") return;
    store.dispatch({ type: "session.ended", notice: "Your session has ended. Please sign in again." });
  },
});
const go = (href) => {
  location.hash = href;
};
const actions = createActions({ store, api, go });

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
let probing = false;

/** Asks until the server answers again, so that the page notices by itself. */
async function probe() {
  if (probing) return;
  probing = true;
  for (let attempt = 0; store.get().connection.unreachable; attempt += 1) {
    await wait(2 * backoff(attempt));
    await api.me().catch(() => {});
  }
  probing = false;
  const { session, conversations } = store.get();
  if (session.phase === "signedIn" && conversations.phase === "failed") actions.loadConversations();
}

// What follows from the state: who is signed in and which conversation is open.
let user = null;
let followed = null;
let follower = null;
let asked = "#/";

function follow({ session, route, connection }) {
  if (connection.unreachable && session.phase !== "unknown") probe();
  // Where the user wanted to go before being asked to sign in.
  if (route.name !== "signin" && route.name !== "signup") asked = location.hash || "#/";
  if (session.phase === "signedIn" && (route.name === "signin" || route.name === "signup")) {
    location.replace(asked);
    return;
  }
  if ((session.user?.id ?? null) !== user) {
    user = session.user?.id ?? null;
    if (user) actions.loadConversations();
  }
  const open = user && route.name === "conversation" ? route.id : null;
  if (open === followed) return;
  follower?.stop();
  followed = open;
  follower = open && followConversation({ id: open, store, api });
}

createApp({
  root: document.getElementById("app"),
  store,
  actions,
  reload: () => follower?.reload(),
});
store.subscribe(follow);

const routed = () => store.dispatch({ type: "route.changed", route: parseRoute(location.hash) });
const network = () =>
  store.dispatch({ type: "network.changed", offline: !navigator.onLine, unreachable: false });
window.addEventListener("hashchange", routed);
window.addEventListener("online", network);
window.addEventListener("offline", network);
routed();
network();

for (let attempt = 0; store.get().session.phase === "unknown"; attempt += 1) {
  try {
    const { user: known } = await api.me();
    store.dispatch({ type: "session.known", user: known });
  } catch {
    await wait(2 * backoff(attempt));
  }
}
