// On the page that says "back in a moment": asks for the page that was wanted until there is one, and shows it.
(() => {
  async function ask() {
    try {
      if ((await fetch(location.href, { method: "HEAD" })).status !== 503) return location.reload();
    } catch { /* nobody answers at all: again later */ }
    setTimeout(ask, 3000);
  }
  setTimeout(ask, 3000);
})();
