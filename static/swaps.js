// When a fresh part may take the place of an old one, and what of the old one stays.
(() => {
  // Never between a press and its release: the click would be lost. What comes meanwhile is dropped, and asked for anew.
  // One flag for each, not one for each key: on some systems the release of a key is lost beside another's.
  let pointer = false, key = false;
  const late = new Set();
  const release = () => setTimeout(() => { // after the click, which follows the release
    if (pointer || key) return;
    const asking = [...late];
    late.clear();
    for (const part of asking) if (part.isConnected) window.htmx.trigger(part, "ask");
  });
  const on = (names, act) => {
    for (const name of names.split(" ")) window.addEventListener(name, act, { capture: true, passive: true });
  };
  on("pointerdown", () => { pointer = true; });
  on("pointerup pointercancel dragend", () => { pointer = false; release(); });
  on("pointermove", ({ buttons }) => { if (pointer && !buttons) { pointer = false; release(); } }); // let go elsewhere
  on("change", ({ target }) => { if (target.matches?.("select")) { pointer = false; release(); } }); // its list took the release
  on("keydown", ({ metaKey }) => { key = !metaKey; });
  on("keyup", () => { key = false; release(); });
  on("blur", ({ target }) => { if (target === window) { pointer = key = false; release(); } });
  // A page that is to begin anew waits as well for an open menu or question, and for who is typing. It goes on asking.
  const engaged = () => document.querySelector("details.dropdown[open], dialog[open]")
    || document.activeElement?.matches("input, textarea, select");
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    const begins = xhr.getResponseHeader("HX-Refresh");
    if (requestConfig.verb !== "get" || (xhr.status === 204 && !begins)) return;
    if (pointer || key) late.add(elt);
    else if (!(begins && engaged())) return;
    event.preventDefault();
  });

  // What somebody did to the old part is done to the new one: a thing is known by its kind, name and text, and as the
  // first, second … of those that are alike.
  const all = (root, selector) => [...(root.querySelectorAll?.(selector) ?? [])];
  const nature = (each) => JSON.stringify([
    each.tagName, each.id, each.name, each.value, each.getAttribute("href"), each.dataset.copy,
    each.getAttribute("aria-label") ?? (each.querySelector("summary") ?? each).textContent.trim().slice(0, 200),
  ]);
  function known(things, by = nature) {
    const counts = new Map(), found = new Map();
    for (const each of things) {
      const sign = by(each), nth = counts.get(sign) ?? 0;
      counts.set(sign, nth + 1);
      found.set(`${sign} ${nth}`, each);
    }
    return found;
  }
  const keyOf = (found, thing) => [...found].find(([, each]) => each === thing)?.[0];
  const BOXES = "input[type=checkbox], input[type=radio]";
  const SCROLLS = ".scrolls, pre";
  const ticked = new Map(); // of all that were seen: a filter may hide a tag that was chosen, and show it again
  let kept = null;

  function keep(root) {
    for (const [key, box] of known(all(root, BOXES))) {
      if (box.checked === box.defaultChecked) ticked.delete(key);
      else ticked.set(key, box);
    }
    const focus = document.activeElement;
    kept = {
      focus: root.contains(focus) && [focus.tagName, keyOf(known(all(root, focus.tagName)), focus)],
      open: [...known(all(root, "details"))].map(([key, each]) => [key, each.open]),
      scrolled: [...known(all(root, SCROLLS), (each) => each.className)]
        .map(([key, { scrollTop: top, scrollLeft: left }]) => [key, { top, left, behavior: "instant" }]),
    };
  }

  function giveBack(root) {
    if (!kept) return;
    const boxes = known(all(root, BOXES)), details = known(all(root, "details"));
    for (const [key, box] of ticked) {
      if (boxes.has(key)) boxes.get(key).checked = box.checked;
      else carry(root, box);
    }
    for (const [key, open] of kept.open) if (details.has(key)) details.get(key).open = open;
    const scrolls = known(all(root, SCROLLS), (each) => each.className);
    for (const [key, place] of kept.scrolled) scrolls.get(key)?.scrollTo(place);
    const [tag, key] = kept.focus || [];
    if (tag && !root.contains(document.activeElement)) known(all(root, tag)).get(key)?.focus({ preventScroll: true });
  }

  // A chosen row that the new list does not show stays chosen, and the list says so.
  function carry(root, box) {
    const form = box.checked && box.getAttribute("form");
    const place = form && root.querySelector?.(`#${CSS.escape(form)} [data-carried]`);
    if (!place) return;
    box.hidden = true;
    place.append(box);
    place.hidden = false;
    place.firstChild.data = place.dataset.carried.replace("%(n)s", all(place, BOXES).length);
  }

  document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (detail.shouldSwap) keep(detail.target); });
  document.addEventListener("htmx:afterSwap", ({ target }) => giveBack(target));
})();
