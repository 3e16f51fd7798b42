// For the page's head: what gradio's sliders do not tell. Their button that brings the first value back says that the value
// has changed, but not that a visitor has changed it, which most listeners wait for: what is drawn stayed as it was. And a
// number that is typed into the field of a slider counts at once, also where it lies beyond the slider's ends, or is none.

(() => {
  const FIELD = "input[data-testid=number-input]", RESET = "[data-testid=reset-button]";
  const slider = (one) => one.closest(".wrap")?.querySelector("input[type=range]");
  const tell = (one) => one.dispatchEvent(new Event("input", { bubbles: true }));
  const nearest = (text, { min, max, value }) => (text === "" ? value : Math.min(Math.max(text, min), max));
  const isField = ({ target }) => target instanceof Element && target.matches(FIELD) && slider(target);

  // what is being typed may still become a number that counts
  document.addEventListener("input", (event) => {
    const beside = isField(event), { value } = event.target;
    if (beside && (value === "" || Number(value) !== nearest(value, beside))) event.stopImmediatePropagation();
  }, true);

  document.addEventListener("change", (event) => {
    const beside = isField(event), { value } = event.target;
    if (!beside || (value !== "" && Number(value) === nearest(value, beside))) return;
    event.target.value = nearest(value, beside);
    tell(event.target);
  }, true);

  document.addEventListener("click", ({ target }) => {
    const beside = target instanceof Element && target.closest(RESET) && slider(target);
    if (beside) setTimeout(tell, 0, beside); // once it has the value
  });
})();
