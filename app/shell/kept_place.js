// For the page's head: the keyboard keeps its place where the control that has it goes. A button that has been pressed
// may be disabled for a while, be hidden, or lie in a tab that has been left; the browser then throws the keyboard back to
// the page, where nothing shows it, and says nothing to a screen reader.

(() => {
  let lost = null; // {control, row, panel} of the control that had the keyboard, until it or another has it
  let brought; // the control to which the keyboard was brought last
  let keys = false; // whether the visitor uses the keyboard at present: after a click, space scrolls the page

  const canHave = (one) => one.isConnected && !one.disabled && one.checkVisibility({ visibilityProperty: true });

  // Back, to a button beside it (Stop, of what has been started), to what is before it (the slider, of what it has
  // undone), or to the tab that is on screen instead.
  function place() {
    const { control, row, panel } = lost;
    if (canHave(control)) return control;
    if (!panel?.checkVisibility()) return document.querySelector("[role=tab][aria-selected=true]");
    const beside = [...(row?.querySelectorAll("button") ?? [])].find(canHave);
    return beside ?? [...panel.querySelectorAll("button, input")].filter((one) => canHave(one) && isAfter(control, one)).at(-1);
  }

  const isAfter = (one, other) => one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_PRECEDING;

  function comeBack() {
    if (!lost || document.activeElement !== document.body) return;
    brought = place();
    brought?.focus({ preventScroll: true });
  }

  document.addEventListener("focusin", () => (lost = null));
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (relatedTarget || !keys || !target.matches("button, a") || canHave(target)) return;
    lost = { control: target, row: target.closest(".row"), panel: target.closest("[role=tabpanel]") };
    setTimeout(comeBack);
  });
  document.addEventListener("pointerdown", () => {
    lost = null;
    keys = false;
  }, true);
  document.addEventListener("keydown", (event) => {
    keys = true;
    if (event.repeat && event.target === brought) event.preventDefault(); // it was pressed on another button
  }, true);
  new MutationObserver(comeBack).observe(document, { subtree: true, attributeFilter: ["disabled"] });
})();
