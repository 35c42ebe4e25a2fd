// A question before something ends comes up where one is; without this its link leads to a page of its own.
(() => {
  const dialog = document.getElementById("ask");
  if (!dialog) return;

  async function ask(link) {
    const go = () => location.assign(link.href);
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true", "HX-Target": dialog.id } });
      if (!answer.ok || answer.redirected) return go(); // gone, or signed out: the page says so
      dialog.innerHTML = await answer.text();
    } catch { return go(); }
    if (!dialog.open) dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const { target, button, detail } = event;
    const plain = !button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const link = target.closest("a[data-ask]");
    if (link && plain) {
      event.preventDefault();
      if (detail <= 1) ask(link);
    } else if (dialog.contains(target)) {
      // The second click of a double click was meant for what asked.
      if (detail > 1) event.preventDefault();
      else if (target.closest("[data-cancel]")) { event.preventDefault(); dialog.close(); }
    }
  });
})();
