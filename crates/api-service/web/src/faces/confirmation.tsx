// What will be made and what it costs, before the yes.

import { useId, useState } from "preact/hooks";

import * as actions from "../actions";
import { readDraft, writeDraft } from "../drafts";
import { moment, money } from "../format";
import { parameterList } from "../model/details";
import type { Deed } from "../model/state";
import type { Failure, Generation } from "../model/types";
import { Button } from "../parts/icon";
import { Pairs, Pictures } from "../parts/pairs";
import { usageHref } from "../routes";
import { state } from "../store";

interface ConfirmationProps {
  generation: Generation;
  deed: Deed | undefined;
}

export function Confirmation({ generation, deed }: ConfirmationProps) {
  const cost = money(generation.estimatedCost);
  const words = useWords(generation);
  const images = generation.parameters.images ?? [];
  const failure = deed?.name === "confirm" && !deed.busy ? deed.error : null;
  const confirming = deed?.busy && deed.name === "confirm";

  return (
    <div class="confirmation">
      <Pairs look="chips" pairs={parameterList(generation)} />
      <Pictures ids={images.map(({ uploadId }) => uploadId)} />
      {words && <Words words={words} generation={generation} problem={failure?.fields["enhancedPrompt"]} />}
      {failure && !failure.fields["enhancedPrompt"] && <Refusal failure={failure} cost={cost} />}
      <div class="confirmation-foot">
        <div>
          <p class="price-label">Price</p>
          <p class="price">{cost || "Not known"}</p>
        </div>
        <div class="buttons">
          <Button busy={deed?.busy} onClick={() => void actions.cancel(generation)}>
            Cancel
          </Button>
          <Button
            look="primary"
            busy={deed?.busy}
            onClick={() => void actions.confirm(generation, words?.chosen())}
          >
            {confirming ? "One moment…" : cost ? `Make it for ${cost}` : "Make it"}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** Why it was not begun, and what can be done about it. */
function Refusal({ failure, cost }: { failure: Failure; cost: string }) {
  const budget = failure.status === 402 || failure.code === "too_many_today";
  const moved = failure.code === "price_changed";
  return (
    <div class="notice bad" role="alert">
      <p>{moved ? `The price has changed to ${cost || "another one"}. Nothing was begun yet.` : failure.detail}</p>
      {budget && (
        <p>
          {failure.resetsAt && `It goes again ${moment(failure.resetsAt, new Date())}. `}
          <a href={usageHref}>See what was spent</a>
        </p>
      )}
    </div>
  );
}

interface WordsState {
  text: string;
  own: boolean;
  setText: (text: string) => void;
  setOwn: (own: boolean) => void;
  /** What the yes carries: other words than the user's own, or `null` for these. */
  chosen: () => string | null;
}

/** The words that the model gets, where the server lets one choose them; kept as a draft. */
function useWords(generation: Generation): WordsState | null {
  const { id, prompt, enhancedPrompt } = generation;
  const user = state.value.session.user?.id ?? "";
  const place = `words.${id}`;
  const [text, setText] = useState(() => readDraft(user, place) || (enhancedPrompt ?? prompt));
  const [own, setOwn] = useState(enhancedPrompt === null && text === prompt);
  if (enhancedPrompt === undefined) return null;
  return {
    text,
    own,
    setText(next) {
      setText(next);
      writeDraft(user, place, next === (enhancedPrompt ?? prompt) ? "" : next);
    },
    setOwn,
    chosen: () => (own || text.trim() === "" || text.trim() === prompt ? null : text.trim()),
  };
}

interface WordsProps {
  words: WordsState;
  generation: Generation;
  problem: string | undefined;
}

function Words({ words, generation, problem }: WordsProps) {
  const id = useId();
  return (
    <div class="words">
      <div class="words-head">
        <label class="label" for={id}>
          What we ask the model for
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={words.own}
            onChange={(event) => words.setOwn(event.currentTarget.checked)}
          />
          <span>Use my own words</span>
        </label>
      </div>
      <textarea
        id={id}
        class="input"
        rows={4}
        readOnly={words.own}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-about` : undefined}
        value={words.own ? generation.prompt : words.text}
        onInput={(event) => words.setText(event.currentTarget.value)}
      />
      {problem && (
        <p class="field-error" id={`${id}-about`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
