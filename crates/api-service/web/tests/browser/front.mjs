// Serves the files in `dist/` as api-service would, and hands everything else on to a running system. For work on
// the page; the tests that count use the binary's own.

import { createServer, request } from "node:http";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};

/** `api` is the address of the system behind it. */
export async function serveDist(api) {
  const target = new URL(api);
  const policy = (await fetch(api)).headers.get("content-security-policy");
  // The system knows its own origin and no other.
  const forward = (headers) => ({
    ...headers,
    host: target.host,
    ...(headers.origin ? { origin: target.origin } : {}),
  });

  const server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, api);
    if (pathname.startsWith("/api") || pathname.startsWith("/docs")) {
      const { hostname: host, port } = target;
      const { url: path, method } = incoming;
      const onward = request({ host, port, path, method, headers: forward(incoming.headers) }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      // As a browser sees a server that is not there.
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      return void incoming.pipe(onward);
    }
    const name = pathname === "/" ? "/index.html" : pathname;
    const content = /^[\w./-]+$/.test(name) && !name.includes("..") && (await readFile(DIST + name).catch(() => null));
    if (!content) return void outgoing.writeHead(404).end();
    outgoing.writeHead(200, {
      "content-type": TYPES[name.split(".").pop()],
      "content-encoding": "gzip",
      "cache-control": name.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      "x-content-type-options": "nosniff",
      ...(name === "/index.html" ? { "content-security-policy": policy } : {}),
    });
    outgoing.end(gzipSync(content, { level: 9 }));
  });
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (incoming, socket, head) => {
    const onward = connect(Number(target.port), target.hostname, () => {
      const lines = Object.entries(forward(incoming.headers)).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.on("close", () => onward.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
