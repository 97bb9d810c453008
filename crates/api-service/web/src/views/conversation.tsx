// One conversation: what was said, the cards of its videos, and where to write.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { Card } from "../faces/card";
import { shorten } from "../format";
import { detailOf } from "../model/failure";
import { type Thread, threadOf, timelineOf } from "../model/state";
import type { Message } from "../model/types";
import { announce } from "../parts/announcer";
import { useArrival } from "../parts/arrival";
import { Composer, type ComposerHandle } from "../parts/composer";
import { CopyRequestId } from "../parts/copy";
import { touch } from "../parts/device";
import { ask } from "../parts/dialog";
import { Button, IconButton } from "../parts/icon";
import { Said, Unsent } from "../parts/message";
import { Topbar } from "../parts/topbar";
import { homeHref } from "../routes";
import { state } from "../store";
import { phrases } from "../words";

/** How near to the end counts as reading along, in pixels. */
const NEAR = 120;

export function Conversation({ id }: { id: string }) {
  const { conversations, session } = state.value;
  const thread = threadOf(state.value, id);
  const items = timelineOf(state.value, id);
  const composer = useRef<ComposerHandle>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const scroller = useScroller();
  const isFresh = useSpoken(thread);
  const gone = thread.phase === "failed" && thread.error?.status === 404;
  const { app, chat, places } = phrases();
  const title = gone ? app.notFound : (conversations.byId[id]?.title ?? places.conversation);
  const waiting = thread.pending.some(({ error }) => !error);

  useArrival((first) => {
    if (!touch()) composer.current?.focus();
    else if (!first) heading.current?.focus();
  });

  function rename() {
    ask({
      title: chat.renameTitle,
      field: { label: chat.title, value: title },
      yes: chat.rename,
      run: (wanted) => actions.renameConversation(id, wanted),
    });
  }

  function remove() {
    ask({
      title: chat.deleteTitle,
      text: chat.deleteText,
      yes: chat.delete,
      no: phrases().act.keep,
      danger: true,
      run: () => actions.deleteConversation(id),
    });
  }

  return (
    <div class="view">
      <Topbar title={title} heading={heading}>
        {thread.phase !== "failed" && <Indicator />}
        {!gone && (
          <>
            <IconButton icon="pencil" label={chat.rename} onClick={rename} />
            <IconButton icon="trash" label={chat.delete} onClick={remove} />
          </>
        )}
      </Topbar>
      {/* Focusable, so that the keyboard can scroll it. */}
      <div
        class="scroller"
        tabIndex={0}
        role="region"
        aria-label={places.conversation}
        aria-busy={thread.phase === "loading" ? "true" : undefined}
        ref={scroller.outer}
        onScroll={scroller.scrolled}
      >
        <div class="column" ref={scroller.inner}>
          <ThreadStatus thread={thread} empty={items.length === 0} />
          <ol class="timeline" aria-label={chat.messages}>
            {items.map((item) => {
              if (item.kind === "message") {
                return <Said key={item.key} message={item.message} fresh={isFresh(item.message)} />;
              }
              if (item.kind === "pending") {
                return (
                  <Unsent key={item.key} pending={item.pending} to={id} composer={composer} />
                );
              }
              return (
                <li class="turn card-turn" key={item.key}>
                  <Card generation={item.generation} />
                </li>
              );
            })}
          </ol>
          <p class="typing" hidden={!waiting}>
            <span />
            <span />
            <span />
          </p>
        </div>
      </div>
      {!gone && (
        <div class="dock">
          <div class="column">
            <IconButton
              icon="down"
              label={chat.toEnd}
              class="to-end"
              hidden={scroller.atEnd}
              onClick={() => scroller.toEnd("smooth")}
            />
            <Composer
              key={id}
              userId={session.user?.id ?? ""}
              place={id}
              label={chat.message}
              placeholder={chat.messageHere}
              busy={waiting}
              handle={composer}
              onSend={(content, attachments) => {
                scroller.pin();
                void actions.send(id, content, attachments);
                return true;
              }}
            />
          </div>
        </div>
      )}
    </div>
  );
}

/** Whoever reads along stays at the end, whatever grows: a card, a picture, the field to write in. */
function useScroller() {
  const outer = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = (behavior: ScrollBehavior = "instant") =>
    outer.current?.scrollTo({ top: outer.current.scrollHeight, behavior });

  useLayoutEffect(() => {
    if (pinned.current) toEnd();
  });
  useEffect(() => {
    const observer = new ResizeObserver(() => pinned.current && toEnd());
    for (const element of [outer.current, inner.current]) if (element) observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return {
    outer,
    inner,
    atEnd,
    toEnd,
    pin: () => (pinned.current = true),
    scrolled() {
      const element = outer.current;
      if (!element) return;
      pinned.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
      setAtEnd(pinned.current);
    },
  };
}

/**
 * Tells a screen reader what the assistant has said since the conversation was opened, and says which messages
 * those are.
 */
function useSpoken(thread: Thread): (message: Message) => boolean {
  const known = useRef<Set<string> | null>(null);
  const fresh = useRef(new Set<string>());
  const said = Object.values(thread.messages).filter(({ role }) => role === "assistant");
  // While it is drawn, so that a new message is fresh from its first moment.
  if (known.current) {
    for (const { id } of said) if (!known.current.has(id)) fresh.current.add(id);
  }
  useEffect(() => {
    if (!known.current) {
      if (thread.phase === "ready") known.current = new Set(said.map(({ id }) => id));
      return;
    }
    for (const message of said.filter(({ id }) => !known.current?.has(id))) {
      known.current.add(message.id);
      announce(`Reelay: ${shorten(message.content, 300)}`);
    }
  });
  return ({ id }) => fresh.current.has(id);
}

/** A quiet sign of how the page hears of news. */
function Indicator() {
  const { push, offline } = state.value.connection;
  const kind = offline ? "offline" : (push ?? "connecting");
  const { chat } = phrases();
  const word = chat.push[kind];
  return <span class="live" role="img" data-push={kind} title={word} aria-label={chat.updates(word)} />;
}

/** What stands in place of the messages while there are none to show, or above them if loading failed. */
function ThreadStatus({ thread, empty }: { thread: Thread; empty: boolean }) {
  const { phase, error } = thread;
  const { act, app, chat } = phrases();
  const failed = phase === "failed";
  if (!failed && !empty) return null;
  const gone = failed && error?.status === 404;
  const loading = !failed && phase !== "ready";
  return (
    <div class="thread-status" role="status">
      {loading && (
        <div class="skeleton" aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
      )}
      {loading && <p class="unseen">{chat.loading}</p>}
      {gone && <p>{chat.gone}</p>}
      {failed && !gone && <p>{error && detailOf(error)}</p>}
      {phase === "ready" && <p>{chat.empty}</p>}
      {gone && (
        <a class="button primary" href={homeHref}>
          {app.start}
        </a>
      )}
      {failed && !gone && (
        <Button icon="retry" onClick={actions.reload}>
          {act.retry}
        </Button>
      )}
      {failed && !gone && <CopyRequestId failure={error} />}
    </div>
  );
}
