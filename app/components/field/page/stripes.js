// Draws all weights of a network as one picture, as app/tabs/symmetry/stripes.py does.

import { coloured, quantile } from "./matrices.js";

const GAP = 2; // pixels between matrices
const SCALE = 0.99; // the quantile of the absolute values that has the strongest colour

// The matrices of `after` as {values, width, height}, on the scales of `before`: named tensors of the plan.
export function stripes({ plan }, before, after, colours) {
  const drawn = plan.tensors.map(({ name, shape }) => ({ ...matrix(before[name].data, after[name].data, shape, colours), name }));
  const layers = new Map();
  for (const one of drawn) {
    const layer = one.name.slice(0, Math.max(0, one.name.lastIndexOf(".")));
    layers.set(layer, [...(layers.get(layer) ?? []), one]);
  }
  const stacked = joined([...layers.values()].map((row) => joined(row, false)), true);
  return stacked.width > stacked.height ? stacked : joined(drawn.map(turned), false);
}

// Wider than high: B of an adapter (d, r) lies, as A (r, d) does.
function matrix(before, after, shape, colours) {
  const [height, width] = shape.length > 1 ? shape : [1, shape[0]], middle = before.reduce((sum, x) => sum + x, 0) / before.length;
  const span = Math.max(quantile(before.map((x) => x - middle), SCALE), 1e-6);
  const picture = { values: coloured(after.map((x) => x - middle), span, colours), width, height };
  return height > width ? turned(picture) : picture;
}

function turned({ values, width, height }) {
  const from = new Uint32Array(values.buffer), to = new Uint32Array(from.length);
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) to[column * height + row] = from[row * width + column];
  return { values: new Uint8ClampedArray(to.buffer), width: height, height: width };
}

// Pictures below or beside each other, with white between them.
function joined(pictures, below) {
  const along = below ? "height" : "width", across = below ? "width" : "height";
  const length = pictures.reduce((sum, one) => sum + one[along] + GAP, -GAP), most = Math.max(...pictures.map((one) => one[across]));
  const width = below ? most : length, height = below ? length : most, whole = new Uint32Array(width * height).fill(0xffffffff);
  let at = 0;
  for (const one of pictures) {
    const pixels = new Uint32Array(one.values.buffer), start = below ? at * width : at;
    for (let row = 0; row < one.height; row++) whole.set(pixels.subarray(row * one.width, (row + 1) * one.width), start + row * width);
    at += one[along] + GAP;
  }
  return { values: new Uint8ClampedArray(whole.buffer), width, height };
}
