// Reads the OpenAPI document from a server that it starts, and makes the types of it: `npm run generate`. REELAY_BIN
// says where the server's binary is; by default it is the one that `cargo build` made.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { documentText, typesOf } from "./types.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const binary = process.env.REELAY_BIN ?? join(root, "../../target/debug/reelay");
const directory = mkdtempSync(join(tmpdir(), "reelay-generate-"));
const ports = ["api", "worker", "s3", "provider"].flatMap((part) => [`--${part}-port`, "0"]);
const child = spawn(binary, ["up", "--json", "--data-dir", directory, ...ports], {
  stdio: ["ignore", "pipe", "ignore"],
});
const over = new Promise((resolve) => child.once("close", resolve));
try {
  const { api } = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${binary} up ended with ${code}`)));
  });
  const document = await (await fetch(`${api}/api/openapi.json`)).json();
  writeFileSync(join(root, "openapi.json"), documentText(document));
  writeFileSync(join(root, "src/schema.ts"), await typesOf(document));
} finally {
  child.kill("SIGTERM");
  await over;
  rmSync(directory, { recursive: true, force: true });
}
