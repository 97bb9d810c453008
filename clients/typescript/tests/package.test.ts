// The package as a project gets it: packed, installed from the tarball, used beside the project's own React.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { programs, root } from "./server.js";

const run = promisify(execFile);

/** Somebody's project. */
let project: string;
const installed = (...path: string[]) => join(project, "node_modules", ...path);
const write = (name: string, text: string) => writeFileSync(join(project, name), text);

before(async () => {
  project = mkdtempSync(join(tmpdir(), "reelay-package-"));
  write("package.json", JSON.stringify({ private: true, type: "module" }));
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: root });
  // The name comes last, after whatever else is said.
  const tarball = stdout.trim().split("\n").at(-1) ?? "";
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(project, tarball)], { cwd: project });
  // Copies, so that they are others than the client's own, as they would be anywhere else.
  for (const name of ["react", "react-dom", "scheduler"]) {
    cpSync(join(root, "node_modules", name), installed(name), { recursive: true });
  }
  mkdirSync(installed("@types"));
  for (const name of ["node", "react"]) {
    symlinkSync(join(root, "node_modules/@types", name), installed("@types", name), "dir");
  }
});
after(() => rmSync(project, { recursive: true, force: true }));

test("what the package says that it has is there, and nothing else", () => {
  const home = installed("@reelay/client");
  const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
    exports: Record<string, Record<string, string>>;
  };
  const named = Object.values(exports).flatMap((entry) => Object.values(entry));
  assert.equal(named.length, 4);
  for (const file of named) assert.ok(existsSync(join(home, file)), file);
  for (const name of ["src", "tests", "node_modules", "openapi.json"]) assert.ok(!existsSync(join(home, name)), name);
});

test("its hooks are those of the project's React", async () => {
  write(
    "page.mjs",
    `
    import { createClient } from "@reelay/client";
    import { ReelayProvider, useGenerationStatus } from "@reelay/client/react";
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";

    const client = createClient({ baseUrl: "http://reelay.test" });
    const Shown = () => createElement("p", null, useGenerationStatus(null).progress);
    console.log(renderToString(createElement(ReelayProvider, { client }, createElement(Shown))));
    `,
  );
  const { stdout } = await run(process.execPath, ["page.mjs"], { cwd: project });
  assert.equal(stdout.trim(), "<p>0</p>");
});

test("the programs of the README are right, as a strict project sees it", async () => {
  const { js, tsx } = programs();
  write("video.mjs", js);
  write("App.tsx", tsx);
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    module: "ESNext",
    moduleResolution: "bundler",
    jsx: "react-jsx",
    types: ["node"],
    strict: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    verbatimModuleSyntax: true,
    allowJs: true,
    checkJs: true,
    skipLibCheck: true,
    noEmit: true,
  };
  write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["video.mjs", "App.tsx"] }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: project }).catch((error: unknown) =>
    assert.fail((error as { stdout: string }).stdout),
  );
  assert.equal(stdout, "");
});
