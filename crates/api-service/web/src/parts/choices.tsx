// Choosing one of a few: chips, or a slider where they are many numbers.

import { useId } from "preact/hooks";

import { ratio } from "../format";
import type { AnswerValue } from "../model/types";

export interface Option {
  value: AnswerValue;
  label: string;
}

interface ChoiceProps {
  options: readonly Option[];
  value: AnswerValue | undefined;
  onChange: (value: AnswerValue) => void;
  name: string;
  invalid?: boolean;
}

/** More numbers than this are a slider. */
const CHIPS = 5;

/** Whether these options are better a slider: many numbers, in order. */
export function isScale(options: readonly Option[]): boolean {
  return (
    options.length > CHIPS &&
    options.every(({ value }, index) => {
      const before = options[index - 1]?.value;
      return typeof value === "number" && (typeof before !== "number" || before < value);
    })
  );
}

export function Choices({ options, value, onChange, name, invalid }: ChoiceProps) {
  return (
    <div class="choices">
      {options.map((option, index) => (
        <label class="choice" key={String(option.value)}>
          <input
            type="radio"
            name={name}
            value={String(index)}
            checked={option.value === value}
            aria-invalid={invalid ? "true" : undefined}
            onChange={() => onChange(option.value)}
          />
          <span>
            <Shape of={option.value} />
            {option.label}
          </span>
        </label>
      ))}
    </div>
  );
}

/** An aspect ratio as a drawing of it; nothing for everything else. */
function Shape({ of }: { of: AnswerValue }) {
  const shape = typeof of === "string" ? ratio(of) : null;
  if (!shape) return null;
  const height = shape > 1 ? 16 / shape : 16;
  const width = shape > 1 ? 16 : 16 * shape;
  return (
    <svg class="shape" viewBox="0 0 20 20" aria-hidden="true">
      <rect x={10 - width / 2} y={10 - height / 2} width={width} height={height} rx="1.5" />
    </svg>
  );
}

/** A slider over numbers that need not be evenly apart: it counts the options, and says their labels. */
export function Scale({ options, value, onChange, id, label }: Omit<ChoiceProps, "name"> & { id: string; label?: string }) {
  const ticks = useId();
  const at = Math.max(0, options.findIndex((option) => option.value === value));
  const shown = options[at]?.label ?? "";
  return (
    <div class="scale">
      <input
        id={id}
        type="range"
        min={0}
        max={options.length - 1}
        step={1}
        value={at}
        list={ticks}
        aria-label={label}
        aria-valuetext={shown}
        onInput={(event) => {
          const option = options[event.currentTarget.valueAsNumber];
          if (option) onChange(option.value);
        }}
      />
      <output for={id}>{shown}</output>
      <datalist id={ticks}>
        {options.map((_, index) => (
          <option key={index} value={index} />
        ))}
      </datalist>
    </div>
  );
}
