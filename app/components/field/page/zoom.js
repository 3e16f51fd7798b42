// Looking into pictures: a frame that says by which network it is drawn (`snippets.picture`) zooms with the wheel, with
// two fingers, and with + and −; it moves with the pointer and the arrow keys. The field has no pixels, so that it is
// decoded anew at every step: at first as large as is fluid, then sharper.

import { decoded, Pace } from "./decoder.js";

const FRAME = ".wsr-frame[data-field]";
const MOST = 4096; // times; further in, neighbouring pixels are the same number in single precision
const LARGEST = 640; // pixels along the longer side
const SHARES = [1, 2, 4, 8, 16, 32]; // of the whole resolution, while it moves
const QUIET = 150; // ms without another step, after which it gets sharper
const STEP = 1.5, SHIFT = 0.15; // of one key: times, and share of what is in view
const views = new WeakMap();

const clamped = (value, most) => Math.min(most, Math.max(-most, value));

class View {
  constructor(frame) {
    const image = frame.querySelector("img"), longest = Math.max(image.naturalWidth, image.naturalHeight);
    Object.assign(this, { frame, image, x: 0, y: 0, zoom: 1, pace: new Pace(SHARES.map((by) => LARGEST / by)) });
    this.half = [image.naturalWidth / longest, image.naturalHeight / longest]; // of the whole picture
    this.canvas = frame.appendChild(document.createElement("canvas"));
    this.label = frame.querySelector(".wsr-zoom");
    this.last = { picture: image, window: this.window() };
  }

  // Of the field: left, top, right, bottom.
  window() {
    const [w, h] = this.half.map((one) => one / this.zoom);
    return [this.x - w, this.y - h, this.x + w, this.y + h];
  }

  // The picture in its frame, which it may not fill.
  box() {
    const { clientWidth, clientHeight } = this.frame, [w, h] = this.half, unit = Math.min(clientWidth / w, clientHeight / h);
    return { width: w * unit, height: h * unit, left: (clientWidth - w * unit) / 2, top: (clientHeight - h * unit) / 2 };
  }

  // Where a place of the page is in the picture, from -1 to 1.
  place(clientX, clientY) {
    const { left, top, width, height } = this.box(), frame = this.frame.getBoundingClientRect();
    const [x, y] = [clientX - frame.left - this.frame.clientLeft - left, clientY - frame.top - this.frame.clientTop - top];
    return [clamped((2 * x) / width - 1, 1), clamped((2 * y) / height - 1, 1)];
  }

  // Zooms around a place, which stays where it is; returns whether anything changed.
  scale(factor, [u, v] = [0, 0]) {
    const zoom = Math.min(MOST, Math.max(1, this.zoom * factor)), gained = 1 / this.zoom - 1 / zoom;
    if (zoom === this.zoom) return false;
    this.zoom = zoom;
    this.move(u * this.half[0] * gained, v * this.half[1] * gained);
    return true;
  }

  move(dx, dy) {
    this.x = clamped(this.x + dx, this.half[0] * (1 - 1 / this.zoom));
    this.y = clamped(this.y + dy, this.half[1] * (1 - 1 / this.zoom));
    this.frame.classList.toggle("wsr-zoomed", this.zoom > 1);
    this.label.textContent = this.zoom > 1 ? `${this.zoom < 10 ? this.zoom.toFixed(1) : Math.round(this.zoom)}×` : "";
    this.fit();
    this.paint();
    this.again();
  }

  again() {
    [this.wanted, this.moved] = [true, performance.now()];
    if (!this.drawing) this.draw();
  }

  // Lays the canvas over the picture.
  fit() {
    const box = this.box(), side = Math.min(LARGEST, Math.max(box.width, box.height) * (window.devicePixelRatio || 1));
    for (const [name, length] of Object.entries(box)) this.canvas.style[name] = `${length}px`;
    const size = this.half.map((one) => Math.max(1, Math.round(side * one)));
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
  }

  // What was decoded last, moved to where it belongs: something answers at once.
  paint() {
    const { picture, window: [left, top, right, bottom] } = this.last, [l, t, r, b] = this.window();
    const { width, height } = this.canvas, across = width / (r - l), down = height / (b - t);
    const at = [(left - l) * across, (top - t) * down, (right - left) * across, (bottom - top) * down];
    this.canvas.getContext("2d").drawImage(picture, ...at);
  }

  async draw() {
    this.drawing = true;
    this.frame.setAttribute("aria-busy", "true");
    try {
      let left = [];
      while (this.wanted || left.length) {
        if (this.wanted) {
          this.wanted = false;
          const whole = Math.max(this.canvas.width, this.canvas.height), first = this.pace.size(this.each ?? NaN);
          left = SHARES.map((by) => whole / by).filter((size) => size >= Math.min(first, whole)).reverse();
          const begun = performance.now();
          await this.step(left.shift());
          this.pace.took((performance.now() - begun) / 1000);
        } else if (performance.now() - this.moved < QUIET) {
          await new Promise((done) => setTimeout(done, 10));
        } else {
          await this.step(left.shift());
        }
      }
    } catch (error) {
      console.info(`This picture stays as it is: ${error.message}`);
      delete this.frame.dataset.field;
      this.canvas.remove();
    }
    this.drawing = false;
    this.frame.setAttribute("aria-busy", "false");
  }

  async step(longest) {
    const window = this.window(), [width, height] = this.half.map((one) => Math.max(1, Math.round(longest * one)));
    const networks = [{ from: "a", ...JSON.parse(this.frame.dataset.field) }];
    const { values, operations, means } = await decoded({ networks, width, height, window });
    this.each = operations / (width * height);
    Object.assign(this.frame.dataset, { means, window: window.map((one) => one.toFixed(4)).join(" ") });
    const picture = Object.assign(document.createElement("canvas"), { width, height });
    picture.getContext("2d").putImageData(new ImageData(values[0], width, height), 0, 0);
    this.last = { picture, window };
    this.paint();
    await new Promise((done) => requestAnimationFrame(done));
  }
}

function viewOf(target) {
  const frame = target.closest?.(FRAME);
  if (!frame?.querySelector("img")?.naturalWidth) return null;
  if (!views.has(frame)) views.set(frame, new View(frame));
  return views.get(frame);
}

document.addEventListener("wheel", (event) => {
  const view = viewOf(event.target);
  if (view?.scale(Math.exp(-clamped(event.deltaY, 200) / 400), view.place(event.clientX, event.clientY))) event.preventDefault();
}, { passive: false });

// Its network has become another one (FieldSheet).
document.addEventListener("wsr-moved", (event) => views.get(event.target)?.zoom > 1 && views.get(event.target).again());

document.addEventListener("dblclick", (event) => viewOf(event.target)?.scale(0));

document.addEventListener("keydown", (event) => {
  const view = event.target.matches?.(FRAME) && !event.ctrlKey && !event.metaKey && !event.altKey && viewOf(event.target);
  if (!view) return;
  const [w, h] = view.half.map((one) => (2 * SHIFT * one) / view.zoom);
  const moves = { ArrowLeft: [-w, 0], ArrowRight: [w, 0], ArrowUp: [0, -h], ArrowDown: [0, h] };
  const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 }[event.key];
  if (moves[event.key] && view.zoom > 1) view.move(...moves[event.key]);
  else if (factor === undefined || !view.scale(factor)) return;
  event.preventDefault();
});

// The pointer or the fingers that hold a picture: {view, x, y, apart}.
let held = null;

function grasp(event) {
  const touches = event.touches ?? [event], view = touches.length && viewOf(event.target);
  if (!view || touches.length > 2 || (touches.length === 1 && (view.zoom === 1 || event.button > 0))) return (held = null);
  const [one, other = one] = touches;
  event.preventDefault();
  if (event.type === "mousedown") view.frame.focus();
  held = { view, ...middle(one, other) };
}

const middle = (one, other) => ({
  x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2,
  apart: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
});

function pull(event) {
  if (!held) return;
  const [one, other = one] = event.touches ?? [event], { view, x, y, apart } = held, now = middle(one, other);
  const [u, v] = view.place(x, y), [p, q] = view.place(now.x, now.y);
  event.preventDefault();
  view.move(((u - p) * view.half[0]) / view.zoom, ((v - q) * view.half[1]) / view.zoom);
  if (apart > 0 && now.apart > 0) view.scale(now.apart / apart, [p, q]);
  held = { view, ...now };
}

for (const kind of ["mousedown", "touchstart", "touchend"]) document.addEventListener(kind, grasp, { passive: false });
for (const kind of ["mousemove", "touchmove"]) document.addEventListener(kind, pull, { passive: false });
for (const kind of ["mouseup", "touchcancel"]) document.addEventListener(kind, () => (held = null));
