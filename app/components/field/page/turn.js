// Turning surfaces: frames that say by which network they are drawn (`snippets.picture`) turn by dragging and with the arrow
// keys, and all those of a row together, so that what is alike can be seen from everywhere. Home, or a double click, shows
// them from where the server draws them.

import { address, coarser, decoded } from "./decoder.js";

const FRAME = ".wsr-frame[data-turns]";
const FIRST = [35, 24]; // azimuth and elevation, in degrees, from where the server draws
const STEEPEST = 85, STEP = 15; // degrees: of the elevation, and of one key
const DEGREES = 0.6; // of a pixel that is dragged
const SKETCH = 0.12, SMALL = 0.6; // shares: of a surface that has not been sampled yet, of the pixels while it turns
const QUIET = 150; // ms without another step, after which it gets sharp
const rows = new WeakMap();

class Row {
  constructor(row) {
    Object.assign(this, { row, view: [...FIRST], known: new Map(), wanted: false, moved: 0 });
  }

  turn(azimuth, elevation) {
    this.view = [(this.view[0] + azimuth + 720) % 360, Math.min(STEEPEST, Math.max(-STEEPEST, this.view[1] + elevation))];
    this.row.dataset.view = JSON.stringify(this.view); // for what a slider moves meanwhile (FieldSheet)
    [this.wanted, this.moved] = [true, performance.now()];
    if (!this.drawing) this.draw();
  }

  async draw() {
    this.drawing = true;
    this.row.setAttribute("aria-busy", "true");
    try {
      for (let sharp = false; (this.wanted || !sharp) && this.row.isConnected;) {
        if (!this.wanted && performance.now() - this.moved < QUIET) {
          await new Promise((done) => setTimeout(done, 10));
          continue;
        }
        sharp = !this.wanted;
        this.wanted = false;
        for (const frame of this.row.querySelectorAll(FRAME)) if (!(sharp && this.wanted)) await this.step(frame, sharp);
        await new Promise((done) => requestAnimationFrame(done));
      }
    } catch (error) {
      console.info(`These stay as they are: ${error.message}`);
      for (const frame of this.row.querySelectorAll(FRAME)) delete frame.dataset.turns;
    }
    this.drawing = false;
    this.row.setAttribute("aria-busy", "false");
  }

  async step(frame, sharp) {
    const { turns } = frame.dataset, asked = JSON.parse(turns), { shape } = asked, whole = sharp || this.known.get(frame) === turns;
    const task = { ...coarser(shape, whole ? 1 : SKETCH), width: Math.round(shape.pixels * (sharp ? 1 : SMALL)), fine: sharp };
    const { values, means } = await decoded({ networks: [{ from: "a", ...asked }], ...task, view: this.view });
    if (whole) this.known.set(frame, turns);
    const image = frame.querySelector("img");
    if (!image || frame.dataset.turns !== turns) return;
    image.src = address(values[0], task.width, task.width);
    Object.assign(frame.dataset, { means, view: JSON.stringify(this.view) });
  }
}

function rowOf(target) {
  const row = target.closest?.(FRAME)?.closest(".wsr-row");
  if (row && !rows.has(row)) rows.set(row, new Row(row));
  return row ? rows.get(row) : null;
}

document.addEventListener("keydown", (event) => {
  const row = event.target.matches?.(FRAME) && !event.ctrlKey && !event.metaKey && !event.altKey && rowOf(event.target);
  const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
  if (!row || !(turns || event.key === "Home")) return;
  event.preventDefault();
  row.turn(...(turns ?? FIRST.map((degrees, i) => degrees - row.view[i])));
});

document.addEventListener("dblclick", (event) => {
  const row = rowOf(event.target);
  row?.turn(...FIRST.map((degrees, i) => degrees - row.view[i]));
});

let held = null; // the pointer that turns a row: {row, id, x, y}

document.addEventListener("pointerdown", (event) => {
  const row = event.isPrimary && event.button === 0 ? rowOf(event.target) : null;
  held = row && { row, id: event.pointerId, x: event.clientX, y: event.clientY };
});
document.addEventListener("pointermove", (event) => {
  if (!held || event.pointerId !== held.id) return;
  const down = event.pointerType === "touch" ? 0 : event.clientY - held.y; // by which a finger scrolls the page
  held.row.turn(-DEGREES * (event.clientX - held.x), DEGREES * down);
  Object.assign(held, { x: event.clientX, y: event.clientY });
});
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => (held = null));
