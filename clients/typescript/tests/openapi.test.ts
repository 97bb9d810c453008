// The types cannot go stale: the server that stands here is the one that they were made for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root, Server } from "./server.js";

interface Generator {
  documentText(document: unknown): string;
  typesOf(document: unknown): Promise<string>;
}

const stale = "is stale: run `npm run generate`";
const committed = (name: string) => readFileSync(join(root, name), "utf8");

test("the committed document is the server's", async () => {
  const server = await Server.start();
  try {
    const document: unknown = await (await fetch(`${server.api}/api/openapi.json`)).json();
    assert.deepEqual(JSON.parse(committed("openapi.json")), document, `openapi.json ${stale}`);
  } finally {
    await server.stop();
  }
});

test("the committed types are the document's", async () => {
  const { documentText, typesOf } = (await import(join(root, "scripts/types.mjs"))) as Generator;
  const document: unknown = JSON.parse(committed("openapi.json"));
  assert.equal(committed("openapi.json"), documentText(document), `openapi.json ${stale}`);
  assert.equal(committed("src/schema.ts"), await typesOf(document), `src/schema.ts ${stale}`);
});

test("every route of a frontend's has a call, and the rest is known", () => {
  const { paths } = JSON.parse(committed("openapi.json")) as { paths: Record<string, object> };
  const source = committed("src/client.ts");
  // Addresses that a browser opens, streams that push reads, and what is not for frontends.
  const others = [
    "/",
    "/api/conversations/{id}/events",
    "/api/generations/{id}/events",
    "/api/openapi.json",
    "/api/webhooks/worker",
    "/docs",
    "/docs.css",
    "/metrics",
  ];
  const uncalled: string[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const called = source.includes(`call("${method}", "${path}"`);
      // What is no call of its own is an address.
      const built = method === "get" && source.includes(path.replace("{id}", "${id}"));
      if (!called && !built && !others.includes(path)) uncalled.push(`${method} ${path}`);
    }
  }
  assert.deepEqual(uncalled, []);
});
