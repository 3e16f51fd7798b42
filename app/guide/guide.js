// For the page's head: the buttons of the header. Whether the tour is offered is known before the header is drawn, so
// that nothing moves.

(() => {
  const TOUR = "wsr-tour", HUB = "https://huggingface.co", SAID = 2000, READ = 4000; // ms
  const LESSON = ["lesson", "step"]; // names in the address
  const root = document.documentElement;
  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name) => { try { localStorage.setItem(name, "seen"); } catch { /* it will be offered again */ } };
  const ours = (query) => new URLSearchParams([...query].filter(([name]) => !name.startsWith("__")));
  const asked = ours(new URLSearchParams(location.search));
  if (!asked.size && !remembered(TOUR)) root.dataset.wsrTour = "offered"; // a link has opened something already

  const selected = () => document.querySelector("[role=tab][aria-selected=true]")?.textContent.trim();
  const sections = () => [...document.querySelectorAll("#wsr-what section")];
  const section = () => sections().find((one) => one.dataset.title === selected()) ?? sections()[0];

  // --- links ---
  function framed() { // in a Space's frame, whose page has the address that visitors see and share
    if (parent === window) return false;
    return location.ancestorOrigins ? location.ancestorOrigins[0] === HUB : document.referrer.startsWith(`${HUB}/`);
  }

  window.wsrMoved = () => {
    if (!framed()) return;
    parent.postMessage({ queryString: ours(new URLSearchParams(location.search)).toString(), hash: location.hash }, HUB);
  };
  addEventListener("popstate", () => window.wsrMoved());

  function link() {
    const query = ours(new URLSearchParams(location.search)).toString();
    const space = document.querySelector(".wsr-tools")?.dataset.space;
    const page = framed() && space ? space : `${location.origin}${location.pathname}`;
    return query ? `${page}?${query}` : page;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // a frame or a plain http address may not write to the clipboard; a selected field may be copied from
      const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
      field.setAttribute("aria-label", "Link");
      field.style.cssText = "position: fixed; opacity: 0";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  }

  // gradio calls this with the state of all tabs: [tab, title, names] and the values of their widgets, in this order.
  // state: makes the query of a tab's state, as for the address.
  window.wsrCopy = async (parts, values, state) => {
    let at = 0;
    for (const [tab, title, names] of parts) {
      const own = values.slice(at, at += names.length);
      if (title !== selected()) continue;
      history.replaceState(history.state, "", `${location.pathname}?${state(tab, names, own)}`);
      window.wsrMoved();
    }
    const text = link(), button = document.querySelector("[data-tool=copy] span");
    button.textContent = (await copy(text)) ? "Copied" : "See the address bar";
    window.wsrCopied = text;
    setTimeout(() => (button.textContent = "Copy link"), SAID);
  };

  function reset() {
    const stays = ([name]) => name.startsWith("__") || LESSON.includes(name); // a lesson goes on
    const kept = new URLSearchParams([...new URLSearchParams(location.search)].filter(stays));
    const here = section()?.dataset.tab;
    // without the name of a tab, a lesson would open the state of its step
    if (here && (kept.has(LESSON[0]) || here !== sections()[0].dataset.tab)) kept.set("tab", here);
    const query = kept.size ? `?${kept}` : "";
    if (query === location.search) location.reload();
    else location.assign(`${location.pathname}${query}`);
  }

  // --- what a link could not open ---
  // It is said until it is closed, or until the visitor has gone on for a while: then it may no longer hold.
  for (const kind of ["click", "change"]) {
    document.addEventListener(kind, ({ target }) => {
      for (const note of document.querySelectorAll(".wsr-note[open]")) {
        if (target instanceof Element && note.contains(target)) continue;
        note.dataset.since ??= performance.now();
        if (performance.now() - note.dataset.since > READ) note.close();
      }
    }, true);
  }

  // --- what am I looking at? ---
  document.addEventListener("beforetoggle", (event) => {
    if (event.target.id !== "wsr-what" || event.newState !== "open") return;
    const here = section();
    for (const one of sections()) one.hidden = one !== here;
  }, true);
  document.addEventListener("toggle", (event) => {
    if (event.target.id !== "wsr-what" || event.newState !== "open") return;
    const { bottom, right } = document.querySelector("[data-tool=what]").getBoundingClientRect();
    const width = event.target.offsetWidth, edge = root.clientWidth - 8;
    event.target.style.left = `${Math.max(8, Math.min(right - width, edge - width))}px`;
    event.target.style.top = `${bottom + 6}px`;
  }, true);

  const tools = {
    tour: () => window.wsrTour(),
    "tour-again": () => (document.getElementById("wsr-what").hidePopover(), window.wsrTour()),
    copy: () => document.getElementById("wsr-copy")?.click(),
    reset,
  };
  document.addEventListener("click", (event) => {
    const tool = event.target instanceof Element && event.target.closest("[data-tool]")?.dataset.tool;
    if (tool === "tour" || tool === "tour-again") {
      remember(TOUR);
      delete root.dataset.wsrTour;
    }
    if (tool) tools[tool]?.();
  });
})();
