// Tells a screen reader what has happened elsewhere on the page.

const PAUSE = 700;
let waiting = [];
let timer = null;

/** Says `text` when the reader is free. What comes close together is said together. */
export function announce(text) {
  waiting.push(text);
  timer ??= setTimeout(() => {
    // A new element is announced for certain; a text that is set again to the same words may not be.
    const line = document.createElement("p");
    line.textContent = waiting.join(" ");
    document.getElementById("announcer").replaceChildren(line);
    waiting = [];
    timer = null;
  }, PAUSE);
}
