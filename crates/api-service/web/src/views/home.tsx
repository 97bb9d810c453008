// Where a conversation begins: an empty sheet, a question, and a few ideas.

import { useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import type { Attachment } from "../model/types";
import { Composer, type ComposerHandle } from "../parts/composer";
import { touch } from "../parts/device";
import { Topbar } from "../parts/topbar";
import { useArrival } from "../parts/arrival";
import scene from "../pictures/scene.svg";
import { failureOf } from "../server";
import { state } from "../store";

const IDEAS = [
  "A paper boat crossing a rainy street at dusk",
  "A slow drone shot over terraced tea fields at sunrise, 8 seconds",
  "A fox in a red scarf waits for the last train, vertical, in watercolour",
];

export function Home() {
  const { user } = state.value.session;
  const composer = useRef<ComposerHandle>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useArrival((first) => {
    if (!touch()) composer.current?.focus();
    else if (!first) heading.current?.focus();
  });

  async function send(content: string, attachments: Attachment[]): Promise<boolean> {
    if (busy) return false;
    setBusy(true);
    setProblem(null);
    try {
      await actions.startConversation(content, attachments);
      return true;
    } catch (error) {
      setProblem(failureOf(error).detail);
      return false;
    } finally {
      setBusy(false);
    }
  }

  const name = user?.name?.trim().split(/\s+/)[0];
  return (
    <div class="view scrolls">
      <Topbar title="New video" heading={heading} />
      <div class="sheet">
        <img class="home-picture" src={scene} alt="" width={800} height={450} fetchpriority="high" />
        <h2 class="hero">{name ? `What shall we film, ${name}?` : "What shall we film?"}</h2>
        <p class="muted hero-text">
          Say it in your own words. We ask only for what is missing, show you the price, and start when you say
          so.
        </p>
        <Composer
          userId={user?.id ?? ""}
          place="new"
          label="Describe your video"
          placeholder="Describe your video…"
          busy={busy}
          handle={composer}
          onSend={send}
        />
        {problem && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <h3 class="ideas-title">Or begin with one of these</h3>
        <ul class="ideas">
          {IDEAS.map((idea) => (
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
