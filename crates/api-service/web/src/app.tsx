// The frame of the page: which of its views is to be seen, the list beside it, and the banner above it.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { DialogHost } from "./parts/dialog";
import { drawer } from "./parts/drawer";
import { Brand, Icon } from "./parts/icon";
import { Lazy } from "./parts/lazy";
import { Sidebar } from "./parts/sidebar";
import { type Route, viewKey } from "./routes";
import { state } from "./store";
import { Auth } from "./views/auth";
import { Conversation } from "./views/conversation";
import { Home } from "./views/home";
import { NotFound } from "./views/notfound";
import { phrases } from "./words";

export function App() {
  const { phase, user } = state.value.session;
  return (
    <>
      {phase === "unknown" && <Splash />}
      {phase === "anonymous" && <Auth />}
      {phase === "signedIn" && <Layout key={user?.id} />}
      <DialogHost />
    </>
  );
}

function Splash() {
  const { offline, unreachable } = state.value.connection;
  const { app } = phrases();
  return (
    <main class="splash">
      <h1>
        <Brand />
      </h1>
      <p role="status">
        {offline ? app.offline : unreachable ? app.unreachable : ""}
      </p>
    </main>
  );
}

const loadGallery = () => import("./views/gallery").then(({ Gallery }) => Gallery);
const loadVideo = () => import("./views/video").then(({ VideoPage }) => VideoPage);
const loadUsage = () => import("./views/usage").then(({ UsagePage }) => UsagePage);
const loadSettings = () => import("./views/settings").then(({ Settings }) => Settings);

function View({ route }: { route: Route }) {
  const { app, places } = phrases();
  switch (route.name) {
    case "home":
    case "signin":
    case "signup":
      return <Home />;
    case "conversation":
      return <Conversation id={route.id} />;
    case "gallery":
      return <Lazy load={loadGallery} title={places.videos} />;
    case "video":
      return <Lazy load={loadVideo} title={places.video} />;
    case "usage":
      return <Lazy load={loadUsage} title={places.usage} />;
    case "settings":
      return <Lazy load={loadSettings} title={places.settings} />;
    case "unknown":
      return <NotFound text={app.noSuchPage} />;
  }
}

const narrow = matchMedia("(max-width: 52rem)");

function Layout() {
  const { route } = state.value;
  const key = viewKey(route);
  const main = useRef<HTMLElement>(null);
  const sidebar = useRef<HTMLElement>(null);
  const opener = useRef<Element | null>(null);

  /** On a narrow screen the list is a drawer; what lies under it is then out of reach. */
  useLayoutEffect(() => {
    const apply = () => {
      if (!narrow.matches) drawer.value = false;
      if (sidebar.current) sidebar.current.inert = narrow.matches && !drawer.value;
      if (main.current) main.current.inert = drawer.value;
    };
    apply();
    narrow.addEventListener("change", apply);
    return () => narrow.removeEventListener("change", apply);
  }, [drawer.value]);
  useEffect(() => {
    if (drawer.value) {
      opener.current = document.activeElement;
      sidebar.current?.querySelector<HTMLElement>("a.new")?.focus();
    } else if (opener.current instanceof HTMLElement) {
      // A view that has just come up takes the focus itself.
      if (opener.current.isConnected) opener.current.focus();
      opener.current = null;
    }
  }, [drawer.value]);
  useLayoutEffect(() => {
    drawer.value = false;
  }, [key]);

  return (
    <div
      class="layout"
      data-drawer={drawer.value ? "" : undefined}
      onKeyDown={(event) => {
        if (event.key === "Escape" && drawer.value) drawer.value = false;
      }}
    >
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          const find = (selector: string) => main.current?.querySelector<HTMLElement>(selector);
          (find(".composer textarea") ?? find("h1"))?.focus();
        }}
      >
        {phrases().app.skip}
      </a>
      <Sidebar element={sidebar} />
      <div class="scrim" onClick={() => (drawer.value = false)} />
      <main class="main" id="main" ref={main}>
        <Banner />
        <View route={route} key={key} />
      </main>
    </div>
  );
}

function Banner() {
  const { offline, unreachable } = state.value.connection;
  const { app } = phrases();
  return (
    <div class="banner" role="status" hidden={!offline && !unreachable}>
      <Icon name="offline" />
      <span>
        {offline ? app.offlineBanner : unreachable ? app.unreachableBanner : ""}
      </span>
    </div>
  );
}
