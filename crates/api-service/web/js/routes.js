// The addresses within the page. The server serves `/` alone, so they live in the fragment, where reloads,
// bookmarks and the back button keep them.

export function parseRoute(hash) {
  const path = hash.replace(/^#\/?/, "");
  if (path === "") return { name: "home" };
  if (path === "signin" || path === "signup") return { name: path };
  const [, id] = /^c\/([\w-]{1,80})$/.exec(path) ?? [];
  return id ? { name: "conversation", id } : { name: "unknown" };
}

export const homeHref = "#/";
export const signInHref = "#/signin";
export const signUpHref = "#/signup";
export const conversationHref = (id) => `#/c/${id}`;
