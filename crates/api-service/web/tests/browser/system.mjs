// A system of its own for the tests: the built binary, started on free ports and a temporary folder, killed and
// started again on the same ones. `REELAY_BIN` names the binary. It serves the page that is built into it; with
// `REELAY_DIST=1` the files in `dist/` are served in front of it instead, under the same policy, so that a change
// can be looked at without building the binary.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { serveDist } from "./front.mjs";

const BINARY =
  process.env.REELAY_BIN ?? fileURLToPath(new URL("../../../../../target/debug/reelay", import.meta.url));

/** Starts a system. `latency` is how long the simulated provider takes for a video at least. */
export async function startSystem({ latency = "1500ms", env = {} } = {}) {
  if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}: build it, or name it in REELAY_BIN`);
  const folder = await mkdtemp(join(tmpdir(), "reelay-page-"));
  const ports = { api: 0, worker: 0, provider: 0, s3: 0 };
  let child = null;
  let told = null;

  async function start() {
    const flags = Object.entries(ports).flatMap(([part, port]) => [`--${part}-port`, String(port)]);
    child = spawn(BINARY, ["up", "--json", "--data-dir", folder, ...flags], {
      env: { ...process.env, SIMULATOR_LATENCY: latency, RUST_LOG: "warn", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaints = "";
    child.stderr.on("data", (text) => (complaints = (complaints + text).slice(-4_000)));
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const line = await Promise.race([
      new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
      ended.then((code) => {
        throw new Error(`the system ended with ${code} while it started:\n${complaints}`);
      }),
    ]);
    told = JSON.parse(line);
    for (const part of Object.keys(ports)) ports[part] = Number(new URL(told[part]).port);
  }

  function end(signal) {
    if (!child || child.exitCode !== null || child.signalCode !== null) return undefined;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    return ended;
  }

  await start();
  const front = process.env.REELAY_DIST ? await serveDist(told.api) : null;
  return {
    /** Where the page is. */
    get url() {
      return front?.url ?? told.api;
    },
    /** Where the API is. */
    get api() {
      return told.api;
    },
    /** How often the provider was asked for a video by these words. */
    async ordered(words) {
      const { submissions } = await (await fetch(`${told.provider}/ledger`)).json();
      const hash = createHash("sha256").update(words).digest("hex");
      return submissions.filter(({ promptSha256 }) => promptSha256 === hash).length;
    },
    /** Kills all of it as a crash would; its parts end when their parent does. */
    kill: () => end("SIGKILL"),
    /** Starts it again on the same folder and ports, as soon as these are free. */
    async restart() {
      const until = Date.now() + 20_000;
      for (;;) {
        try {
          return await start();
        } catch (error) {
          // The parts of the one that was killed may still be ending.
          if (Date.now() > until) throw error;
        }
      }
    },
    async stop() {
      await front?.close();
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
