// Pages work without this. Events are delegated: what htmx swaps in needs no wiring.
(() => {
  const all = (selector, root = document) => root.querySelectorAll(selector);
  const say = (text) => {
    const line = document.getElementById("announcer");
    line.textContent = "";
    requestAnimationFrame(() => { line.textContent = text; });
  };

  // Another icon of the sprite (accounts/templatetags/icons.py).
  function becomes(button, icon) {
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  }

  // Copy: the Clipboard API exists on https and localhost only, hence the older way for http://registry.internal.
  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      button.after(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      if (!done) return;
    }
    button.dataset.copied = "";
    becomes(button, "check");
    if (button.closest("[data-once]") && text === (secret()?.textContent ?? text)) saved();
    say(document.getElementById("announcer").dataset.copied);
    setTimeout(() => {
      delete button.dataset.copied;
      becomes(button, "copy");
    }, 2000);
  }

  function reveal(button) {
    const shown = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("shown");
    button.setAttribute("aria-pressed", shown);
  }

  const THEMES = ["auto", "light", "dark"];
  function nextTheme(button) {
    const choice = THEMES[(THEMES.indexOf(window.panelTheme.choice()) + 1) % THEMES.length];
    window.panelTheme.choose(choice);
    nameTheme(button);
    say(button.getAttribute("aria-label"));
  }
  function nameTheme(button) {
    const choice = document.documentElement.dataset.themeChoice;
    const label = button.dataset[choice];
    becomes(button, { auto: "brightness", light: "sun", dark: "moon" }[choice]);
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  const CLICKS = {
    "[data-copy]": copy, "[data-reveal]": reveal, "[data-theme-toggle]": nextTheme,
  };
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(CLICKS)) {
      const button = event.target.closest(selector);
      if (button) act(button);
    }
    for (const menu of all("details.dropdown[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of all("details.dropdown[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.getElementById("search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });

  // The button of a danger zone waits until the name is typed; the server asks for it all the same.
  const guard = (input) => {
    for (const button of all("button[type=submit]", input.form)) button.disabled = input.value.trim() !== input.dataset.confirmName;
  };
  document.addEventListener("input", (event) => { if (event.target.matches("[data-confirm-name]")) guard(event.target); });

  // A filter's address says only what is asked.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.matches(".filters")) for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });

  // A list opens what is chosen. Arrows and letters only walk through it: then Enter or the button opens.
  let walking = false;
  document.addEventListener("pointerdown", () => { walking = false; });
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest("select[data-opens]");
    if (!list) return;
    if (event.key === "Enter" && walking) list.form.requestSubmit();
    walking = event.key !== "Enter" && event.key !== " ";
  });
  document.addEventListener("change", ({ target }) => { if (target.matches("select[data-opens]") && !walking) target.form.requestSubmit(); });
  // Back on a page, the browser puts in again what was chosen there to leave it.
  window.addEventListener("pageshow", () => { for (const list of all("select[data-opens]")) list.form.reset(); });

  // One tick for all of a page.
  const ticksOf = (head) => [...head.form.elements].filter((box) => box.type === "checkbox" && box !== head);
  const sumUp = (head) => {
    const ticks = ticksOf(head), ticked = ticks.filter((box) => box.checked).length;
    head.hidden = !ticks.length;
    head.checked = ticked > 0 && ticked === ticks.length;
    head.indeterminate = ticked > 0 && !head.checked;
  };
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-tick-all]")) for (const box of ticksOf(target)) box.checked = target.checked;
    else if (target.matches("[type=checkbox]")) all("[data-tick-all]").forEach(sumUp);
  });

  // Times that tick, in the words the server uses.
  const words = JSON.parse(document.querySelector("meta[name=relative-words]")?.content || "null");
  const UNITS = [["s", 1, 60], ["min", 60, 3600], ["h", 3600, 86400], ["d", 86400, 2592000]];
  function tick() {
    if (!words || document.hidden) return;
    for (const time of all("time[data-relative]:not([data-tapped])")) {
      const seconds = Math.trunc((Date.now() - Date.parse(time.dateTime)) / 1000);
      const far = Math.abs(seconds);
      const count = (size) => seconds < 0 ? Math.round(far / size) : Math.floor(far / size);
      const unit = UNITS.find(([, size, limit]) => count(size) * size < limit);
      if (!unit) continue;
      const [name, size] = unit, said = words[seconds < 0 ? "ahead" : "ago"][name];
      const text = far < 2 ? words.now : typeof said === "string" ? said.replace("%(n)s", count(size)) : said[count(size)];
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // A time that is tapped says exactly when; for the keyboard the foot of the page has a switch for all of them.
  const tapped = new WeakMap();
  document.addEventListener("click", ({ target }) => {
    const time = target.closest("time[title]");
    if (!time || time.closest("a, button, summary, label")) return;
    if (tapped.has(time)) {
      time.replaceChildren(...tapped.get(time));
      tapped.delete(time);
    } else {
      tapped.set(time, [...time.childNodes]);
      time.textContent = time.title;
      say(time.title);
    }
    time.toggleAttribute("data-tapped", tapped.has(time));
    tick();
  });

  // The zone that times are shown in from the next page on (accounts/views/time_preferences.py).
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`time_zone=${zone}`)) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
  }

  // What is shown once: leaving asks, until it was copied, downloaded, or is said to be saved.
  const once = () => document.querySelector("[data-once]:not([data-saved])");
  const secret = () => once()?.querySelector("[data-secret]");
  const saved = () => { const part = once(); if (part) part.dataset.saved = ""; };
  document.addEventListener("click", ({ target }) => { if (target.closest("[data-saves], [data-once] [download]")) saved(); });
  document.addEventListener("copy", () => {
    const part = secret() ?? once()?.querySelector("pre");
    if (part && window.getSelection().containsNode(part, true)) saved();
  });
  window.addEventListener("beforeunload", (event) => { if (once()) event.preventDefault(); });

  // A tab that nobody has in focus speaks: <span data-title-note="team/api pushed"> anywhere marks title and icon.
  const title = document.title;
  const icon = document.querySelector("link[rel=icon]");
  const plain = icon?.getAttribute("href");
  function note() {
    const text = document.querySelector("[data-title-note]")?.dataset.titleNote;
    document.title = text ? `● ${text} · ${title}` : title;
    if (icon) icon.href = text ? icon.dataset.noteHref : plain;
  }

  // Live parts ask what is new (templates/_partials/live.html), and on a page without any the installation's status does.
  const anew = window.askEverLess(() => {
    const parts = all("[data-live]");
    for (const part of parts.length ? parts : all("[data-standing]")) window.htmx.trigger(part, "ask");
  });
  document.addEventListener("htmx:afterSwap", anew);
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { elt, xhr, pathInfo } = detail;
    const elsewhere = xhr.status < 300 && new URL(pathInfo.responsePath || pathInfo.requestPath, location).pathname
      !== new URL(pathInfo.requestPath, location).pathname;
    if (!elt.matches("[data-live], [data-standing]")) {
      // Signed out meanwhile: the page of signing in is a page, and no part of this one.
      if (elsewhere) { detail.shouldSwap = false; location.reload(); }
      return;
    }
    // Gone, forbidden, or led to the sign-in page: nothing more is to be heard.
    if (elsewhere || [401, 403, 404].includes(xhr.status)) {
      detail.shouldSwap = false;
      delete elt.dataset.live;
      delete elt.dataset.standing;
    }
  });

  // The tab that was open the last time: who uses podman uses podman.
  function recall() {
    for (const tabs of all("[data-remember]")) {
      const kept = storage(() => localStorage.getItem(tabs.dataset.remember));
      const found = kept && tabs.querySelector(`[data-key="${CSS.escape(kept)}"]`);
      if (found) found.open = true;
      tabs.addEventListener("toggle", ({ target }) => {
        if (target.open) storage(() => localStorage.setItem(tabs.dataset.remember, target.dataset.key));
      }, true);
    }
  }
  // Closed in private windows.
  function storage(use) { try { return use(); } catch { return null; } }
  recall();

  function wire() {
    all("[data-confirm-name]").forEach(guard);
    all("[data-tick-all]").forEach(sumUp);
    all("[data-theme-toggle]").forEach(nameTheme);
    tick();
    note();
  }
  wire();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:afterSettle", wire);

  // A failed request is said where one looks; a poll that fails stays quiet.
  const trouble = (event) => {
    const part = event.detail.elt?.closest("[data-trouble]");
    if (part) { part.textContent = part.dataset.trouble; return; }
    if (event.detail.requestConfig?.verb === "get" && event.detail.requestConfig.triggeringEvent?.type !== "click") return;
    const box = document.getElementById("trouble");
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:responseError", trouble);
  document.addEventListener("htmx:sendError", trouble);
})();
