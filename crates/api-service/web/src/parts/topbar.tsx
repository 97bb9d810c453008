// What stands above every view: the bar with its title.

import type { ComponentChildren, Ref } from "preact";

import { phrases } from "../words";
import { drawer } from "./drawer";
import { IconButton } from "./icon";

interface TopbarProps {
  title: string;
  heading?: Ref<HTMLHeadingElement>;
  children?: ComponentChildren;
}

/** The bar above a view; `children` stand at its end. The heading takes the focus when the view changes. */
export function Topbar({ title, heading, children }: TopbarProps) {
  return (
    <header class="topbar">
      <IconButton
        icon="menu"
        label={phrases().sidebar.menu}
        class="only-narrow"
        expanded={drawer.value}
        onClick={() => (drawer.value = true)}
      />
      <h1 class="topbar-title" tabIndex={-1} ref={heading ?? null}>
        {title}
      </h1>
      {children}
    </header>
  );
}
