// A labelled field of a form, with what is wrong with it beside it.

import { useId } from "preact/hooks";

import { Icon } from "./icon";

interface FieldProps {
  label: string;
  name: string;
  kind: "text" | "email" | "password";
  autoComplete: string;
  required?: boolean;
  hint?: string;
  problem?: string | null | undefined;
}

export function Field({ label, kind, hint, problem, ...rest }: FieldProps) {
  const id = useId();
  const about = `${id}-about`;
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      <input
        {...rest}
        // The types of the elements want one kind at a time.
        type={kind as "text"}
        id={id}
        class="input"
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={problem || hint ? about : undefined}
      />
      {problem ? (
        <Problem id={about} text={problem} />
      ) : (
        hint && (
          <p class="hint" id={about}>
            {hint}
          </p>
        )
      )}
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
