// Runs the tests of the parts that need no browser: builds each of them with its modules, as the page is built, and
// hands the files to Node's own runner. Those that are not of the page itself are run as they are. Arguments go on to it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const tests = join(root, "tests/unit");
const names = readdirSync(tests).filter((name) => name.endsWith(".test.ts"));
const plain = readdirSync(tests).filter((name) => name.endsWith(".test.mjs"));
// Inside of the package, so that what is not built in is found.
const outDir = mkdtempSync(join(root, "node_modules/.unit-"));
try {
  await build({
    root,
    configFile: join(root, "vite.config.ts"),
    logLevel: "warn",
    publicDir: false,
    build: {
      ssr: true,
      outDir,
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(names.map((name) => [name.replace(/\.ts$/, ""), join(tests, name)])),
        output: { entryFileNames: "[name].mjs" },
      },
    },
  });
  const built = names.map((name) => join(outDir, name.replace(/\.ts$/, ".mjs")));
  const files = [...built, ...plain.map((name) => join(tests, name))];
  const { status } = spawnSync(process.execPath, ["--test", ...process.argv.slice(2), ...files], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(outDir, { recursive: true, force: true });
}
