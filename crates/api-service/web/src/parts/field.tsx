// A labelled field of a form, with what is wrong with it beside it.

import { useId } from "preact/hooks";
import type { JSX, Ref } from "preact";

import { Icon } from "./icon";

type FieldProps = Omit<JSX.IntrinsicElements["input"], "ref" | "label"> & {
  label: string;
  hint?: string;
  problem?: string | null | undefined;
  input?: Ref<HTMLInputElement>;
};

export function Field({ label, hint, problem, input, ...rest }: FieldProps) {
  const id = useId();
  const about = `${id}-about`;
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      <input
        {...rest}
        id={id}
        class="input"
        ref={input ?? null}
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={problem || hint ? about : undefined}
      />
      {problem ? <Problem id={about} text={problem} /> : hint && <p class="hint" id={about}>{hint}</p>}
    </div>
  );
}

/** What is wrong with a field. */
export function Problem({ id, text }: { id: string; text: string }) {
  return (
    <p class="field-error" id={id}>
      <Icon name="alert" />
      {text}
    </p>
  );
}
