// Takes the appearance that was chosen in the settings before anything is painted. A file of its own, since the
// policy allows no script in the page itself.
try {
  const chosen = localStorage.getItem("reelay.appearance");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.appearance = chosen;
} catch {
  // Nothing is kept here: the system's appearance it is.
}
