// The addresses within the page. The server serves `/` alone, so they live in the fragment, where reloads,
// bookmarks and the back button keep them.

export type Route =
  | { name: "home" | "signin" | "signup" | "usage" | "settings" | "unknown" }
  | { name: "conversation"; id: string }
  | { name: "gallery"; status: string }
  | { name: "video"; id: string };

const FILTERS = new Set(["", "completed", "running", "failed", "cancelled"]);
/** What a filter was called before, in bookmarks. */
const RENAMED: Readonly<Record<string, string>> = { processing: "running" };

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  if (path === "") return { name: "home" };
  if (path === "signin" || path === "signup" || path === "usage" || path === "settings") {
    return { name: path };
  }
  if (path === "videos") {
    const named = new URLSearchParams(query).get("status") ?? "";
    const status = RENAMED[named] ?? named;
    return { name: "gallery", status: FILTERS.has(status) ? status : "" };
  }
  const [, kind, id] = /^(c|videos)\/([\w-]{1,80})$/.exec(path) ?? [];
  if (!id) return { name: "unknown" };
  return kind === "c" ? { name: "conversation", id } : { name: "video", id };
}

export const homeHref = "#/";
export const signInHref = "#/signin";
export const signUpHref = "#/signup";
export const usageHref = "#/usage";
export const settingsHref = "#/settings";
export const galleryHref = (status = "") => (status ? `#/videos?status=${status}` : "#/videos");
export const conversationHref = (id: string) => `#/c/${id}`;
export const videoHref = (id: string) => `#/videos/${id}`;

/** Which view is shown: what stays the same while only its content changes has one key. */
export function viewKey(route: Route): string {
  return "id" in route ? `${route.name} ${route.id}` : route.name;
}
