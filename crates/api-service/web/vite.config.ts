// How the page is built: into `dist/`, whose files are committed and built into api-service. Names under
// `assets/` carry a hash of their content, so a browser may keep them for ever.

import { readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { defineConfig, type Plugin } from "vite";

const API = process.env.REELAY_API ?? "http://127.0.0.1:8080";
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The views that a user may never open, and what only they use; and the languages that they may not speak. */
const LATER = /\/src\/(views\/(gallery|video|usage|settings)|model\/usage|words\/(de|es|fr|it|pt))\.tsx?$/;

/** Lists what was built in the words of a Rust macro, so that api-service is compiled with all of it. */
function embed(): Plugin {
  let folder = "";
  return {
    name: "embed",
    apply: (config, { command }) => command === "build" && !config.build?.ssr,
    configResolved(config) {
      folder = join(config.root, relative(config.root, config.build.outDir));
    },
    closeBundle() {
      const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .filter((name) => name !== "embed.in")
        .sort();
      writeFileSync(join(folder, "embed.in"), `files![\n${names.map((name) => `    "${name}",\n`).join("")}]\n`);
    },
  };
}

export default defineConfig(({ isSsrBuild }) => ({
  plugins: [embed()],
  resolve: {
    alias: { "@reelay/client": here("../../../clients/typescript/src/index.ts") },
    dedupe: ["preact"],
  },
  build: {
    target: "es2022",
    // The policy knows no `data:` for scripts and styles, and a picture of its own is kept for longer.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // One file to begin with, and one for each view that is fetched when it is first wanted. The tests are built
        // for Node, each by itself.
        codeSplitting: isSsrBuild ? true : { groups: [{ name: "page", test: (id: string) => !LATER.test(id) }] },
      },
    },
  },
  server: {
    // `REELAY_API=http://127.0.0.1:8080 npm run dev`: the page from here, everything else from a running system.
    proxy: {
      // The system takes changes from its own page alone.
      "^/(api|docs)": { target: API, ws: true, changeOrigin: true, headers: { origin: new URL(API).origin } },
    },
  },
}));
