// The drawings of `icons.svg`, and the buttons that show one alone.

import type { ComponentChildren, JSX } from "preact";

import sprite from "../pictures/icons.svg";

export type IconName =
  | "reel"
  | "plus"
  | "menu"
  | "close"
  | "pencil"
  | "trash"
  | "send"
  | "download"
  | "retry"
  | "out"
  | "down"
  | "alert"
  | "stop"
  | "offline"
  | "grid"
  | "gauge"
  | "dials"
  | "search"
  | "clip"
  | "link"
  | "copy"
  | "check"
  | "vary"
  | "bell"
  | "chat";

/** It says nothing to a screen reader: whoever uses it has a text beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`${sprite}#${name}`} />
    </svg>
  );
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  class?: string;
  hidden?: boolean;
  expanded?: boolean;
}

/** A button that shows an icon alone and says `label`. */
export function IconButton({ icon, label, onClick, class: extra = "", hidden, expanded }: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${extra}`}
      aria-label={label}
      aria-expanded={expanded}
      title={label}
      hidden={hidden}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "icon" | "ref"> & {
  icon?: IconName;
  busy?: boolean | undefined;
  look?: string;
  children?: ComponentChildren;
};

/** A button. One for something that takes a moment is out of use while it is `busy`, but keeps the focus. */
export function Button({ icon, busy, look = "", children, onClick, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      class={`button ${look}`}
      aria-disabled={busy ? "true" : undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** The name of the house. */
export function Brand() {
  return (
    <span class="brand">
      <Icon name="reel" />
      <span>Reelay</span>
    </span>
  );
}
