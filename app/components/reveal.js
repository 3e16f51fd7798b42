// For the scripts of components in which something is opened.

// What a tap or a click has opened comes into view as far as the tap itself stays there. selector: of what was opened;
// y: where the tap was.
function reveal(selector, y) {
  const shown = [...document.querySelectorAll(selector || "none")].find((one) => one.getClientRects().length);
  if (!shown) return;
  const { top, height } = shown.getBoundingClientRect();
  const missing = Math.min(top + Math.min(height, 240) - innerHeight, y - 60);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (missing > 0) scrollBy({ top: missing, behavior: calm ? "auto" : "smooth" });
}
