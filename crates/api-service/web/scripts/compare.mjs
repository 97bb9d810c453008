// Says whether `dist/`, which is committed, is what the sources build to.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), "reelay-dist-"));

function contents(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length).replace(/^\/+/, ""), readFileSync(path, "latin1")]));
}

try {
  await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn", build: { outDir, emptyOutDir: true } });
  const built = contents(outDir);
  const committed = contents(join(root, "dist"));
  const names = new Set([...built.keys(), ...committed.keys()]);
  const other = [...names].filter((name) => built.get(name) !== committed.get(name)).sort();
  if (other.length > 0) {
    console.error(`dist/ is not what the sources build to: run \`npm run build\` and commit it.\n${other.join("\n")}`);
    process.exitCode = 1;
  } else {
    console.log(`dist/ is what the sources build to: ${names.size} files.`);
  }
} finally {
  rmSync(outDir, { recursive: true, force: true });
}
