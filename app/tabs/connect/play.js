// The script of a click on Play: moves α from 0 to 1 and back as a hand would, so that the page draws what it draws for a
// hand, and the server is asked nothing. It stops at a second click, when the visitor takes α, and when the tab is left.
() => {
  const button = document.querySelector("button.wsr-play");
  const slider = document.querySelector(".wsr-walk input[type=range]");
  if (button.wsrStop) return button.wsrStop();
  const sheet = document.querySelector(".wsr-walked .wsr-field");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches; // then a few places, each long enough to be looked at
  const [steps, pause] = calm ? [4, 1500] : [Math.round(1 / slider.step), 110];
  const up = Array.from({ length: steps + 1 }, (_, i) => i / steps);
  const places = [...up, ...up.slice(0, -1).reverse()];
  let over = false;
  const stop = () => {
    over = true;
    button.wsrStop = undefined;
    button.setAttribute("aria-pressed", "false");
    for (const taken of ["pointerdown", "keydown"]) slider.removeEventListener(taken, stop);
  };
  button.wsrStop = stop;
  button.setAttribute("aria-pressed", "true");
  for (const taken of ["pointerdown", "keydown"]) slider.addEventListener(taken, stop);
  (async () => {
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    for (const [i, place] of places.entries()) {
      if (over) return;
      if (!slider.checkVisibility() || document.hidden) break;
      slider.value = place;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      await wait(pause);
      // the decoder, and what it decodes, are loaded at the first place
      for (let waited = 0; !i && sheet.getAttribute("aria-busy") === "true" && waited < 5000; waited += 50) await wait(50);
    }
    stop();
  })();
}
