// Several tabs of one browser: none goes on in the name of somebody who has left.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { clear, elsewhere, happen, reloads } from "./stage";
import { initialState } from "../../src/model/state";
import type { User } from "../../src/model/types";
import { dispatch, state } from "../../src/store";
import { followUser } from "../../src/tabs";

const USER = "reelay.user";
const signIn = (id: string | null) => dispatch({ type: "session.known", user: id ? ({ id } as User) : null });

followUser();
beforeEach(() => {
  state.value = initialState;
  clear();
});

// The first one, since no tab may have told anything before.
test("whoever was last here is known to be gone once the server says so", () => {
  localStorage.setItem(USER, "user_1");
  signIn(null);
  assert.equal(localStorage.getItem(USER), null, "or their coming back would be no news to the others");
});

test("the other tabs learn who is here", () => {
  signIn("user_1");
  assert.equal(localStorage.getItem(USER), "user_1");
  signIn(null);
  assert.equal(localStorage.getItem(USER), null);
});

test("a tab begins anew when somebody leaves or comes in another", () => {
  signIn("user_1");
  elsewhere(USER, "user_1");
  assert.equal(reloads, 0, "it is the same one");
  elsewhere(USER, null);
  assert.equal(reloads, 1);
  elsewhere(USER, "user_2");
  assert.equal(reloads, 2);
});

test("a tab that waits at the door goes in with the other one", () => {
  signIn(null);
  elsewhere("reelay.draft.user_2.new", "a boat");
  assert.equal(reloads, 0);
  elsewhere(USER, "user_2");
  assert.equal(reloads, 1);
});

test("a page that the back button brings back sees whether somebody else is here", () => {
  signIn("user_1");
  happen("pageshow", { persisted: true });
  assert.equal(reloads, 0);
  localStorage.setItem(USER, "user_2");
  happen("pageshow", { persisted: false });
  assert.equal(reloads, 0, "it was read from the server");
  happen("pageshow", { persisted: true });
  assert.equal(reloads, 1);
});

test("a tab that does not know yet asks the server anyway", () => {
  elsewhere(USER, "user_2");
  assert.equal(reloads, 0);
});
