// Where the focus goes when a view comes up.

import { useEffect } from "preact/hooks";

let first = true;

/** Calls `focus(first)` once the view stands; `first` if it is the one that the page began with. */
export function useArrival(focus: (first: boolean) => void): void {
  useEffect(() => {
    focus(first);
    first = false;
  }, []);
}
