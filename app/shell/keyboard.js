// For the page's head: what gradio's widgets leave to the keyboard and to screen readers.

(() => {
  const LIST = "input[role=combobox]";

  // The arrow keys, Home and End move along the row of tabs, as the role `tab` promises.
  function alongTabs(event) {
    const tab = event.target.closest("[role=tab]");
    const row = tab?.closest("[role=tablist]");
    if (!row) return false;
    const all = [...row.querySelectorAll("[role=tab]")].filter((one) => one.offsetParent && !one.disabled);
    const here = all.indexOf(tab);
    const next = { ArrowRight: here + 1, ArrowLeft: here - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return false;
    const to = all[next % all.length];
    to.focus();
    to.click();
    return true;
  }

  // The arrow keys choose among radio buttons: gradio gives each a group of its own, in which there is nowhere to go.
  function alongChoices(event) {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way || !event.target.matches("fieldset input[type=radio]")) return false;
    const all = [...event.target.closest("fieldset").querySelectorAll("input[type=radio]:enabled")];
    const to = all[(all.indexOf(event.target) + way + all.length) % all.length];
    to.focus();
    to.click();
    return true;
  }

  // gradio takes the last choice out of the list's value here and tells nobody; its button for it does tell.
  function takesLastBack(event) {
    const field = event.target;
    if (event.key !== "Backspace" || !field.matches(LIST) || field.value) return false;
    const last = [...(field.closest(".wrap")?.querySelectorAll(".token .token-remove") ?? [])].at(-1);
    last?.click();
    return Boolean(last);
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.altKey || event.metaKey) return;
    chosenIn = event.key === "Enter" && event.target.matches(LIST) ? event.target : undefined;
    if (["ArrowDown", "ArrowUp"].includes(event.key) && isClosed(event.target)) open(event.target);
    if (alongTabs(event) || alongChoices(event) || takesLastBack(event)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.key === "Tab" && event.target.matches(LIST)) {
      event.stopImmediatePropagation(); // gradio would take it for typing, and open the list after it has been left
      passOver(document.querySelectorAll("[role=listbox]"));
    }
  }, true);

  // A choice in a list leaves the keyboard where it was: gradio takes it away, on a busy machine some time later. It may
  // not hear of the focus, with which it would open the list again.
  let chosenIn, back = false;
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (target === chosenIn && !relatedTarget) setTimeout(comeBack, 0, target);
    chosenIn = undefined;
  });
  document.addEventListener("focus", (event) => back && event.stopImmediatePropagation(), true);

  function comeBack(field) {
    if (!field.isConnected || document.activeElement !== document.body) return;
    back = true;
    field.focus({ preventScroll: true });
    back = false;
  }

  // A press on a list opens it, and so do the arrow keys at its choice, also where the keyboard is there already: gradio
  // does so when the focus comes.
  let pressed;
  const isClosed = (field) => field === document.activeElement && field.matches(LIST) && field.ariaExpanded !== "true";
  const open = (field) => field.dispatchEvent(new FocusEvent("focus"));
  document.addEventListener("pointerdown", ({ target }) => {
    pressed = isClosed(target) ? target : undefined;
    chosenIn = undefined;
  }, true);
  document.addEventListener("click", ({ target }) => target === pressed && open(target));

  // The Tab key stops at a list that scrolls, and is nowhere once the list has closed.
  const passOver = (lists) => lists.forEach((list) => (list.tabIndex = -1));

  // What is typed looks for a choice: behind the present one it would find nothing. A press puts the cursor somewhere
  // after the list has the focus, and so the whole is selected again.
  let reached;
  document.addEventListener("focusin", ({ target }) => {
    reached = target instanceof Element && target.matches(LIST) ? target : undefined;
    reached?.select();
  });
  document.addEventListener("click", ({ target }) => {
    if (target === reached) target.select();
    reached = undefined;
  });

  // The viewer of surfaces puts its canvas before everything else in the order of the Tab key, and gives it no name.
  function inOrder(canvas) {
    if (canvas.tabIndex > 0) canvas.tabIndex = 0;
    if (!canvas.hasAttribute("aria-label")) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", "Surface in 3D: drag or use the arrow keys to turn it");
    }
  }

  new MutationObserver((changes) => {
    for (const { type, target } of changes) if (type === "attributes" && target.matches("canvas")) inOrder(target);
    // its name would be another than the words on it
    for (const box of document.querySelectorAll("button.upload-container[aria-label]")) box.removeAttribute("aria-label");
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["tabindex"] });
})();
