// How the page is built: into `dist/`, whose files are committed and built into api-service. Names under
// `assets/` carry a hash of their content, so a browser may keep them for ever.

import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
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
  },
  server: {
    // `REELAY_API=http://127.0.0.1:8080 npm run dev`: the page from here, everything else from a running system.
    proxy: {
      "/api": { target: process.env.REELAY_API ?? "http://127.0.0.1:8080", ws: true },
    },
  },
});
