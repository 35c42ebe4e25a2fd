// On the page that says "back in a moment": asks for the page that was wanted until there is one, and shows it.
window.askEverLess(async () => {
  try {
    if ((await fetch(location.href, { method: "HEAD" })).status !== 503) location.reload();
  } catch { /* nobody answers at all: again later */ }
});
