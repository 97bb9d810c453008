// What the README tells a stranger to do, against the real system: the program for Node as it stands there, and what a
// page of another origin may do, by a browser's rules.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { createClient, type ConnectionState } from "../src/index.js";
import { programs, root, Server } from "./server.js";

const ALLOWED = "http://localhost:5173";

let server: Server;
before(async () => {
  server = await Server.start({ ALLOWED_ORIGINS: ALLOWED });
});
after(() => server?.finish());

/** The client of a page, in a browser that keeps to CORS and has no cookie for another site. */
function page(origin: string) {
  const permits = (response: Response) => response.headers.get("access-control-allow-origin") === origin;
  const names = (response: Response, header: string) =>
    (response.headers.get(header) ?? "").split(",").map((name) => name.trim().toLowerCase());
  const refused = () => new TypeError("Failed to fetch");
  return createClient({
    baseUrl: server.api,
    webSocket: class extends (WebSocket as unknown as new (url: string, options: object) => WebSocket) {
      constructor(url: string) {
        super(url, { headers: { origin } });
      }
    } as never,
    async fetch(input, init = {}) {
      const headers = new Headers(init.headers);
      const method = init.method ?? "GET";
      const unusual = [...headers.keys()].filter((name) => name !== "accept");
      if (unusual.length > 0 || method !== "GET") {
        const ask = { origin, "access-control-request-method": method };
        const answer = await fetch(input, { method: "OPTIONS", headers: ask });
        if (!answer.ok || !permits(answer)) throw refused();
        const allowed = names(answer, "access-control-allow-headers");
        if (unusual.some((name) => !allowed.includes(name))) throw refused();
        if (method !== "GET" && !names(answer, "access-control-allow-methods").includes(method.toLowerCase())) {
          throw refused();
        }
      }
      headers.set("origin", origin);
      const response = await fetch(input, { ...init, headers });
      if (!permits(response)) throw refused();
      return response;
    },
  });
}

test("the README's program for Node makes a video", async () => {
  const { js } = programs();
  assert.equal(js.match(/http:\/\/127\.0\.0\.1:8080/g)?.length, 1);
  // Beside the tests the package's own name leads nowhere.
  const here = js
    .replace("http://127.0.0.1:8080", server.api)
    .replace('"@reelay/client"', JSON.stringify(join(root, "build/src/index.js")));
  const program = join(server.directory, "video.mjs");
  writeFileSync(program, here);
  const { email, password } = server.account;
  const { stdout } = await promisify(execFile)(process.execPath, [program, email, password], { timeout: 60_000 });
  assert.match(stdout.trim().split("\n").at(-1) ?? "", /^completed 100 http:/);
});

test("a page of another origin that is allowed goes the whole way by a token", async () => {
  const client = page(ALLOWED);
  const { token } = await client.login(server.account);
  client.setToken(token);
  const parameters = { duration: 4, aspectRatio: "16:9" };
  const asked = await client.createGeneration({ prompt: "a paper boat [sim:latency=2s]", parameters });
  await client.confirm(asked.id, asked.estimatedCost);
  const states: ConnectionState[] = [];
  let resultUrl = "";
  for await (const one of client.watchGeneration(asked.id, { onConnection: (state) => states.push(state) })) {
    resultUrl = one.resultUrl ?? "";
  }
  assert.deepEqual(states, ["connecting", "live"]);
  // As an element of the page opens it: with nothing that says who is asking.
  const video = await fetch(resultUrl);
  assert.deepEqual([video.status, video.headers.get("content-type")], [200, "video/mp4"]);
  assert.equal((await fetch(client.videoUrl(asked.id))).status, 401);
});

test("a page that is not allowed hears of nothing but a service that it cannot reach", async () => {
  for (const origin of ["http://127.0.0.1:5173", "http://localhost:3000"]) {
    await assert.rejects(page(origin).login(server.account), { status: 0, code: "unreachable" }, origin);
  }
});
