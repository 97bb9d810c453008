// Takes the appearance that was chosen in the settings before anything is painted. A file of its own, since the
// policy allows no script in the page itself. `src/preferences.ts` does the same to a page that is open.
try {
  const chosen = localStorage.getItem("reelay.appearance");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.appearance = chosen;
    for (const bar of document.querySelectorAll("meta[name=theme-color]")) {
      bar.media = bar.dataset.scheme === chosen ? "all" : "not all";
    }
  }
} catch {
  // Nothing is kept here: the system's appearance it is.
}
