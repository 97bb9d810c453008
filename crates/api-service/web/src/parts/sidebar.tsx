// The list of conversations with its search, the ways to the other views, and who is signed in.

import type { RefObject } from "preact";
import { useId, useState } from "preact/hooks";

import * as actions from "../actions";
import { now } from "../clock";
import { day, percent, shorten } from "../format";
import { detailOf } from "../model/failure";
import { conversationsOf, foundOf, type Listing, runningOf, threadOf, UNMADE } from "../model/state";
import type { Conversation, Failure } from "../model/types";
import {
  conversationHref,
  galleryHref,
  homeHref,
  type Route,
  settingsHref,
  usageHref,
} from "../routes";
import { failureOf } from "../server";
import { state } from "../store";
import { type Phrases, phrases } from "../words";
import { drawer } from "./drawer";
import { Brand, Button, Icon, IconButton, type IconName } from "./icon";

const PLACES: { href: string; icon: IconName; label: keyof Phrases["places"]; names: Route["name"][] }[] = [
  { href: galleryHref(), icon: "grid", label: "videos", names: ["gallery", "video"] },
  { href: usageHref, icon: "gauge", label: "usage", names: ["usage"] },
  { href: settingsHref, icon: "dials", label: "settings", names: ["settings"] },
];

const close = () => {
  drawer.value = false;
};

export function Sidebar({ element }: { element: RefObject<HTMLElement | null> }) {
  const { session, route } = state.value;
  const { act, places, sidebar } = phrases();
  const [problem, setProblem] = useState<Failure | null>(null);

  async function signOut() {
    setProblem(null);
    try {
      await actions.signOut();
    } catch (error) {
      setProblem(failureOf(error));
    }
  }

  return (
    <aside class="sidebar" aria-label={sidebar.menu} ref={element}>
      <div class="sidebar-head">
        <a class="brand-link" href={homeHref} aria-label={sidebar.start} onClick={close}>
          <Brand />
        </a>
        <IconButton icon="close" label={sidebar.close} class="only-narrow" onClick={close} />
      </div>
      <a
        class="button new"
        href={homeHref}
        aria-current={route.name === "home" ? "page" : undefined}
        onClick={close}
      >
        <Icon name="plus" />
        {places.newVideo}
      </a>
      <nav class="places" aria-label={sidebar.places}>
        {PLACES.map(({ href, icon, label, names }) => (
          <a
            key={href}
            class="place"
            href={href}
            aria-current={names.includes(route.name) ? "page" : undefined}
            onClick={close}
          >
            <Icon name={icon} />
            {places[label]}
          </a>
        ))}
      </nav>
      <Conversations />
      {problem && (
        <p class="field-error" role="alert">
          {detailOf(problem)}
        </p>
      )}
      <div class="account">
        <div class="account-who">
          <strong>{session.user?.name || sidebar.signedIn}</strong>
          <span class="muted">{session.user?.email}</span>
        </div>
        <IconButton icon="out" label={act.signOut} onClick={() => void signOut()} />
      </div>
    </aside>
  );
}

function Conversations() {
  const id = useId();
  const { conversations, search } = state.value;
  const list: Listing = search ?? conversations;
  const shown = search ? foundOf(state.value) : conversationsOf(state.value);
  const more = list.nextCursor;
  const { act, sidebar } = phrases();
  return (
    <>
      <div class="search" role="search">
        <Icon name="search" />
        <label class="unseen" for={id}>
          {sidebar.searchLabel}
        </label>
        <input
          id={id}
          type="search"
          placeholder={sidebar.search}
          autocomplete="off"
          maxLength={200}
          value={search?.query ?? ""}
          onInput={(event) => actions.search(event.currentTarget.value.trimStart())}
        />
      </div>
      <nav
        class="sidebar-list"
        aria-label={sidebar.conversations}
        aria-busy={list.phase === "loading" ? "true" : undefined}
      >
        <ul class="conversations">
          {!search &&
            threadOf(state.value, UNMADE).pending.map(({ key, content, error }) => (
              <li key={key}>
                <a class="entry" href={homeHref} onClick={close}>
                  <span class="entry-title" dir="auto">
                    {shorten(content, 60)}
                  </span>
                  {error && <NotSent />}
                </a>
              </li>
            ))}
          {shown.map((conversation) => (
            <Entry key={conversation.id} conversation={conversation} />
          ))}
        </ul>
        <p class="sidebar-note" role="status">
          {noteOf(list, shown.length, search !== null)}
        </p>
        {list.phase === "failed" && (
          <Button
            look="small"
            onClick={() => (search ? actions.search(search.query) : void actions.loadConversations())}
          >
            {act.retry}
          </Button>
        )}
        {more && list.phase !== "failed" && (
          <Button
            look="small"
            busy={list.phase === "loading"}
            onClick={() => (search ? void actions.find(search.query, more) : void actions.loadConversations(more))}
          >
            {sidebar.older}
          </Button>
        )}
      </nav>
    </>
  );
}

function noteOf({ phase, error }: Listing, shown: number, isSearch: boolean): string {
  const { app, sidebar } = phrases();
  if (phase === "failed") return error ? detailOf(error) : "";
  if (shown > 0) return "";
  if (phase !== "ready") return isSearch ? sidebar.searching : app.loading;
  return isSearch ? sidebar.nothingFound : sidebar.none;
}

/** Something waits there that its user believes to have been said. */
function NotSent() {
  return <span class="entry-time entry-unsent">{phrases().chat.notSent}</span>;
}

function Entry({ conversation }: { conversation: Conversation }) {
  const { route } = state.value;
  const running = runningOf(state.value).get(conversation.id);
  const unsent = threadOf(state.value, conversation.id).pending.some(({ error }) => error);
  const open = route.name === "conversation" && route.id === conversation.id;
  return (
    <li>
      <a
        class="entry"
        href={conversationHref(conversation.id)}
        aria-current={open ? "page" : undefined}
        onClick={close}
      >
        <span class="entry-title" dir="auto">
          {conversation.title || phrases().sidebar.untitled}
        </span>
        {unsent ? (
          <NotSent />
        ) : running === undefined ? (
          <time class="entry-time" dateTime={conversation.createdAt}>
            {day(conversation.createdAt, new Date(now.value))}
          </time>
        ) : (
          <span class="entry-time entry-running">{percent(Math.floor(running))}</span>
        )}
      </a>
    </li>
  );
}
