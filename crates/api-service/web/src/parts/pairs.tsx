// Names and values side by side.

import type { Pair } from "../model/details";
import { phrases } from "../words";

/** As a list of chips, or as a grid. */
export function Pairs({ pairs, look = "details" }: { pairs: readonly Pair[]; look?: "details" | "chips" }) {
  return (
    <dl class={look}>
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The pictures that a video is made from. */
export function Pictures({ pictures }: { pictures: readonly { src: string; name: string }[] }) {
  if (pictures.length === 0) return null;
  return (
    <ul class="pictures" aria-label={phrases().pictures.title}>
      {pictures.map(({ src, name }) => (
        <li key={src}>
          <img src={src} alt={name} width={64} height={64} loading="lazy" />
        </li>
      ))}
    </ul>
  );
}
