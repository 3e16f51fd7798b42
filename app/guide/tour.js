// For the page's head: the opening of thirty seconds. One picture → its numbers → a dot → the map. Nothing of it is
// fetched before somebody asks for it.

window.wsrTour = (() => {
  const EACH = 7500, MOVE = 1400; // ms of a step, and of the movement at its beginning
  const WIDE = 640, HIGH = 320;
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  let dialog, canvas, data, image, step = 0, begun = 0, timer, frame, alone = true;

  const STEPS = [
    (d) => `This is a picture, “${d.label}”. A small neural network draws it: tell it a place, and it answers with a colour.`,
    (d) => `These are its ${d.count.toLocaleString("en")} weights, a coloured cell for each. They are the picture: no pixel is stored.`,
    () => "Take the numbers as the coordinates of one point. Now the picture is a dot.",
    (d) => `Here are ${d.dots.length.toLocaleString("en")} such dots, placed by their weights alone. Nobody said what they show, and most like things lie together.`,
  ];

  function make() {
    dialog = document.createElement("dialog");
    dialog.id = "wsr-tour";
    dialog.setAttribute("aria-label", "30-second tour");
    dialog.innerHTML = `<canvas width="${2 * WIDE}" height="${2 * HIGH}" role="img"></canvas>
      <div class="wsr-said" aria-live="polite"></div>
      <div class="wsr-steps"><span aria-hidden="true">${"<i></i>".repeat(STEPS.length)}</span>
        <button type="button" data-go="back">Back</button><button type="button" data-go="next">Next</button>
        <button type="button" data-go="skip">Skip</button></div>`;
    canvas = dialog.querySelector("canvas");
    dialog.addEventListener("click", (event) => {
      const go = event.target === dialog ? "skip" : event.target.closest?.("[data-go]")?.dataset.go;
      if (go === "skip") dialog.close();
      if (data && (go === "back" || go === "next")) (alone = false, show(step + (go === "next" ? 1 : -1)));
    });
    dialog.addEventListener("close", () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      // the button that opened it may be gone now, and with it the keyboard's place
      if (!document.activeElement?.checkVisibility() || document.activeElement === document.body) document.querySelector(".wsr-tools [data-tool=what]")?.focus();
    });
    document.body.append(dialog);
  }

  const bytes = (text) => Int8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const ease = (t) => t * t * (3 - 2 * t);
  const mix = (a, b, t) => a + (b - a) * t;

  function cells() { // the weights as a picture of one cell each, orange above their mean and blue below
    const weights = bytes(data.weights), columns = Math.ceil(Math.sqrt(2 * weights.length));
    const made = new OffscreenCanvas(columns, Math.ceil(weights.length / columns)), context = made.getContext("2d");
    const pixels = context.createImageData(made.width, made.height);
    weights.forEach((weight, i) => {
      const strength = Math.min(1, Math.abs(weight) / 90), to = weight > 0 ? [230, 120, 30] : [40, 100, 210];
      pixels.data.set([...to.map((channel) => mix(246, channel, strength)), 255], 4 * i);
    });
    context.putImageData(pixels, 0, 0);
    return made;
  }

  // Where the picture's block stands in each step: [centre x, centre y, width, height].
  const SQUARE = [WIDE / 2, HIGH / 2, 280, 280], SHEET = [WIDE / 2, HIGH / 2, 560, 280];
  const dotAt = () => [mix(20, WIDE - 20, data.dots[data.me][0] / 1000), mix(20, HIGH - 20, data.dots[data.me][1] / 1000)];

  function block(context, source, [x, y, width, height], opacity) {
    context.globalAlpha = opacity;
    context.drawImage(source, x - width / 2, y - height / 2, width, height);
    context.globalAlpha = 1;
  }

  function draw(t) { // t: share of the step's movement
    const context = canvas.getContext("2d"), to = ease(t);
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, WIDE, HIGH);
    context.imageSmoothingEnabled = step === 0;
    if (step === 0) block(context, image, SQUARE, to);
    if (step === 1) {
      const there = SQUARE.map((value, i) => mix(value, SHEET[i], to));
      block(context, image, there, 1 - to);
      block(context, data.cells, there, to);
    }
    const ink = getComputedStyle(dialog).color, [x, y] = dotAt();
    if (step === 2) {
      block(context, data.cells, SHEET.map((value, i) => mix(value, [x, y, 8, 8][i], to)), 1 - to ** 8);
      dot(context, x, y, 6, ink, to ** 4);
    }
    if (step === 3) {
      data.dots.forEach(([left, top, cls], i) => {
        if (i === data.me) return;
        const late = Math.max(0, Math.min(1, 2 * to - i / data.dots.length));
        dot(context, mix(20, WIDE - 20, left / 1000), mix(20, HIGH - 20, top / 1000), 2.6, data.colours[cls], late);
      });
      dot(context, x, y, 6, ink, 1);
      const size = 72, side = x < WIDE / 2 ? 1 : -1;
      const middle = [x + side * (size / 2 + 14), Math.max(size / 2 + 2, Math.min(HIGH - size / 2 - 2, y)), size, size];
      block(context, image, middle, to);
    }
  }

  function dot(context, x, y, radius, colour, opacity) {
    context.globalAlpha = opacity;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
    context.globalAlpha = 1;
  }

  function move() {
    const t = still() ? 1 : Math.min(1, (performance.now() - begun) / MOVE);
    draw(t);
    if (t < 1) frame = requestAnimationFrame(move);
  }

  function show(next) {
    if (next >= STEPS.length) {
      dialog.close();
      window.wsrFollow?.(data.link); // where a job is running, the page stays as it is
      return;
    }
    step = Math.max(0, next);
    begun = performance.now();
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    const said = STEPS[step](data), last = step === STEPS.length - 1;
    dialog.querySelector(".wsr-said").textContent = said;
    canvas.setAttribute("aria-label", ["The picture", "Its weights as coloured cells", "One dot", "A map of dots"][step]);
    dialog.querySelectorAll("i").forEach((one, i) => one.classList.toggle("wsr-now", i <= step));
    dialog.querySelector("[data-go=back]").disabled = step === 0;
    dialog.querySelector("[data-go=next]").textContent = last ? "To the map" : "Next";
    dialog.querySelector("[data-go=skip]").hidden = last;
    const own = document.activeElement; // a button that goes now would take the keyboard with it
    if (!dialog.contains(own) || own.disabled || own.hidden) dialog.querySelector("[data-go=next]").focus();
    if (alone && !still() && !last) timer = setTimeout(() => show(step + 1), EACH);
    move();
  }

  return async () => {
    if (!dialog) make();
    alone = true;
    dialog.showModal();
    const steps = dialog.querySelectorAll("[data-go=back], [data-go=next]");
    if (!data) { // there is nothing to go to yet
      dialog.querySelector(".wsr-said").textContent = "One moment …";
      for (const step of steps) step.disabled = true;
      dialog.querySelector("[data-go=skip]").focus();
    }
    try {
      if (!data) {
        const answer = await fetch("wsr/tour.json");
        if (!answer.ok) throw new Error(await answer.text());
        const came = await answer.json();
        image = await new Promise((done, fail) => {
          const loading = Object.assign(new Image(), { onload: () => done(loading), onerror: fail, src: came.picture });
        });
        data = came;
        data.cells = cells();
        for (const step of steps) step.disabled = false;
        if (dialog.open) dialog.querySelector("[data-go=next]").focus();
      }
    } catch {
      data = undefined;
      dialog.querySelector(".wsr-said").textContent = "The tour cannot be shown now. Close it and try again.";
      return;
    }
    if (dialog.open) show(0);
  };
})();
