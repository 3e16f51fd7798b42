// Decodes networks in the page. One worker does it for everything on the page.

export const BUDGET = 0.05; // seconds of a frame: with one picture more and what else the page does, ten a second
const GUESS = 2e8; // operations a second, until it has been measured

const waiting = new Map();
let worker, next = 0, rate = GUESS, broken = null;

function fail(text) {
  broken = new Error(text);
  waiting.forEach(({ refuse }) => refuse(broken));
  waiting.clear();
}

function started() {
  if (worker) return worker;
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onerror = () => fail("This browser does not run the decoder.");
  worker.onmessage = ({ data }) => {
    const { resolve, refuse } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if (data.error) refuse?.(new Error(data.error));
    else {
      if (data.operations > 0) rate += 0.5 * (data.operations / data.seconds - rate);
      resolve?.(data);
    }
  };
  return worker;
}

const absolute = (one) => ({ ...one, ...Object.fromEntries(
  ["network", "vectors"].map((name) => [name, new URL(one[name], document.baseURI).href])) });

// Answers a task as worker.js describes it. Rejected where this browser cannot.
export function decoded(task) {
  if (broken) return Promise.reject(broken);
  const addressed = task.matrix ? { matrix: absolute(task.matrix) } : { networks: task.networks.map(absolute) };
  return new Promise((resolve, refuse) => {
    try {
      const id = next++;
      waiting.set(id, { resolve, refuse });
      started().postMessage({ ...task, id, ...addressed });
    } catch (error) {
      fail(error.message);
    }
  });
}

// Chooses at which of these sizes, in pixels along an edge, a moving picture is drawn, so that frames come ten times a
// second: from how long the last frames took, whatever took the time. sizes: the largest first.
export class Pace {
  constructor(sizes) {
    this.sizes = sizes;
    this.at = null; // the place of the size of the last frame
  }

  // The size of the next frame. operations: of all its pictures, a pixel, if they are known.
  size(operations) {
    if (this.at === null) {
      const fits = (size) => size * size * operations <= BUDGET * rate; // false as long as they are unknown
      const first = this.sizes.findIndex(fits);
      this.at = first < 0 ? this.sizes.length - 1 : first;
    }
    return this.sizes[this.at];
  }

  get coarsest() {
    return this.at === this.sizes.length - 1;
  }

  // A frame took this long.
  took(seconds) {
    if (this.at === null) return;
    if (seconds > BUDGET) this.at = Math.min(this.sizes.length - 1, this.at + (seconds > 4 * BUDGET ? 2 : 1));
    else if (seconds < BUDGET / 5) this.at = Math.max(0, this.at - 1); // a step makes a frame four times as long, at most
  }
}

// How a surface is drawn where a picture of the plane has `share` of its pixels along an edge: one that is followed takes
// the second power of its samples, and rays cost little. shape: as the server draws it {grid, pixels}, for a share of 1.
export function coarser({ grid, pixels }, share) {
  return { grid: Math.max(8, Math.round(grid * share ** 0.5)), width: Math.round(pixels * share ** (1 / 3)), fine: share === 1 };
}

// Pixels with an alpha channel as the address of a picture. The canvas is one in memory: reading it back from a GPU takes
// longer than to decode a small picture.
export function address(values, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(new ImageData(values, width, height), 0, 0);
  return canvas.toDataURL();
}
