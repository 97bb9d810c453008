import { fileURLToPath } from "node:url";

import type { NextConfig } from "next";

const reelay = process.env.REELAY_URL ?? "http://127.0.0.1:8080";

// The browser speaks to this app alone, which passes on what is Reelay's: one origin, so the session is a cookie that no
// script can read, and there is no token to keep.
const config: NextConfig = {
  rewrites: async () => [{ source: "/api/:path*", destination: `${reelay}/api/:path*` }],
  // The client lies beside this example, not inside of it.
  turbopack: { root: fileURLToPath(new URL("..", import.meta.url)) },
};

export default config;
