// Runs the tests in a browser, one file after another, since each of them starts a whole system. Arguments go on to
// Node's runner, or are the beginnings of the files' names.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../tests/browser", import.meta.url));
const given = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith(".test.mjs"));
const chosen = files.filter((name) => given.some((one) => name.startsWith(one)));
const flags = given.filter((one) => !files.some((name) => name.startsWith(one)));
const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-concurrency=1", ...flags, ...(chosen.length > 0 ? chosen : files).map((name) => join(folder, name))],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
