// What will be made and what it costs, before the yes.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { readThing, wordsPlace, writeThing } from "../drafts";
import { moment, money, number } from "../format";
import { parameterList } from "../model/details";
import { detailOf } from "../model/failure";
import { pictureUrl } from "../model/pictures";
import type { Deed } from "../model/state";
import type { Failure, Generation } from "../model/types";
import {
  differs,
  type Draft,
  draftOf,
  followed,
  meant,
  restored,
  type Wording,
  type Words as Known,
} from "../model/wording";
import { Button } from "../parts/icon";
import { Pairs, Pictures } from "../parts/pairs";
import { usageHref } from "../routes";
import { state } from "../store";
import { phrases } from "../words";

interface ConfirmationProps {
  generation: Generation;
  deed: Deed | undefined;
}

export function Confirmation({ generation, deed }: ConfirmationProps) {
  const cost = money(generation.estimatedCost);
  const page = phrases();
  const words = useWords(generation);
  const pictures = (generation.parameters.images ?? []).map(({ uploadId }, at) => ({
    src: pictureUrl(uploadId),
    name: page.pictures.one(number(at + 1)),
  }));
  const failure = (deed?.name === "confirm" || deed?.name === "reword") && !deed.busy ? deed.error : null;
  const confirming = deed?.busy && deed.name === "confirm";

  return (
    <div class="confirmation">
      <Pairs look="chips" pairs={parameterList(generation)} />
      <Pictures pictures={pictures} />
      {words && <Words words={words} prompt={generation.prompt} problem={failure?.fields["enhancedPrompt"]} />}
      {failure && !failure.fields["enhancedPrompt"] && <Refusal failure={failure} cost={cost} />}
      <div class="confirmation-foot">
        <div>
          <p class="price-label">{page.facts.price}</p>
          <p class="price">{cost || page.confirmation.unknownPrice}</p>
        </div>
        <div class="buttons">
          <Button busy={deed?.busy} onClick={() => void actions.cancel(generation)}>
            {page.act.cancel}
          </Button>
          <Button
            look="primary"
            busy={deed?.busy}
            onClick={() => void actions.confirm(generation, words?.chosen())}
          >
            {confirming ? page.app.moment : cost ? page.confirmation.makeFor(cost) : page.confirmation.make}
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
  const { confirmation } = phrases();
  return (
    <div class="notice bad" role="alert">
      <p>{moved ? (cost ? confirmation.priceChanged(cost) : confirmation.priceUnsure) : detailOf(failure)}</p>
      {budget && (
        <p>
          {failure.resetsAt && `${confirmation.until(moment(failure.resetsAt, new Date()))} `}
          <a href={usageHref}>{confirmation.seeUsage}</a>
        </p>
      )}
    </div>
  );
}

interface WordsState {
  form: Wording;
  change: (form: Wording) => void;
  /** Tells the server what was changed, so that a yes that is said in the chat is for it. */
  tell: () => Promise<void>;
  /** What the yes carries: other words than the user's own, or `null` for these. */
  chosen: () => string | null;
}

/** The words that the model gets, where the server lets one choose them. What is half written survives a reload. */
function useWords(generation: Generation): WordsState | null {
  const { id, prompt, enhancedPrompt } = generation;
  const user = state.value.session.user?.id ?? "";
  const place = wordsPlace(id);
  const known = useRef<Known>(generation);
  const form = useRef<Wording | null>(null);
  const [, redraw] = useState({});
  form.current ??= restored(readThing<Draft>(user, place), generation);
  form.current = followed(form.current, known.current, generation);
  known.current = generation;
  const shown = form.current;
  const keep = () => writeThing(user, place, draftOf(form.current ?? shown, generation));
  // What the server has by now is no draft any more.
  useEffect(keep, [prompt, enhancedPrompt]);
  if (enhancedPrompt === undefined) return null;
  return {
    form: shown,
    change(next) {
      form.current = next;
      keep();
      redraw({});
    },
    async tell() {
      if (!form.current || !differs(form.current, generation)) return;
      const taken = await actions.reword(generation, meant(form.current));
      if (!taken) return;
      // What the page knows may be newer than this answer, and is then news to the form.
      known.current = taken;
      redraw({});
    },
    chosen() {
      const words = meant(form.current ?? shown);
      return words === prompt.trim() ? null : words;
    },
  };
}

interface WordsProps {
  words: WordsState;
  prompt: string;
  problem: string | undefined;
}

function Words({ words: { form, change, tell }, prompt, problem }: WordsProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const opened = useRef(false);
  const { confirmation } = phrases();
  useEffect(() => {
    if (opened.current && !form.own) field.current?.focus();
    opened.current = false;
  }, [form.own]);

  // Nobody has proposed other words: there is nothing to choose from, only something to change.
  if (form.own && form.text === prompt) {
    return (
      <div>
        <Button
          look="small"
          icon="pencil"
          onClick={() => {
            opened.current = true;
            change({ ...form, own: false });
          }}
        >
          {confirmation.change}
        </Button>
      </div>
    );
  }
  return (
    <div class="words">
      {!form.own && (
        <>
          <label class="label" for={id}>
            {confirmation.words}
          </label>
          <textarea
            id={id}
            ref={field}
            class="input"
            rows={4}
            maxLength={8192}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${id}-about` : undefined}
            value={form.text}
            onInput={(event) => change({ ...form, text: event.currentTarget.value })}
            onChange={() => void tell()}
          />
          {problem && (
            <p class="field-error" id={`${id}-about`} role="alert">
              {problem}
            </p>
          )}
        </>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={form.own}
          onChange={(event) => {
            change({ ...form, own: event.currentTarget.checked });
            void tell();
          }}
        />
        <span>{confirmation.own}</span>
      </label>
    </div>
  );
}
