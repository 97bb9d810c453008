// "Make a variation": the words, pictures and parameters of a video, to be changed, and made into a new one beside it.

import { useEffect, useId, useState } from "preact/hooks";

import * as actions from "../actions";
import { models } from "../catalogue";
import { money, number, seconds } from "../format";
import { pictureUrl } from "../model/pictures";
import type { Generation, ImageInput } from "../model/types";
import {
  durationsOf,
  fit,
  leftOutOf,
  modelOf,
  parametersOf,
  priceOf,
  roleOf,
  takenOf,
  type Wish,
} from "../model/variation";
import { conversationHref } from "../routes";
import { phrases } from "../words";
import { Choices, isScale, type Option, Scale } from "./choices";
import { DialogFrame, open } from "./dialog";
import { IconButton } from "./icon";

/** Opens the dialog for a variation of `generation`. */
export function openVariation(generation: Generation): void {
  open(function Opened() {
    return <Variation generation={generation} />;
  });
}

function Variation({ generation }: { generation: Generation }) {
  const id = useId();
  const [prompt, setPrompt] = useState(generation.enhancedPrompt ?? generation.prompt);
  const [pictures, setPictures] = useState<readonly ImageInput[]>(generation.parameters.images ?? []);
  const [wish, setWish] = useState<Partial<Wish>>(() => {
    const { duration, aspectRatio, resolution } = generation.parameters;
    return {
      model: generation.model,
      ...(duration ? { duration } : {}),
      ...(aspectRatio ? { aspectRatio } : {}),
      ...(resolution ? { resolution } : {}),
    };
  });
  useEffect(() => void actions.loadModels(), []);
  const { act, facts, variation: words } = phrases();
  const model = modelOf(models.value, wish.model);
  const taken = model ? takenOf(model, pictures) : [];
  const fitted = model && fit(model, wish, taken);
  const change = (part: Partial<Wish>) => setWish((before) => ({ ...before, ...part }));
  const price = model && fitted ? money(priceOf(model, fitted)) : "";

  async function submit() {
    if (!model || !fitted) return;
    const { provider, model: name } = fitted;
    await actions.vary({
      conversationId: generation.conversationId,
      prompt: prompt.trim(),
      provider,
      model: name,
      parameters: parametersOf(model, fitted, generation.parameters, taken),
    });
    location.hash = conversationHref(generation.conversationId);
  }

  return (
    <DialogFrame
      title={act.vary}
      class="wide"
      yes={act.continue}
      blocked={!model || !prompt.trim()}
      onSubmit={submit}
      aside={
        <p class="dialog-price" aria-live="polite">
          {price && (
            <>
              <span class="price-label">{words.about} </span>
              {price}
            </>
          )}
        </p>
      }
    >
      <div>
        <label class="label" for={`${id}-prompt`}>
          {words.show}
        </label>
        <textarea
          id={`${id}-prompt`}
          class="input"
          rows={4}
          value={prompt}
          onInput={(event) => setPrompt(event.currentTarget.value)}
        />
      </div>
      {model && fitted ? (
        <>
          <div>
            <label class="label" for={`${id}-model`}>
              {words.model}
            </label>
            <select
              id={`${id}-model`}
              class="input"
              value={model.model}
              onChange={(event) => change({ model: event.currentTarget.value })}
            >
              {models.value.map((one) => (
                <option key={one.model} value={one.model}>
                  {one.name}
                </option>
              ))}
            </select>
          </div>
          {pictures.length > 0 && (
            <Pictures
              taken={taken}
              leftOut={leftOutOf(model, pictures.length - taken.length, pictures.length)}
              remove={(gone) => setPictures(pictures.filter(({ uploadId }) => uploadId !== gone))}
            />
          )}
          <Row
            label={facts.length}
            options={durationsOf(model, fitted.resolution, taken).map((value) => ({ value, label: seconds(value) }))}
            value={fitted.duration}
            onChange={(duration) => change({ duration: Number(duration) })}
          />
          <Row
            label={facts.shape}
            options={model.aspectRatios.map((value) => ({ value, label: value }))}
            value={fitted.aspectRatio}
            onChange={(aspectRatio) => change({ aspectRatio: String(aspectRatio) })}
          />
          <Row
            label={facts.resolution}
            options={model.resolutions.map(({ name }) => ({ value: name, label: name }))}
            value={fitted.resolution}
            onChange={(resolution) => change({ resolution: String(resolution) })}
          />
        </>
      ) : (
        <div class="skeleton variation-skeleton" aria-hidden="true">
          <span />
          <span />
        </div>
      )}
    </DialogFrame>
  );
}

interface PicturesProps {
  taken: readonly ImageInput[];
  /** What is said of the pictures that are not taken. */
  leftOut: string | null;
  remove: (uploadId: string) => void;
}

/** The pictures that it is made from. One that has expired is refused by the server, and can be removed here. */
function Pictures({ taken, leftOut, remove }: PicturesProps) {
  const { pictures } = phrases();
  return (
    <div>
      {taken.length > 0 && (
        <ul class="attachments" aria-label={pictures.title}>
          {taken.map((picture, index) => (
            <li key={picture.uploadId}>
              <img src={pictureUrl(picture.uploadId)} alt={pictures.one(number(index + 1))} width={56} height={56} />
              <span>{pictures.roles[roleOf(picture)]}</span>
              <IconButton
                icon="close"
                label={pictures.removeOne(number(index + 1))}
                onClick={() => remove(picture.uploadId)}
              />
            </li>
          ))}
        </ul>
      )}
      <p class="hint" role="status">
        {leftOut}
      </p>
    </div>
  );
}

interface RowProps {
  label: string;
  options: readonly Option[];
  value: string | number;
  onChange: (value: string | number | boolean) => void;
}

function Row({ label, options, value, onChange }: RowProps) {
  const id = useId();
  if (isScale(options)) {
    return (
      <div>
        <label class="label" for={id}>
          {label}
        </label>
        <Scale id={id} options={options} value={value} onChange={onChange} />
      </div>
    );
  }
  return (
    <fieldset>
      <legend class="label">{label}</legend>
      <Choices name={id} options={options} value={value} onChange={onChange} />
    </fieldset>
  );
}
