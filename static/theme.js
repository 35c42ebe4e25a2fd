// Runs in <head>, before the first paint, so that no page flashes in the wrong colours.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; }
  };
  const apply = () => {
    const choice = stored();
    root.dataset.themeChoice = choice;
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  };

  window.panelTheme = {
    choice: stored,
    choose(choice) {
      try { localStorage.setItem("theme", choice); } catch { /* private mode: the choice lasts for this page */ }
      root.dataset.themeChoice = choice;
      root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    },
  };
  root.classList.add("js");
  document.addEventListener("DOMContentLoaded", () => root.classList.add("loaded"));
  apply();
  dark.addEventListener("change", apply);
})();
