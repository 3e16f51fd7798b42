// For the page's head: a lesson's strip above the page, where the address names one. Its place is there from the start, so
// that nothing moves when its words arrive. Answers and progress stay in this browser.

((address) => {
  const STORE = "wsr-lessons", strip = made("section", "", { id: "wsr-lesson", tabIndex: -1 });
  strip.setAttribute("aria-label", "Lesson");
  let id = null, number = 1; // the lesson's step on screen
  let lessons; // all of them, on their way

  function asked() { // whether the address names another step than the one on screen
    const query = new URLSearchParams(location.search), before = [id, number].join();
    [id, number] = [query.get("lesson"), Number(query.get("step") ?? 1)];
    return before !== [id, number].join();
  }

  function progress() {
    try { return JSON.parse(localStorage.getItem(STORE)) ?? {}; } catch { return {}; }
  }
  function done(choice) {
    const all = progress();
    all[id] = { ...all[id], [number]: choice };
    try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { /* it is asked again next time */ }
  }

  function made(name, text, more = {}) {
    const node = Object.assign(document.createElement(name), more);
    node.textContent = text;
    return node;
  }

  function leave() {
    const left = new URLSearchParams(location.search);
    for (const name of ["lesson", "step"]) left.delete(name);
    history.replaceState(history.state, "", left.size ? `${location.pathname}?${left}` : location.pathname);
    window.wsrMoved?.();
    asked();
    strip.remove();
  }

  // To another step: without loading the page anew where it can be done, and as any other link where not.
  function goTo(event) {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!plain || !window.wsrFollow?.(event.currentTarget.getAttribute("href"))) return;
    event.preventDefault();
    asked();
    show().then(() => strip.focus({ preventScroll: true })); // the link that was pressed is gone
  }

  function reveal(step, choice) {
    strip.querySelectorAll("[data-option]").forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === choice));
      button.classList.toggle("wsr-right", i === step.right);
    });
    const said = strip.querySelector(".wsr-answer");
    said.replaceChildren(made("b", choice === step.right ? "Yes. " : "Not quite. "), step.answer);
  }

  function draw(all) {
    const lesson = all[id], after = Object.values(all)[Object.keys(all).indexOf(id) + 1];
    const step = lesson?.steps[number - 1];
    if (!step) return strip.replaceChildren(made("p", "There is no such step of a lesson. "), made("a", "All lessons", { href: "lessons" }));
    const head = made("div", "", { className: "wsr-head" }), count = lesson.steps.length;
    head.append(made("b", lesson.title), made("span", `${number} of ${count}`));
    const bar = Object.assign(document.createElement("progress"), { max: count, value: number });
    bar.setAttribute("aria-label", "How far the lesson is");
    head.append(bar, made("a", "All lessons", { href: "lessons" }));
    const close = made("button", "Leave", { type: "button", onclick: leave });
    head.append(close);
    const options = made("div", "", { className: "wsr-options", role: "group" });
    options.setAttribute("aria-label", step.question);
    step.options.forEach((text, i) => {
      const button = made("button", text, { type: "button", onclick: () => (done(i), reveal(step, i)) });
      button.dataset.option = i;
      button.setAttribute("aria-pressed", "false");
      options.append(button);
    });
    const answer = made("p", "", { className: "wsr-answer" });
    answer.setAttribute("aria-live", "polite");
    const go = made("nav", "");
    go.setAttribute("aria-label", "Steps of the lesson");
    if (number > 1) go.append(made("a", "← Back", { href: lesson.steps[number - 2].link, onclick: goTo }));
    if (number < count) go.append(made("a", "Next →", { href: lesson.steps[number].link, onclick: goTo }));
    else if (after) go.append(made("a", `Next lesson: ${after.title} →`, { href: after.steps[0].link, onclick: goTo }));
    else go.append(made("a", "To all lessons →", { href: "lessons" }));
    const ask = made("p", `${step.look} `);
    ask.append(made("b", step.question));
    strip.replaceChildren(head, ask, options, answer, go);
    const before = progress()[id]?.[number];
    if (before !== undefined) reveal(step, before);
  }

  async function show() {
    if (!id) return strip.remove();
    if (!strip.isConnected) document.body.prepend(strip);
    try {
      draw(await (lessons ??= fetch(address).then((answer) => answer.json())));
    } catch {
      lessons = undefined;
      strip.replaceChildren(made("p", "The lesson cannot be shown now: reload the page."));
    }
  }

  // Back and Forward to another step, or to the page without one. Returns whether this is such a way.
  window.wsrStep = () => {
    if (!asked()) return false;
    show();
    if (id && !window.wsrFollow()) location.reload();
    return Boolean(id);
  };

  asked();
  if (id) addEventListener("DOMContentLoaded", show);
})