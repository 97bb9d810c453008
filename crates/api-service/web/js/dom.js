// Making and keeping elements. Text is only ever set as text, never as markup.
//
// A view is `{el, update(…)}`: it builds its element once and afterwards changes only what has changed, so that
// focus, selection and what is half typed survive every update.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "textContent", "htmlFor", "className"]);

/** `h("button", {type: "button", on: {click}}, "Send")`. `null` and `false` children are left out. */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  const { on = {}, ...rest } = props;
  for (const [name, value] of Object.entries(rest)) set(el, name, value);
  for (const [event, listener] of Object.entries(on)) el.addEventListener(event, listener);
  el.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return el;
}

/** Sets a property or an attribute; `null`, `undefined` and `false` remove the attribute. */
export function set(el, name, value) {
  if (PROPERTIES.has(name)) {
    if (el[name] !== value) el[name] = value;
  } else if (value === null || value === undefined || value === false) {
    el.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (el.getAttribute(name) !== text) el.setAttribute(name, text);
  }
}

export function setText(el, text) {
  set(el, "textContent", text);
}

/** A drawing from `icons.svg`. It says nothing to a screen reader: whoever uses it has a text beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon alone and says `label`. */
export function iconButton(name, label, onClick, props = {}) {
  return h(
    "button",
    {
      type: "button",
      class: "icon-button",
      "aria-label": label,
      title: label,
      on: { click: onClick },
      ...props,
    },
    icon(name),
  );
}

/** A button for something that takes a moment: it is out of use meanwhile, but keeps the focus. */
export function setBusy(button, busy) {
  set(button, "aria-disabled", busy ? "true" : null);
}

/**
 * Keeps `parent`'s children in step with a list of items that have a `key`. `make(item)` gives the view of a
 * new one. Elements that stay are moved only if they must, since moving one would take its focus.
 */
export function keyedChildren(parent, make) {
  const views = new Map();
  return (items, ...more) => {
    const wanted = new Set(items.map(({ key }) => key));
    for (const [key, view] of views) {
      if (wanted.has(key)) continue;
      view.el.remove();
      views.delete(key);
    }
    let next = null;
    for (const item of items.toReversed()) {
      let view = views.get(item.key);
      if (!view) {
        view = make(item);
        views.set(item.key, view);
      }
      view.update(item, ...more);
      if (view.el.parentNode !== parent || view.el.nextSibling !== next) parent.insertBefore(view.el, next);
      next = view.el;
    }
  };
}

let count = 0;
/** An id that no other element has, to tie a label to its field. */
export const uniqueId = (prefix) => `${prefix}-${(count += 1)}`;

/** Whether the main pointer is a finger: the screen keyboard then has no handy Shift, and focus raises it. */
export const touch = () => matchMedia("(pointer: coarse)").matches;
