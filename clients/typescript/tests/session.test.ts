// A browser's session is a cookie, which the client does not see: that it is another one now shows in what is called.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient, ReelayError, type ReelayClient } from "../src/index.js";
import { generation } from "./fixtures.js";
import { FakeClock, FakeSurroundings, fakeTransports } from "./world.js";

/** A client of a service at which somebody is signed in or nobody, and that takes one password. */
function world() {
  const clock = new FakeClock();
  const { links, transports, last } = fakeTransports();
  const session = { open: true };
  const json = (body: object, status = 200) => new Response(JSON.stringify(body), { status });
  const client = createClient({
    baseUrl: "https://reelay.test",
    clock,
    transports,
    surroundings: new FakeSurroundings(),
    async fetch(input, init) {
      const path = new URL(String(input)).pathname;
      if (path.startsWith("/api/auth/")) {
        session.open = String(init?.body).includes("right");
        const user = { user: { id: "user_1", email: "a@reelay.test" }, token: "t" };
        return session.open ? json(user) : json({ code: "invalid_credentials" }, 401);
      }
      return session.open ? json(generation({})) : json({ code: "unauthenticated" }, 401);
    },
  });
  return { clock, links, last, session, client };
}

/** Follows a generation, and writes down how. */
function follow(client: ReelayClient) {
  const told: string[] = [];
  client.followGeneration("gen_1", {
    generation: () => {},
    connection: (state) => told.push(state),
    failed: (error) => told.push(error instanceof ReelayError ? error.code : String(error)),
  });
  return told;
}

const ways: [name: string, signIn: (client: ReelayClient, password: string) => Promise<unknown>][] = [
  ["signing in", (client, password) => client.login({ email: "a@reelay.test", password })],
  ["registering", (client, password) => client.register({ email: "a@reelay.test", password })],
];
for (const [name, signIn] of ways) {
  test(`${name} begins a session, in which news are pushed whatever became of the one before`, async () => {
    const { clock, links, last, session, client } = world();
    const before = follow(client);
    await clock.pass(0);
    last().events.opened();
    session.open = false;
    last().events.ended(401);
    await clock.pass(60_000);
    assert.deepEqual(before, ["connecting", "live", "polling", "unauthenticated"]);

    await signIn(client, "right");
    const after = follow(client);
    await clock.pass(0);
    last().events.opened();
    assert.deepEqual([after, links.length], [["connecting", "live"], 2]);

    // Somebody else signs in over it: what stands is of the session before.
    await signIn(client, "right");
    assert.deepEqual([links.length, links[1]?.closed], [3, true]);
  });

  test(`${name} in vain changes nothing`, async () => {
    const { clock, links, last, client } = world();
    const told = follow(client);
    await clock.pass(0);
    last().events.opened();
    await assert.rejects(signIn(client, "wrong"), { status: 401 });
    assert.deepEqual([links.length, told], [1, ["connecting", "live"]]);
  });
}
