// Where a conversation begins: an empty sheet, a question, and a few ideas.

import { useRef } from "preact/hooks";

import * as actions from "../actions";
import { BEGINNING } from "../drafts";
import { threadOf, UNMADE } from "../model/state";
import { useArrival } from "../parts/arrival";
import { Composer, type ComposerHandle } from "../parts/composer";
import { touch } from "../parts/device";
import { Unsent } from "../parts/message";
import { Topbar } from "../parts/topbar";
import scene from "../pictures/scene.svg";
import { state } from "../store";
import { phrases } from "../words";

export function Home() {
  const { user } = state.value.session;
  const { home, chat, places } = phrases();
  const composer = useRef<ComposerHandle>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useArrival((first) => {
    if (!touch()) composer.current?.focus();
    else if (!first) heading.current?.focus();
  });

  const unsent = threadOf(state.value, UNMADE).pending;
  const name = user?.name?.trim().split(/\s+/)[0];
  return (
    <div class="view scrolls">
      <Topbar title={places.newVideo} heading={heading} />
      <div class="sheet">
        <img class="home-picture" src={scene} alt="" width={800} height={450} fetchpriority="high" />
        <h2 class="hero">{name ? home.questionTo(name) : home.question}</h2>
        <p class="muted hero-text">{home.about}</p>
        {unsent.length > 0 && (
          <ol class="timeline beginnings" aria-label={chat.notSentYet}>
            {unsent.map((one) => (
              <Unsent key={one.key} pending={one} to={UNMADE} composer={composer} />
            ))}
          </ol>
        )}
        <Composer
          userId={user?.id ?? ""}
          place={BEGINNING}
          label={home.describe}
          placeholder={home.describeHere}
          busy={unsent.some(({ error }) => !error)}
          handle={composer}
          onSend={(content, attachments) => {
            void actions.send(UNMADE, content, attachments);
            return true;
          }}
        />
        <h3 class="ideas-title">{home.begin}</h3>
        <ul class="ideas">
          {home.ideas.map((idea) => (
            <li key={idea}>
              <button type="button" class="idea" onClick={() => composer.current?.fill(idea)}>
                {idea}
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
