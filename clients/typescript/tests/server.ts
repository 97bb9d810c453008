// The real system, started for a test: `reelay up` on free ports, with a data directory of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { createClient, type ClientOptions, type ReelayClient } from "../src/index.js";

/** The package's own directory; tests run from `build/tests`. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the system's binary is. A test that cannot have it fails: it says nothing without. */
export function binary(): string {
  const path = process.env["REELAY_BIN"] ?? join(root, "../../target/debug/reelay");
  if (existsSync(path)) return path;
  throw new Error(`There is no ${path}. Build it with \`cargo build\`, or say by REELAY_BIN where it is.`);
}

/** The programs that the README shows: the one for Node, and the one for a browser. */
export function programs(): { js: string; tsx: string } {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [js, tsx] = ["js", "tsx"].map((language) => readme.match(new RegExp("```" + language + "\n([^]*?)```"))?.[1]);
  if (!js || !tsx) throw new Error("The README has lost a program.");
  return { js, tsx };
}

interface Up {
  api: string;
  email: string;
  password: string;
  token: string;
  pids: { api: number };
}

export class Server {
  private constructor(
    readonly directory: string,
    private readonly settings: Settings,
    private child: ChildProcess,
    private up: Up,
  ) {}

  static async start(settings: Settings = {}): Promise<Server> {
    const directory = mkdtempSync(join(tmpdir(), "reelay-client-"));
    const { child, up } = await launch(directory, 0, settings);
    return new Server(directory, settings, child, up);
  }

  get api() {
    return this.up.api;
  }

  /** Of the account that there is from the beginning. */
  get account() {
    const { email, password } = this.up;
    return { email, password };
  }

  /** A client with an account of its own. */
  async client(options: ClientOptions = {}): Promise<ReelayClient> {
    const anyone = createClient({ baseUrl: this.api });
    const email = `someone-${crypto.randomUUID()}@reelay.test`;
    const { token } = await anyone.register({ email, password: "correct horse battery" });
    return createClient({ baseUrl: this.api, token, ...options });
  }

  /** Kills the API alone, as a crash would; the launcher starts it again at the same address. */
  crashApi() {
    process.kill(this.up.pids.api, "SIGKILL");
  }

  /** Stops the whole system. */
  async halt(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const over = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    const hard = setTimeout(() => this.child.kill("SIGKILL"), 20_000);
    await over;
    clearTimeout(hard);
  }

  /** Starts it again with what it had, at the same address. */
  async resume(): Promise<void> {
    const { child, up } = await launch(this.directory, Number(new URL(this.api).port), this.settings);
    this.child = child;
    this.up = up;
  }

  /** Stops it after the last test of a file. */
  async finish(): Promise<void> {
    await this.stop();
    // A follower that a failed test has left would keep the process, and the runner, for ever.
    setTimeout(() => process.exit(1), 10_000).unref();
  }

  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

type Settings = Record<string, string>;

async function launch(directory: string, port: number, settings: Settings): Promise<{ child: ChildProcess; up: Up }> {
  const ports = ["--api-port", String(port), "--worker-port", "0", "--s3-port", "0", "--provider-port", "0"];
  const child = spawn(binary(), ["up", "--json", "--data-dir", directory, ...ports], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...settings },
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-4_000)));
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => resolve({ child, up: JSON.parse(line) as Up }));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`reelay up ended (${code ?? signal}):\n${log}`)));
  });
}

/** Waits until it holds. */
export async function until(holds: () => boolean, what: string, patience = 60_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
