// Following a generation and a conversation, with a network that the test holds in its hands: what is missed is read,
// what comes twice is told once, the end ends everything.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ReelayError } from "../src/error.js";
import {
  followConversation,
  followGeneration,
  type ConversationUpdate,
  type Means,
  type Message,
  type Reads,
  type Status,
} from "../src/follow.js";
import { isTerminal, type Generation } from "../src/generation.js";
import { createChannel, type ConnectionState } from "../src/push/channel.js";
import { condense, iterate, latest } from "../src/watch.js";
import { conversation, generation, message } from "./fixtures.js";
import { FakeClock, FakeSurroundings, fakeTransports, settle } from "./world.js";

/** A service: what it holds, what it was asked, and what it answers instead. */
class Service {
  generation = generation({});
  messages: Message[] = [];
  cursor = "5";
  asked: string[] = [];
  etags: (string | null)[] = [];
  failures: Error[] = [];

  private answer<Body>(what: string, body: () => Body): Promise<Body> {
    this.asked.push(what);
    const failure = this.failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve().then(body);
  }

  private get whole(): Generation {
    return { ...this.generation, eventsCursor: this.cursor };
  }

  readonly reads: Reads = {
    generation: () => this.answer("generation", () => this.whole),
    status: (_id: string, etag: string | null) =>
      this.answer("status", () => {
        this.etags.push(etag);
        const { id, status, progress, updatedAt } = this.generation;
        const terminal = isTerminal(status);
        const view: Status = { id, status, progress, updatedAt, terminal, pollAfterMs: terminal ? null : 5_000 };
        const tag = JSON.stringify(view);
        return { status: tag === etag ? null : view, etag: tag };
      }),
    conversation: () => this.answer("conversation", () => conversation({ eventsCursor: this.cursor })),
    messages: (_id: string, cursor: string | null) => this.pages(cursor),
    generations: () => this.answer("generations", () => [this.whole]),
  };

  /** Two messages a page; a page's cursor is the number of messages before it. */
  private async *pages(cursor: string | null) {
    for (let from = Number(cursor ?? 0); ; from += 2) {
      const items = await this.answer(`messages ${from}`, () => this.messages.slice(from, from + 2));
      yield { items, cursor: from === 0 ? null : String(from) };
      if (this.messages.length <= from + 2) return;
    }
  }

  /** Something happens; the event that tells it. */
  happen(part: Partial<Generation>): [id: string, event: string, data: unknown] {
    const updatedAt = new Date(Date.parse(this.generation.updatedAt) + 1_000).toISOString();
    this.generation = { ...this.generation, updatedAt, ...part };
    this.cursor = String(Number(this.cursor) + 1);
    return [this.cursor, "generation.updated", { conversationId: "conv_1", generation: this.whole }];
  }

  say(id: string): [id: string, event: string, data: unknown] {
    const said = message(id);
    this.messages.push(said);
    this.cursor = String(Number(this.cursor) + 1);
    return [this.cursor, "message.created", { conversationId: "conv_1", message: said }];
  }
}

function world() {
  const service = new Service();
  const clock = new FakeClock();
  const surroundings = new FakeSurroundings();
  const { links, transports, last } = fakeTransports();
  const lastCursor = async () => service.cursor;
  const channel = createChannel({ transports, clock, surroundings, lastCursor });
  const means: Means = { reads: service.reads, channel, clock };
  return { service, clock, links, last, means };
}

/** A follower of the generation that has read it. */
async function following(prepare: (service: Service) => void = () => {}) {
  const it = world();
  prepare(it.service);
  const told: Generation[] = [];
  const states: ConnectionState[] = [];
  const ends: unknown[] = [];
  const follower = followGeneration(it.means, "gen_1", {
    generation: (generation) => told.push(generation),
    connection: (state) => states.push(state),
    ended: () => ends.push("ended"),
    failed: (error) => ends.push(error),
  });
  await it.clock.pass(0);
  const progress = () => told.map(({ status, progress }) => `${status} ${progress}`);
  return { ...it, follower, told, states, ends, progress };
}

test("a generation is read at once, and listened to from the cursor that was read", async () => {
  const { last, told, states, service } = await following();
  assert.deepEqual([told.length, service.asked], [1, ["generation"]]);
  last().events.opened();
  assert.deepEqual([last().cursors, states], [{ conv_1: "5" }, ["connecting", "live"]]);
});

test("while nothing is pushed it is asked for every 5 s, and no more once something is", async () => {
  const { service, clock, last, progress, states } = await following();
  service.happen({ status: "processing", progress: 10 });
  await clock.pass(5_000);
  assert.deepEqual(progress(), ["queued 0", "processing 10"]);
  assert.deepEqual(service.asked, ["generation", "status", "generation"]);
  await clock.pass(15_000);
  assert.equal(service.asked.length, 6, "what did not change is not read in full");
  const [first, ...tags] = service.etags;
  assert.deepEqual([first, tags.length, tags.every((tag) => tag?.includes("processing"))], [null, 3, true]);
  last().events.opened();
  await clock.pass(40_000);
  assert.deepEqual([service.asked.length, states.at(-1)], [6, "live"]);
});

test("pushed and polled versions are told once each, in order", async () => {
  const { service, clock, last, progress } = await following();
  const first = service.happen({ status: "processing", progress: 10 });
  const second = service.happen({ progress: 20 });
  await clock.pass(5_000);
  last().events.opened();
  last().tell(...first);
  last().tell(...second);
  const third = service.happen({ progress: 30 });
  last().tell(...third);
  last().tell(...third);
  assert.deepEqual(progress(), ["queued 0", "processing 20", "processing 30"]);
});

test("the time that is left comes by every road, and goes with what says that nobody knows it", async () => {
  const { service, clock, last, told } = await following();
  service.happen({ status: "processing", etaSeconds: 40 });
  await clock.pass(5_000);
  assert.equal(service.asked.length, 3, "polled");
  last().events.opened();
  last().tell(...service.happen({ etaSeconds: 35 }));
  last().tell(...service.happen({ etaSeconds: null }));
  assert.deepEqual(told.slice(1).map(({ etaSeconds }) => etaSeconds), [40, 35, null]);
});

test("another generation's events are nobody's news here", async () => {
  const { last, told } = await following();
  last().events.opened();
  last().tell("6", "generation.updated", { generation: generation({ id: "gen_2", status: "completed" }) });
  last().tell("7", "message.created", { message: message("msg_1") });
  last().tell("8", "generation.updated", null);
  assert.equal(told.length, 1);
});

test("the end is told once and leaves nothing running, however it is learnt", async (t) => {
  type World = Awaited<ReturnType<typeof following>>;
  const ways: [string, (world: World) => void | Promise<void>][] = [
    [
      "pushed",
      ({ service, last }) => {
        last().events.opened();
        const end = service.happen({ status: "completed", progress: 100 });
        last().tell(...end);
        last().tell("99", "generation.updated", { generation: generation({ status: "failed" }) });
      },
    ],
    [
      "polled",
      async ({ service, clock }) => {
        service.happen({ status: "completed", progress: 100 });
        await clock.pass(5_000);
      },
    ],
    [
      "read after a resync",
      async ({ service, last }) => {
        last().events.opened();
        service.happen({ status: "completed", progress: 100 });
        last().tell("9", "resync", { conversationId: "conv_1" });
        await settle();
      },
    ],
  ];
  for (const [name, learn] of ways) {
    await t.test(name, async () => {
      const it = await following();
      await learn(it);
      assert.deepEqual([it.progress(), it.ends], [["queued 0", "completed 100"], ["ended"]]);
      await it.clock.pass(120_000);
      assert.deepEqual([it.clock.waiting, it.links.every(({ closed }) => closed), it.progress().length], [0, true, 2]);
    });
  }
});

test("what was over before is told, and not listened to", async () => {
  const { progress, ends, links, clock } = await following((service) => service.happen({ status: "failed" }));
  assert.deepEqual([progress(), ends, links.length, clock.waiting], [["failed 0"], ["ended"], 0, 0]);
});

const failed = (status: number) => new ReelayError({ status, code: "x", detail: "y" });

test("what fails for a while is tried again until it goes", async () => {
  const { clock, progress, states, ends, last } = await following((service) =>
    service.failures.push(failed(0), failed(503), failed(0)),
  );
  assert.deepEqual([progress(), states], [[], ["connecting", "polling"]]);
  await clock.pass(10_000);
  last().events.opened();
  assert.deepEqual([progress(), states.at(-1), ends], [["queued 0"], "live", []]);
});

test("what cannot go ends it with its error", async (t) => {
  for (const status of [401, 403, 404]) {
    await t.test(`${status} at the beginning`, async () => {
      const { ends, clock } = await following((service) => service.failures.push(failed(status)));
      assert.deepEqual([(ends[0] as ReelayError).status, ends.length, clock.waiting], [status, 1, 0]);
    });
    await t.test(`${status} of a poll`, async () => {
      const { ends, clock, service } = await following();
      service.failures.push(failed(status));
      await clock.pass(5_000);
      assert.deepEqual([(ends[0] as ReelayError).status, ends.length, clock.waiting], [status, 1, 0]);
    });
  }
});

test("a refused connection is followed by a read, which says why", async () => {
  const { ends, clock, service, last } = await following();
  last().events.opened();
  service.failures.push(failed(401));
  last().events.ended(401);
  await clock.pass(1_000);
  assert.deepEqual([(ends[0] as ReelayError).status, clock.waiting], [401, 0]);
});

test("a poll that fails is asked again later each time", async () => {
  const { clock, service } = await following();
  service.failures.push(failed(503), failed(503), failed(503));
  const at: number[] = [];
  const start = clock.time;
  for (let known = service.asked.length; clock.time - start < 60_000; await clock.pass(1_000)) {
    if (service.asked.length > known) at.push((clock.time - start) / 1000);
    known = service.asked.length;
  }
  assert.deepEqual(at, [5, 10, 20, 40, 45, 50, 55]);
});

test("a change that was learnt of but could not be read is asked for again", async () => {
  const { service, clock, progress, ends } = await following();
  service.happen({ status: "processing", progress: 10 });
  const { generation: read } = service.reads;
  service.reads.generation = () => {
    service.reads.generation = read;
    return Promise.reject(failed(503));
  };
  await clock.pass(10_000);
  assert.deepEqual([progress(), ends], [["queued 0", "processing 10"], []]);
});

test("whoever joins others on a conversation catches up with what they have heard", async () => {
  const { service, clock, last, means, told } = await following();
  last().events.opened();
  const late: Generation[] = [];
  const { generation: read } = service.reads;
  // It is read before something happens, and followed after the others have heard of it.
  service.reads.generation = async () => {
    const before = await read("gen_1", new AbortController().signal);
    service.reads.generation = read;
    last().tell(...service.happen({ status: "processing", progress: 10 }));
    return before;
  };
  const follower = followGeneration(means, "gen_1", {
    generation: (generation) => late.push(generation),
    failed: (error) => assert.fail(String(error)),
  });
  await settle();
  assert.deepEqual(late.map(({ progress }) => progress), [0, 10]);
  assert.equal(told.length, 2);
  const shown: string[] = [];
  const { conversation: readConversation } = service.reads;
  service.reads.conversation = async () => {
    const before = await readConversation("conv_1", new AbortController().signal);
    service.reads.conversation = readConversation;
    // Said after the list was read, and told before it is followed.
    const { messages: readMessages } = service.reads;
    service.reads.messages = async function* () {
      service.reads.messages = readMessages;
      yield { items: [], cursor: null };
      last().tell(...service.say("m1"));
    };
    return before;
  };
  const other = followConversation(means, "conv_1", {
    update: (update) => shown.push(update.type),
    failed: (error) => assert.fail(String(error)),
  });
  await clock.pass(0);
  assert.deepEqual(shown, ["snapshot", "message"]);
  follower.stop();
  other.stop();
});

test("a follower that was stopped tells nothing, whatever is still under way", async () => {
  const { follower, told, ends, service, last, clock } = await following();
  last().events.opened();
  const event = service.happen({ progress: 50 });
  last().tell("9", "resync", {});
  follower.stop();
  last().tell(...event);
  await clock.pass(60_000);
  assert.deepEqual([told.length, ends, clock.waiting, last().closed], [1, [], 0, true]);
});

/** A follower of the conversation, as an app would keep it: what it would show. */
async function conversing(prepare: (service: Service) => void = () => {}) {
  const it = world();
  prepare(it.service);
  const updates: ConversationUpdate[] = [];
  const ends: unknown[] = [];
  const follower = followConversation(it.means, "conv_1", {
    update: (update) => updates.push(update),
    failed: (error) => ends.push(error),
  });
  await it.clock.pass(0);
  const shown = () =>
    updates.map((update) => {
      if (update.type === "message") return update.message.id;
      if (update.type === "generation") return `${update.generation.status} ${update.generation.progress}`;
      return `all: ${update.messages.map(({ id }) => id).join(" ")}, ${update.generations.length}`;
    });
  return { ...it, follower, updates, ends, shown };
}

test("a conversation is told whole, then what happens, each once", async () => {
  const { service, last, shown } = await conversing((service) => ["m1", "m2", "m3"].forEach((id) => service.say(id)));
  assert.deepEqual(shown(), ["all: m1 m2 m3, 1"]);
  assert.deepEqual(last().cursors, { conv_1: "8" });
  last().events.opened();
  const said = service.say("m4");
  last().tell(...said);
  last().tell(...said);
  last().tell(...service.happen({ status: "processing", progress: 5 }));
  assert.deepEqual(shown().slice(1), ["m4", "processing 5"]);
});

test("what happened while nothing was pushed is polled, and not told again when it is pushed", async () => {
  const { service, clock, last, shown } = await conversing((service) => service.say("m1"));
  const said = service.say("m2");
  const happened = service.happen({ status: "processing", progress: 5 });
  await clock.pass(5_000);
  last().events.opened();
  last().tell(...said);
  last().tell(...happened);
  last().tell(...service.say("m3"));
  assert.deepEqual(shown(), ["all: m1, 1", "processing 5", "m2", "m3"]);
});

test("a poll that finds nothing new reads no lists", async () => {
  const { service, clock } = await conversing((service) => (service.generation = generation({ status: "completed" })));
  const before = service.asked.length;
  await clock.pass(15_000);
  assert.deepEqual(service.asked.slice(before), ["conversation", "conversation", "conversation"]);
});

test("after a resync all is told anew, with what came meanwhile behind it", async () => {
  const { service, last, shown } = await conversing((service) => service.say("m1"));
  last().events.opened();
  const lost = service.say("m2");
  last().tell("7", "resync", { conversationId: "conv_1" });
  const meanwhile = service.say("m3");
  service.messages.pop();
  last().tell(...meanwhile);
  await settle();
  last().tell(...lost);
  assert.deepEqual(shown(), ["all: m1, 1", "all: m1 m2, 1", "m3"]);
});

test("a conversation that is deleted ends with the error that says so", async () => {
  const { service, clock, last, ends } = await conversing();
  last().events.opened();
  service.failures.push(failed(404));
  last().events.gone("conv_1");
  await clock.pass(1_000);
  assert.deepEqual([(ends[0] as ReelayError).status, clock.waiting], [404, 0]);
});

test("of what waits for a busy loop only the last version counts, and no message is lost", () => {
  const version = (progress: number): ConversationUpdate => ({ type: "generation", generation: generation({ progress }) });
  const said = (id: string): ConversationUpdate => ({ type: "message", message: message(id) });
  const news = [version(1), said("m1"), version(2), said("m2"), version(3)];
  assert.deepEqual(news.reduce(condense, []), [said("m1"), said("m2"), version(3)]);
  const all: ConversationUpdate = { type: "snapshot", conversation: conversation(), messages: [], generations: [] };
  assert.deepEqual([...news, all, said("m3")].reduce(condense, []), [all, said("m3")]);
  assert.deepEqual([generation({ progress: 1 }), generation({ progress: 2 })].reduce(latest, []), [
    generation({ progress: 2 }),
  ]);
});

test("a loop ends with its source, by its signal, by its error, and stops what is behind it", async (t) => {
  type Sink = { push: (news: number) => void; end: () => void; fail: (error: unknown) => void };
  const all = (waiting: number[], news: number) => [...waiting, news];
  const cases: [name: string, act: (sink: Sink, abort: AbortController) => void, got: number[], error: RegExp | null][] = [
    ["its source", ({ push, end }) => (push(1), push(2), end()), [1, 2], null],
    ["its signal", ({ push }, abort) => (push(1), abort.abort()), [], null],
    ["its error", ({ push, fail }) => (push(1), fail(new Error("gone"))), [1], /gone/],
  ];
  for (const [name, act, expected, error] of cases) {
    await t.test(name, async () => {
      let stopped = 0;
      const abort = new AbortController();
      const start = (sink: Sink) => {
        setImmediate(() => act(sink, abort));
        return { stop: () => (stopped += 1) };
      };
      const got: number[] = [];
      const loop = async () => {
        for await (const news of iterate<number>(start, all, abort.signal)) got.push(news);
      };
      if (error) await assert.rejects(loop(), error);
      else await loop();
      assert.deepEqual([got, stopped], [expected, 1]);
    });
  }
  await t.test("being left", async () => {
    let stopped = 0;
    const start = ({ push }: Sink) => (push(1), { stop: () => (stopped += 1) });
    for await (const news of iterate<number>(start, all)) if (news === 1) break;
    assert.equal(stopped, 1);
  });
  await t.test("a signal that was there before", async () => {
    const start = () => assert.fail("it was started");
    for await (const _ of iterate<number>(start, all, AbortSignal.abort())) assert.fail("it brought something");
  });
});
