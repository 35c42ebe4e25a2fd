// Suggestions under a field, as a combobox: the focus stays in the field, arrows walk through the list, Enter takes one.
// htmx asks for the list (accounts/user_field.py). Without a script the field has the browser's own list of the first ones.
(() => {
  const fieldOf = (part) => part.closest?.("[data-suggestions]");
  const menuOf = (field) => document.getElementById(`${field.dataset.suggestions}-menu`);
  const options = (field) => [...menuOf(field).querySelectorAll("[role=option]")];
  const marked = (field) => document.getElementById(field.getAttribute("aria-activedescendant"));

  const closed = new WeakSet(); // fields whose list was closed: an answer that is still under way does not open it again

  function mark(field, option) {
    for (const each of options(field)) each.setAttribute("aria-selected", each === option);
    if (!option) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
  function show(field, open) {
    const menu = menuOf(field);
    if (!open) closed.add(field);
    menu.hidden = !open;
    menu.classList.toggle("show", open);
    field.setAttribute("aria-expanded", open && options(field).length > 0);
    mark(field, null);
  }
  function take(field, option) {
    field.value = option.dataset.value;
    show(field, false);
    const effect = document.getElementById("effect"); // what the form would give (templates/namespaces/_effect.html)
    if (effect) window.htmx.trigger(effect, "ask");
  }
  const isOpen = (field) => !menuOf(field).hidden;
  function ask(field) {
    closed.delete(field);
    window.htmx.trigger(field, "ask");
  }

  for (const field of document.querySelectorAll("[data-suggestions]")) {
    field.removeAttribute("list");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", field.dataset.suggestions);
    show(field, false);
    menuOf(field).addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    menuOf(field).addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) take(field, option);
    });
  }

  const STEPS = { ArrowDown: 1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    const field = fieldOf(event.target), { key } = event;
    if (!field || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key in STEPS) {
      event.preventDefault();
      if (!isOpen(field)) return ask(field);
      const all = options(field), at = all.indexOf(marked(field));
      mark(field, all.at(at < 0 ? Math.min(STEPS[key], 0) || 0 : (at + STEPS[key]) % all.length) ?? null);
    } else if (key === "Enter" && isOpen(field) && marked(field)) {
      event.preventDefault();
      take(field, marked(field));
    } else if (key === "Escape") {
      if (isOpen(field)) event.preventDefault();
      show(field, false);
    }
  });
  document.addEventListener("input", ({ target }) => { const field = fieldOf(target); if (field) closed.delete(field); });
  document.addEventListener("click", ({ target }) => { const field = fieldOf(target); if (field && !isOpen(field)) ask(field); });
  document.addEventListener("focusout", ({ target }) => { const field = fieldOf(target); if (field) show(field, false); });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const field = fieldOf(detail.requestConfig.elt);
    if (!field || closed.has(field) || document.activeElement !== field) return;
    show(field, true);
    document.getElementById("announcer").textContent = menuOf(field).querySelector("[data-said]").textContent.trim();
  });
})();
