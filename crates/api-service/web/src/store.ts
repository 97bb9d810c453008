// Holds the state. What a view reads of it is what the view is drawn from; every change goes through `reduce`.

import { signal } from "@preact/signals";

import { type Action, initialState, reduce, type State } from "./model/state";

export const state = signal<State>(initialState);

export function dispatch(action: Action): void {
  state.value = reduce(state.peek(), action);
}
