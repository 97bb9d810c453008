// A button that copies a text, and says for a moment that it did.

import { useEffect, useState } from "preact/hooks";

import type { Failure } from "../model/types";
import { phrases } from "../words";
import { announce } from "./announcer";
import { Button, type IconName } from "./icon";

/** How long "Copied" stands. */
const COPIED = 2_500;

interface CopyProps {
  text: string;
  label: string;
  icon: IconName;
  /** What a screen reader hears. */
  told: string;
  /** What is done where the page may not write to the clipboard; without it the text is there to be selected. */
  otherwise?: () => void;
}

export function Copy({ text, label, icon, told, otherwise }: CopyProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), COPIED) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(told);
    } catch {
      otherwise?.();
    }
  }

  return (
    <Button look="small" icon={copied ? "check" : icon} onClick={() => void copy()}>
      {/* Both are there, so that it is as wide as the longer one and nothing beside it moves. */}
      <span class="either">
        <span data-off={copied ? "" : undefined}>{label}</span>
        <span data-off={copied ? undefined : ""}>{phrases().act.copied}</span>
      </span>
    </Button>
  );
}

/** A way to take along what the server's log knows a failure by; nothing where there is no such thing. */
export function CopyRequestId({ failure }: { failure: Failure | null }) {
  const id = failure?.requestId;
  const { errors } = phrases();
  return id ? <Copy text={id} label={errors.copyId} icon="copy" told={errors.idCopied} /> : null;
}
