// Surfaces of networks that have been sampled: kept, so that a camera that turns around one decodes nothing anew, and
// followed while their weights move.

import { followed, sampled } from "./grid.js";
import { surface } from "./surface.js";

const KEPT = 16; // the largest has 5 MB
const SCATTERED = 2048; // points of space at which two fields are compared
const STEPS = [0.8191725134, 0.6710436067, 0.5497004779]; // of a sequence that leaves no part of a cube empty
const kept = new Map(), last = new Map(); // by network, place and grid; by network alone

// {surface: for surface.js, or null, filled: the number of samples inside}. asked: an instance, as in worker.js. moves:
// whether it may be followed from the last grid of the same network.
export async function shape(asked, evaluate, resolution, moves) {
  const key = JSON.stringify([asked, resolution, Boolean(moves)]), own = `${asked.network} ${asked.vectors}`;
  let found = kept.get(key);
  if (!found) {
    const before = moves ? last.get(own) : null;
    const grid = before?.filled ? await followed(evaluate, resolution, before.grid) : await sampled(evaluate, resolution);
    found = { grid, surface: surface(grid), filled: grid.values.reduce((count, value) => count + (value > 0), 0) };
  }
  keep(kept, key, found);
  keep(last, own, found);
  return found;
}

function keep(found, key, value) {
  found.delete(key); // it is the newest again
  found.set(key, value);
  if (found.size > KEPT) found.delete(found.keys().next().value);
}

// Points (x, y, z) all over [-1, 1]³.
export function scattered() {
  return Float32Array.from({ length: 3 * SCATTERED }, (_, i) => 2 * ((Math.floor(i / 3) * STEPS[i % 3]) % 1) - 1);
}
