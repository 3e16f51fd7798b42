// For the page's head: explains the terms of the page, one sentence each, where the pointer, a finger or the keyboard is.
// In running text the first occurrence of a term in each tab is underlined and can be reached with the Tab key. In labels
// nothing is changed, since their text belongs to gradio: they are underlined by a highlight, and explained while the
// control that they name has the keyboard. Charts are explained likewise.

(({ terms, matrices }) => {
  const PROSE = ".wsr-caption, .wsr-label, .wsr-small, .wsr-facts, .wsr-ledger, .wsr-table, figcaption, abbr";
  const LABELS = "[data-testid=block-info], label > span, .label-wrap > span";
  const CONTROLS = "input, button.label-wrap";
  const CHART = ".wsr-chart", TITLES = ".xtitle, .ytitle, .xtick text, .ytick text", LEGEND = ".legendtext";
  const SPEAKS = "[role=status], [role=alert], [aria-live]"; // a change of it would be read out again
  const NEVER = `${CHART}, ${SPEAKS}, button, a, code, pre, script, style`;
  const WAIT = 300, RESCAN = 600, TAPPED = 6000, MOST = 3; // ms; MOST: terms that one tooltip explains
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&");
  const any = Object.keys(terms).sort((a, b) => b.length - a.length).map(escaped).join("|");
  const FIND = new RegExp(`(?<![\\p{L}\\p{N}_])(?:(?:${any})-)?(?:${any})(?![\\p{L}\\p{N}_])`, "gu");
  const ONE = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${any})(?![\\p{L}\\p{N}_])`, "gu");
  const meaning = (term) => terms[term] ?? matrices[term];
  const termsOf = (text) => [...new Set(text.match(ONE) ?? [])];

  function termsOfDrawn(text) {
    const matrix = text.match(/^(\S+) \(±/)?.[1];
    return matrix in matrices ? [matrix] : termsOf(text);
  }

  // --- the tooltip ---
  let tip, owner, hideLater;

  function show(trigger, box, found) {
    clearTimeout(hideLater);
    if (!found.length) return hide();
    if (!tip) {
      tip = Object.assign(document.createElement("div"), { id: "wsr-term", hidden: true });
      tip.setAttribute("role", "tooltip");
      (document.querySelector("main") ?? document.body).append(tip); // within a landmark
    }
    if (owner !== trigger) hide();
    tip.replaceChildren(...found.slice(0, MOST).map((term) => {
      const line = document.createElement("p"), name = document.createElement("b");
      name.textContent = term;
      line.append(name, ` ${meaning(term)}.`);
      return line;
    }));
    tip.hidden = false;
    owner = trigger;
    const told = (owner.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== tip.id);
    owner.setAttribute("aria-describedby", [...told, tip.id].join(" "));
    const { width, height } = tip.getBoundingClientRect(), gap = 6, edge = document.documentElement.clientWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(box.left, edge - width))}px`;
    tip.style.top = `${box.top - height - gap > 8 ? box.top - height - gap : box.bottom + gap}px`;
  }

  function hide() {
    clearTimeout(hideLater);
    if (owner) {
      const told = (owner.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id !== tip.id).join(" ");
      if (told) owner.setAttribute("aria-describedby", told);
      else owner.removeAttribute("aria-describedby");
    }
    owner = null;
    if (tip) tip.hidden = true;
  }

  // --- what is explained at an element ---
  function control(label) { // what a label names: screen readers hear the description there
    return label.closest("label, .block, .label-wrap")?.querySelector(CONTROLS) ?? label;
  }

  function at(target) { // [element that is described, box beside which the tooltip stands, terms]
    const prose = target.closest(".wsr-term, abbr");
    if (prose) return [prose, prose.getBoundingClientRect(), termsOf(prose.textContent)];
    const label = target.closest(LABELS);
    return label && [control(label), label.getBoundingClientRect(), termsOf(label.textContent)];
  }

  function atControl(field) {
    const named = field.closest("label") ?? field.closest(".block");
    const own = field.matches("input[type=radio], input[type=checkbox]") ? "" : field.value ?? "";
    const texts = [...(named?.querySelectorAll("span") ?? [])].filter((span) => !span.querySelector("span, input"));
    return termsOf(`${texts.map((span) => span.textContent).join(" ")} ${own}`);
  }

  function drawn(chart, selector) {
    const texts = [...chart.querySelectorAll(selector)].filter((text) => termsOfDrawn(text.textContent).length);
    return texts.map((text) => [text.getBoundingClientRect(), termsOfDrawn(text.textContent)]);
  }

  // --- the pointer ---
  let waiting, pressed = { x: -1, y: -1 }, inChart;
  const inside = (event, box, more = 2) => event.clientX >= box.left - more && event.clientX <= box.right + more
    && event.clientY >= box.top - more && event.clientY <= box.bottom + more;

  function later(trigger, box, found) {
    clearTimeout(waiting);
    clearTimeout(hideLater);
    waiting = setTimeout(() => trigger.isConnected && show(trigger, box, found), owner ? 0 : WAIT);
  }

  function overChart(event, chart) {
    if (inChart?.chart !== chart || performance.now() - inChart.since > 1000) {
      inChart = { chart, since: performance.now(), texts: drawn(chart, `${TITLES}, ${LEGEND}`) };
    }
    const hit = inChart.texts.find(([box]) => inside(event, box));
    if (hit === inChart.hit) return;
    inChart.hit = hit;
    if (hit) later(chart, ...hit);
    else leave(event);
  }

  function leave(event) {
    clearTimeout(waiting);
    if (!owner || owner.matches(":focus-visible")) return;
    clearTimeout(hideLater);
    hideLater = setTimeout(hide, event && inside(event, tip.getBoundingClientRect(), 8) ? TAPPED : 150);
  }

  // A page that moves under a still pointer, or a choice just made, is no question about a term.
  const still = (event) => Math.abs(event.clientX - pressed.x) + Math.abs(event.clientY - pressed.y) < 4;
  let over = null;
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons || still(event) || !(event.target instanceof Element)) return;
    const chart = event.target.closest(CHART);
    if (chart) return overChart(event, chart);
    if (inChart) inChart.hit = undefined;
    const found = at(event.target);
    if (found?.[0] === over) return;
    over = found?.[0] ?? null;
    if (found?.[2].length) later(...found);
    else leave(event);
  }, { passive: true });
  document.addEventListener("pointerdown", (event) => {
    pressed = { x: event.clientX, y: event.clientY };
    clearTimeout(waiting);
    hide();
  }, true);
  document.addEventListener("click", (event) => { // a tap, also one of a screen reader
    if (event.pointerType === "mouse" || !(event.target instanceof Element)) return;
    const found = at(event.target);
    if (!found?.[2].length) return;
    show(...found);
    hideLater = setTimeout(hide, TAPPED);
  });

  // --- the keyboard ---
  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element) || !target.matches(":focus-visible")) return;
    if (target.matches(".wsr-term")) return show(target, target.getBoundingClientRect(), termsOf(target.textContent));
    if (target.matches(CHART)) {
      const titles = drawn(target, TITLES), found = new Set(titles.flatMap(([, terms]) => terms));
      return show(target, titles[0]?.[0] ?? target.getBoundingClientRect(), [...found]); // not over what is above it
    }
    if (target.matches("input")) {
      const box = (target.closest("label") ?? target.closest(".block") ?? target).getBoundingClientRect();
      show(target, box, atControl(target));
    }
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", () => owner && hide(), { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    // who moves a slider by keys wants to see what it changes
    if (event.key !== "Escape" && !(event.target instanceof Element && event.target.matches("input[type=range]"))) return;
    clearTimeout(waiting);
    hide();
  }, true);

  // --- the underlining ---
  const highlight = window.Highlight && new Highlight();
  if (highlight) CSS.highlights.set("wsr-terms", highlight);

  function texts(panel) {
    const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (node.data.length > 1 && !parent.closest(".wsr-term") && parent.closest(`${PROSE}, ${LABELS}`)) found.push(node);
    }
    return found;
  }

  function wrapped(node, index, length) {
    const abbr = node.parentElement.closest("abbr");
    const mark = abbr ?? document.createElement("abbr"); // scripts and styles look for spans
    if (!abbr) {
      const word = node.splitText(index);
      word.splitText(length);
      word.replaceWith(mark);
      mark.append(word);
    }
    mark.classList.add("wsr-term");
    mark.tabIndex = 0;
  }

  function scan() {
    // the browser would show a second tooltip of its own
    for (const abbr of document.querySelectorAll("abbr[title]")) abbr.removeAttribute("title");
    const panel = [...document.querySelectorAll("[role=tabpanel]")].find((one) => one.checkVisibility());
    if (!panel) return;
    const there = [...panel.querySelectorAll(".wsr-term")].filter((mark) => mark.checkVisibility());
    const seen = new Set(there.flatMap((mark) => termsOf(mark.textContent)));
    highlight?.clear();
    for (const node of texts(panel)) {
      if (!node.parentElement.checkVisibility()) continue;
      const prose = node.parentElement.closest(PROSE), fixed = node.parentElement.closest(NEVER);
      if (prose && fixed && (!prose.matches("abbr") || fixed.matches("button, a"))) continue; // a tap would press it
      for (const match of [...node.data.matchAll(FIND)].reverse()) {
        const found = termsOf(match[0]);
        if (found.every((term) => seen.has(term))) continue;
        // the first of several in one text: later ones are split off before it
        const earlier = node.data.slice(0, match.index);
        if (found.every((term) => seen.has(term) || termsOf(earlier).includes(term))) continue;
        found.forEach((term) => seen.add(term));
        if (prose) wrapped(node, match.index, match[0].length);
        else highlight?.add(new StaticRange({
          startContainer: node, startOffset: match.index, endContainer: node, endOffset: match.index + match[0].length,
        }));
      }
    }
  }

  let due = 0;
  function soon() {
    if (due) return;
    due = setTimeout(() => (due = 0, (window.requestIdleCallback ?? setTimeout)(scan)), RESCAN);
  }
  const ours = (node) => node.nodeType === 1 && (node.id === "wsr-term" || node.closest(`${CHART}, .wsr-term, progress`));
  new MutationObserver((changes) => {
    if (!due && changes.some(({ target }) => !ours(target))) soon();
  }).observe(document, { subtree: true, childList: true });
  document.addEventListener("click", (event) => event.target instanceof Element && event.target.closest("[role=tab]") && soon());
})
