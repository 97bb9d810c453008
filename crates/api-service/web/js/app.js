// The frame of the page: which of its views is to be seen, the list beside it, the banner above it, and the
// window's title.

import { createAuth } from "./auth.js";
import { createConversation } from "./conversation.js";
import { h, icon, setText } from "./dom.js";
import { createHome } from "./home.js";
import { homeHref } from "./routes.js";
import { createSidebar } from "./sidebar.js";
import { generationsOf } from "./state.js";
import { isRunning } from "./status.js";
import { brandMark, topbar } from "./topbar.js";

/** `reload()` loads the open conversation again. */
export function createApp({ root, store, actions, reload }) {
  let shown = null;
  let view = null;

  /** What is shown is made anew when this changes, and only updated otherwise. */
  function choose({ session, route }) {
    if (session.phase === "unknown") return ["splash", createSplash];
    if (session.phase === "anonymous") return ["auth", () => createAuth({ store, actions })];
    return [`layout ${session.user.id}`, () => createLayout({ store, actions, reload, session, route })];
  }

  function update(state) {
    const [key, make] = choose(state);
    if (key !== shown) {
      shown = key;
      view = make();
      root.replaceChildren(view.el);
    }
    view.update(state);
    const title = titleOf(state);
    if (document.title !== title) document.title = title;
  }

  store.subscribe(update);
  update(store.get());
}

function createSplash() {
  const text = h("p", { role: "status" }, "");
  return {
    el: h("div", { class: "splash" }, brandMark(), text),
    update({ connection }) {
      const { offline, unreachable } = connection;
      setText(
        text,
        offline ? "You are offline." : unreachable ? "Reelay cannot be reached. Trying again…" : "",
      );
    },
  };
}

function createLayout({ store, actions, reload, session }) {
  const main = h("main", { class: "main", id: "main" });
  const banner = createBanner();
  const sidebar = createSidebar({ actions, close: () => drawer(false) });
  const scrim = h("div", { class: "scrim", on: { click: () => drawer(false) } });
  const skip = h(
    "a",
    { class: "skip", href: "#main", on: { click: (event) => (event.preventDefault(), view?.focus?.()) } },
    "Skip to the conversation",
  );
  const narrow = matchMedia("(max-width: 52rem)");
  let place = null;
  let view = null;
  let opener = null;

  /** On a narrow screen the list is a drawer; what lies under it is then out of reach. */
  function drawer(open) {
    el.toggleAttribute("data-drawer", open);
    sidebar.el.inert = narrow.matches && !open;
    main.inert = open;
    if (open) {
      opener = document.activeElement;
      sidebar.focus();
    } else {
      opener?.focus();
      opener = null;
    }
  }

  function choose(route) {
    const openDrawer = () => drawer(true);
    const common = { store, actions, openDrawer, user: session.user };
    if (route.name === "conversation") {
      return [route.id, () => createConversation({ ...common, id: route.id, reload })];
    }
    if (route.name === "unknown") return ["unknown", () => createNotFound({ openDrawer })];
    return ["home", () => createHome(common)];
  }

  const el = h(
    "div",
    {
      class: "layout",
      on: {
        keydown(event) {
          if (event.key === "Escape" && el.hasAttribute("data-drawer")) drawer(false);
        },
      },
    },
    skip,
    sidebar.el,
    scrim,
    main,
  );
  narrow.addEventListener("change", () => drawer(false));
  drawer(false);

  return {
    el,
    update(state) {
      const [key, make] = choose(state.route);
      if (key !== place) {
        const first = place === null;
        place = key;
        opener = null;
        drawer(false);
        view = make();
        main.replaceChildren(banner.el, view.el);
        view.update(state);
        view.opened?.(first);
      } else {
        view.update(state);
      }
      banner.update(state);
      sidebar.update(state);
    },
  };
}

function createBanner() {
  const text = h("span");
  const el = h("div", { class: "banner", role: "status", hidden: true }, icon("offline"), text);
  return {
    el,
    update({ connection }) {
      const { offline, unreachable } = connection;
      el.hidden = !offline && !unreachable;
      if (offline) setText(text, "You are offline. What you write stays here; we go on when you are back.");
      else if (unreachable) setText(text, "Reelay cannot be reached just now. Trying again…");
    },
  };
}

function createNotFound({ openDrawer }) {
  return {
    el: h(
      "div",
      { class: "view" },
      topbar({ openDrawer, title: "Not found" }).el,
      h(
        "div",
        { class: "empty" },
        h("p", {}, "There is no such page."),
        h("a", { class: "button primary", href: homeHref }, "Start a new video"),
      ),
    ),
    update() {},
  };
}

/** The title tells from another tab how far the video is. */
function titleOf(state) {
  const { route, session } = state;
  if (session.phase !== "signedIn" || route.name !== "conversation") return "Reelay";
  const name = state.conversations.byId[route.id]?.title ?? "Conversation";
  const running = generationsOf(state, route.id).findLast(({ status }) => isRunning(status));
  return `${running ? `${Math.floor(running.progress ?? 0)} % · ` : ""}${name} · Reelay`;
}
