// The one state machine of push: which transport, from which cursor, and when anew.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createChannel } from "../src/push/channel.js";
import { FakeClock, fakeTransports, FakeSurroundings, recorder } from "./world.js";

/** A channel that follows `conv_1` from cursor 5, and has opened its first link. */
async function world({ online = true, lastCursor = async () => "5" }: WorldOptions = {}) {
  const clock = new FakeClock();
  const surroundings = new FakeSurroundings(online);
  const { links, transports, last } = fakeTransports();
  const channel = createChannel({ transports, clock, surroundings, lastCursor });
  const { heard, listener } = recorder();
  const following = channel.follow("conv_1", "5", listener);
  await clock.pass(0);
  return { clock, surroundings, links, last, channel, heard, following, names: () => links.map((l) => l.transport) };
}

interface WorldOptions {
  online?: boolean;
  lastCursor?: () => Promise<string>;
}

test("what is refused is left for the next best, and everything is tried again later", async () => {
  const { clock, last, names, heard, links } = await world();
  const steps: [wait: number, transports: string[], state: string][] = [
    [0, ["websocket"], "connecting"],
    [500, ["websocket"], "connecting"],
    [0, ["sse"], "connecting"],
    [1_000, ["sse"], "connecting"],
    // Neither works: polling, and 20 to 25 s until the next round.
    [24_999, [], "polling"],
    [1, ["websocket"], "polling"],
    [2_000, ["websocket"], "polling"],
    [0, ["sse"], "polling"],
  ];
  const expected: string[] = [];
  for (const [wait, opened, state] of steps) {
    if (expected.length > 0 && !last().closed) last().events.ended(null);
    await clock.pass(wait);
    expected.push(...opened);
    assert.deepEqual([names(), heard.states.at(-1)], [expected, state]);
  }
  last().events.opened();
  assert.equal(heard.states.at(-1), "live");
  assert.ok(links.slice(0, -1).every(({ closed }) => closed), "one link at a time");
});

test("a dropped link goes on after the last event, sooner after one that worked", async () => {
  const { clock, last, links, heard } = await world();
  last().events.opened();
  last().tell("6");
  last().tell("7");
  last().events.ended(null);
  assert.deepEqual(heard.states, ["connecting", "live", "connecting"]);
  await clock.pass(499);
  assert.equal(links.length, 1);
  await clock.pass(1);
  assert.deepEqual([last().transport, last().cursors], ["websocket", { conv_1: "7" }]);
  last().events.opened();
  last().tell("8");
  assert.deepEqual(heard.events, ["6", "7", "8"]);
});

test("nothing is told twice, and cursors count as numbers", async () => {
  const { last, heard } = await world();
  last().events.opened();
  for (const id of ["6", "6", "5", "9", "10", "9", "11"]) last().tell(id);
  assert.deepEqual(heard.events, ["6", "9", "10", "11"]);
});

test("what only moves the cursor is told to nobody, and counts for the next link", async () => {
  const { clock, last, heard } = await world();
  last().events.opened();
  last().tell("9", null);
  last().events.ended(null);
  await clock.pass(500);
  assert.deepEqual([heard.events, last().cursors], [[], { conv_1: "9" }]);
});

test("an old link is not heard any more", async () => {
  const { clock, links, channel, heard } = await world();
  const [old] = links;
  old?.events.ended(null);
  channel.reached();
  await clock.pass(0);
  old?.events.opened();
  old?.tell("6");
  old?.events.ended(null);
  assert.deepEqual([heard.events, heard.states, links.length], [[], ["connecting"], 2]);
});

test("a resync is told, and what follows it comes after the cursor that it brings, even a smaller one", async () => {
  const { clock, last, heard } = await world();
  last().events.opened();
  last().tell("3", "resync");
  last().tell("4");
  last().events.ended(null);
  await clock.pass(500);
  assert.deepEqual([heard.resyncs, heard.events, last().cursors], [1, ["4"], { conv_1: "4" }]);
});

test("after a resync that nothing follows the conversation is followed again from what was read", async () => {
  const { last, heard, following } = await world();
  last().events.opened();
  last().tell(null, "resync");
  assert.deepEqual([heard.resyncs, heard.states.at(-1)], [1, "polling"]);
  following.resume("8");
  assert.deepEqual([last().subscribed, heard.states.at(-1)], [[{ conversationId: "conv_1", cursor: "8" }], "live"]);
  following.resume("9");
  last().tell("8");
  last().tell("9");
  assert.deepEqual([last().subscribed.length, heard.events], [1, ["9"]]);
});

test("the last follower that leaves closes everything", async () => {
  const { clock, surroundings, last, channel, following } = await world();
  const other = recorder();
  last().events.opened();
  const { stop } = channel.follow("conv_2", "0", other.listener);
  assert.deepEqual(last().subscribed, [{ conversationId: "conv_2", cursor: "0" }]);
  following.stop();
  assert.deepEqual([last().unsubscribed, last().closed], [["conv_1"], false]);
  stop();
  stop();
  assert.deepEqual([last().closed, clock.waiting, surroundings.watchers], [true, 0, 0]);
});

test("two followers of one conversation share it, and the later one is told to catch up", async () => {
  const { last, channel, heard } = await world();
  last().events.opened();
  last().tell("6");
  const late = recorder();
  const early = recorder();
  assert.equal(channel.follow("conv_1", "5", late.listener).joined, true);
  assert.equal(channel.follow("conv_1", "6", early.listener).joined, false);
  last().tell("7");
  assert.deepEqual([heard.events, late.heard.events, early.heard.events], [["6", "7"], ["7"], ["7"]]);
  assert.deepEqual([late.heard.states, last().subscribed], [["live"], []]);
});

test("a conversation that is gone ends for its followers alone", async () => {
  const { last, channel, heard } = await world();
  const other = recorder();
  channel.follow("conv_2", "0", other.listener);
  last().events.opened();
  last().events.gone("conv_2");
  last().tell("6");
  assert.deepEqual([other.heard.refused, heard.refused, heard.events, last().closed], [1, 0, ["6"], false]);
});

test("a session that ends refuses its followers, and whoever can read again is pushed to again", async () => {
  const { clock, last, links, channel, heard } = await world();
  last().events.opened();
  await clock.pass(30_000);
  last().events.alive();
  last().events.ended(401);
  await clock.pass(120_000);
  assert.deepEqual([heard.refused, links.length, clock.waiting], [1, 1, 0]);
  // Somebody has signed in meanwhile, in another tab for all that is known here.
  const again = recorder();
  channel.follow("conv_1", "8", again.listener);
  await clock.pass(0);
  last().events.opened();
  assert.deepEqual([links.length, last().cursors, again.heard.states], [2, { conv_1: "8" }, ["connecting", "live"]]);
});

test("a link that is denied from the beginning does not work, whatever reads may show", async () => {
  const { clock, last, names, channel } = await world();
  let follower = recorder();
  const steps: [wait: number, transports: string[], state: string][] = [
    [500, ["websocket"], "connecting"],
    [0, ["sse"], "connecting"],
    [1_000, ["sse"], "connecting"],
    [24_999, [], "polling"],
    [1, ["websocket"], "polling"],
  ];
  const expected = ["websocket"];
  for (const [wait, opened, told] of steps) {
    if (!last().closed) {
      // As a socket says it: by a word.
      last().events.alive();
      last().events.ended(401);
      follower = recorder();
      channel.follow("conv_1", "5", follower.listener);
    }
    await clock.pass(wait);
    expected.push(...opened);
    assert.deepEqual([names(), follower.heard.states.at(-1)], [expected, told]);
  }
});

test("a new session is a new beginning", async () => {
  const { clock, last, links, channel, heard } = await world();
  last().events.opened();
  last().tell("6");
  channel.renewed();
  assert.deepEqual([links.length, links[0]?.closed, last().cursors], [2, true, { conv_1: "6" }]);
  for (const wait of [500, 0, 1_000]) {
    last().events.ended(401);
    channel.follow("conv_1", "6", recorder().listener);
    await clock.pass(wait);
  }
  last().events.ended(401);
  const again = recorder();
  channel.follow("conv_1", "6", again.listener);
  assert.deepEqual([heard.refused, again.heard.states], [1, ["polling"]]);
  const before = links.length;
  channel.renewed();
  last().events.opened();
  assert.deepEqual([links.length, last().transport, again.heard.states.at(-1)], [before + 1, "websocket", "live"]);
});

test("what a link has no room for is polled until another one leaves", async () => {
  const { last, channel, heard, following } = await world();
  const other = recorder();
  channel.follow("conv_2", "3", other.listener);
  last().events.opened();
  last().events.crowded("conv_2");
  assert.deepEqual([heard.states.at(-1), other.heard.states.at(-1)], ["live", "polling"]);
  following.stop();
  assert.deepEqual([last().subscribed.at(-1), other.heard.states.at(-1)], [{ conversationId: "conv_2", cursor: "3" }, "live"]);
});

test("sleep, a hidden page and a lost network are followed by a new link from the cursor, at once", async (t) => {
  type World = Awaited<ReturnType<typeof world>>;
  const cases: [name: string, happens: (world: World) => void | Promise<void>, links: number][] = [
    ["nothing happens", ({ clock }) => clock.pass(30_000), 1],
    ["the machine sleeps", ({ clock }) => (clock.sleep(3_600_000), clock.pass(5_000)), 2],
    [
      "a page was hidden for a minute",
      async ({ clock, surroundings }) => {
        surroundings.set({ hidden: true });
        await clock.pass(20_000);
        surroundings.set({ hidden: false });
      },
      2,
    ],
    [
      "a page was hidden for a moment",
      async ({ clock, surroundings }) => {
        surroundings.set({ hidden: true });
        await clock.pass(10_000);
        surroundings.set({ hidden: false });
      },
      1,
    ],
    [
      "a hidden page's timers are slow",
      async ({ clock, surroundings }) => {
        surroundings.set({ hidden: true });
        clock.sleep(30_000);
        await clock.pass(5_000);
      },
      1,
    ],
    [
      "the network was away",
      async ({ clock, surroundings, heard, last }) => {
        surroundings.set({ online: false });
        assert.deepEqual([heard.states.at(-1), last().closed], ["offline", true]);
        await clock.pass(60_000);
        surroundings.set({ online: true });
      },
      2,
    ],
  ];
  for (const [name, happens, count] of cases) {
    await t.test(name, async () => {
      const it = await world();
      it.last().events.opened();
      it.last().tell("6");
      await happens(it);
      assert.equal(it.links.length, count);
      if (count === 1) return;
      assert.deepEqual(it.last().cursors, { conv_1: "6" });
      it.last().events.opened();
      assert.equal(it.heard.states.at(-1), "live");
    });
  }
});

test("without a network nothing is tried", async () => {
  const { clock, links, heard, surroundings } = await world({ online: false });
  await clock.pass(60_000);
  assert.deepEqual([links.length, heard.states], [0, ["offline"]]);
  surroundings.set({ online: true });
  assert.equal(links.length, 1);
});

test("a silent event stream is dead after 45 s", async () => {
  const { clock, last, links } = await world();
  last().events.ended(null);
  await clock.pass(500);
  last().events.ended(null);
  await clock.pass(0);
  last().events.opened();
  for (let time = 0; time < 60_000; time += 15_000) {
    await clock.pass(15_000);
    last().events.alive();
  }
  assert.equal(links.length, 3);
  await clock.pass(44_000);
  assert.equal(links.length, 3);
  await clock.pass(6_000);
  assert.deepEqual([links.length, last().transport, links[2]?.closed], [4, "sse", true]);
});

test("a silent socket is asked about, and dead if it did not bring what is there", async (t) => {
  const cases: [name: string, lastCursor: () => Promise<string>, tell: string | null, links: number][] = [
    ["nothing happened", async () => "5", null, 1],
    ["something happened, and is under way", async () => "6", "6", 1],
    ["something happened", async () => "6", null, 2],
    ["nobody answers", () => Promise.reject(new Error("away")), null, 2],
  ];
  for (const [name, lastCursor, told, count] of cases) {
    await t.test(name, async () => {
      let asked = 0;
      const { clock, last, links } = await world({ lastCursor: () => ((asked += 1), lastCursor()) });
      last().events.opened();
      await clock.pass(45_000);
      assert.equal(asked, 1);
      if (told) last().tell(told);
      await clock.pass(2_000);
      assert.deepEqual([asked, links.length], [1, count]);
    });
  }
});

test("word that the service is back ends the waiting", async () => {
  const { clock, last, links, channel } = await world();
  for (const wait of [500, 0, 1_000, 1_000]) {
    last().events.ended(null);
    await clock.pass(wait);
  }
  const before = links.length;
  channel.reached();
  assert.deepEqual([links.length, last().transport], [before + 1, "websocket"]);
  channel.reached();
  assert.equal(links.length, before + 1, "a link that is being opened is left alone");
  last().events.ended(null);
  channel.reached();
  assert.equal(links.length, before + 1, "it was heard already");
  last().events.ended(null);
  await clock.pass(20_000);
  const waited = links.length;
  last().events.ended(null);
  channel.reached();
  assert.equal(links.length, waited + 1);
  last().events.opened();
  last().events.ended(null);
  channel.reached();
  assert.equal(links.length, waited + 2, "a link that opened since makes it news");
});

test("a socket that worked is gone back to once the service is there again", async () => {
  const { clock, last, links } = await world();
  last().events.opened();
  last().tell("6");
  last().events.ended(null);
  // The service restarts, which no transport survives, and comes back as the event stream is tried.
  for (const wait of [500, 1_000, 2_000]) {
    await clock.pass(wait);
    if (last().transport === "websocket") last().events.ended(null);
  }
  await clock.pass(0);
  assert.equal(last().transport, "sse");
  last().events.opened();
  for (let time = 0; time < 65_000; time += 5_000) {
    await clock.pass(5_000);
    last().events.alive();
  }
  assert.deepEqual([last().transport, last().cursors, links.at(-2)?.closed], ["websocket", { conv_1: "6" }, true]);
});

test("where there are no sockets, event streams are the first choice", async () => {
  const clock = new FakeClock();
  const { transports, last, links } = fakeTransports();
  const [, sse] = transports;
  assert.ok(sse);
  const none = { name: "websocket" as const, beats: false, open: () => null };
  const channel = createChannel({
    transports: [none, sse],
    clock,
    surroundings: new FakeSurroundings(),
    lastCursor: async () => "5",
  });
  const { heard, listener } = recorder();
  channel.follow("conv_1", "5", listener);
  await clock.pass(0);
  assert.deepEqual([links.length, last().transport, heard.states], [1, "sse", ["connecting"]]);
});
