// Modal questions. The browser's own dialog keeps the focus inside and gives it back afterwards.

import { signal } from "@preact/signals";
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { detailOf } from "../model/failure";
import { failureOf } from "../server";
import { phrases } from "../words";
import { Button } from "./icon";

/** What is asked just now; a dialog is shown while it is set. */
const current = signal<ComponentType | null>(null);

export function open(dialog: ComponentType): void {
  current.value = dialog;
}

/** Stands once in the page and shows what is open. */
export function DialogHost() {
  const Shown = current.value;
  return Shown && <Shown />;
}

interface FrameProps {
  title: string;
  class?: string;
  /** Must refuse or accept; a rejection stays open and says why. */
  onSubmit: () => void | Promise<unknown>;
  yes: string;
  no?: string;
  danger?: boolean;
  /** Whether accepting makes no sense just now. */
  blocked?: boolean;
  /** What stands beside the buttons. */
  aside?: ComponentChildren;
  children?: ComponentChildren;
}

/** The dialog itself: a title, what is asked, and the two answers. */
export function DialogFrame(props: FrameProps) {
  const { title, onSubmit, yes, no = phrases().act.cancel, danger, blocked, aside, children } = props;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const refuse = useRef<HTMLDivElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    dialog.current?.showModal();
    // A slip of the finger must not do what cannot be undone.
    if (danger) refuse.current?.querySelector("button")?.focus();
    else dialog.current?.querySelector<HTMLInputElement>("input[type=text]")?.select();
  }, []);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || blocked) return;
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit();
      dialog.current?.close();
    } catch (error) {
      setProblem(detailOf(failureOf(error)));
      setBusy(false);
    }
  }

  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={id}
      onClose={() => (current.value = null)}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <form onSubmit={submit} noValidate>
        <h2 id={id}>{title}</h2>
        {children}
        {problem && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-foot">
          {aside}
          <div class="buttons end" ref={refuse}>
            <Button onClick={() => dialog.current?.close()}>{no}</Button>
            <Button type="submit" look={danger ? "danger" : "primary"} busy={busy || blocked}>
              {yes}
            </Button>
          </div>
        </div>
      </form>
    </dialog>
  );
}

interface Question {
  title: string;
  text?: string;
  field?: { label: string; value: string };
  yes: string;
  no?: string;
  danger?: boolean;
  /** Does it; `value` is the text of the field. */
  run: (value: string) => void | Promise<unknown>;
}

/** Asks before something happens. */
export function ask({ title, text, field, yes, no, danger, run }: Question): void {
  open(function Asked() {
    const id = useId();
    const [value, setValue] = useState(field?.value ?? "");
    return (
      <DialogFrame
        title={title}
        yes={yes}
        {...(no ? { no } : {})}
        danger={danger ?? false}
        blocked={Boolean(field) && !value.trim()}
        onSubmit={() => run(value.trim())}
      >
        {text && <p class="muted">{text}</p>}
        {field && (
          <div>
            <label class="label" for={id}>
              {field.label}
            </label>
            <input
              id={id}
              class="input"
              type="text"
              maxLength={200}
              value={value}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
          </div>
        )}
      </DialogFrame>
    );
  });
}
