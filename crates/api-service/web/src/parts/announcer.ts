// Tells a screen reader what has happened elsewhere on the page.

const PAUSE = 700;
const waiting = new Map<string, string>();
let timer: ReturnType<typeof setTimeout> | null = null;

/** Says `text` soon, together with what else comes close; of one `topic` only the latest. */
export function announce(text: string, topic = text): void {
  waiting.set(topic, text);
  timer ??= setTimeout(() => {
    // A new element is announced for certain; a text that is set again to the same words may not be.
    const line = document.createElement("p");
    line.textContent = [...waiting.values()].join(" ");
    document.getElementById("announcer")?.replaceChildren(line);
    waiting.clear();
    timer = null;
  }, PAUSE);
}
