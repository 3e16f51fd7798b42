// Draws the matrices of one layer of an adapter: the base's, each rank component's part of the adapted one, and their
// sum, as app/tabs/symmetry/terms.py and app/figures/matrices.py do.

const SPAN = 0.99; // the quantile of the base's absolute values that has the strongest colour
const OFF = 128; // the grey of a component that is switched off

export function quantile(data, share) {
  const sorted = Float64Array.from(data, Math.abs).sort(), at = share * (sorted.length - 1), low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

// Bytes with an alpha channel: colours are stops [place, "#rrggbb"] on a scale of ±span.
export function coloured(matrix, span, colours) {
  const stops = colours.map(([place, colour]) => [place, [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))]);
  const bytes = new Uint8ClampedArray(4 * matrix.length).fill(255);
  matrix.forEach((value, i) => {
    const place = Math.min(1, Math.max(0, value / (2 * span) + 0.5));
    const next = Math.max(1, stops.findIndex(([stop]) => stop >= place)), [from, low] = stops[next - 1], [to, high] = stops[next];
    for (let channel = 0; channel < 3; channel++) {
      bytes[4 * i + channel] = Math.round(low[channel] + ((place - from) / (to - from)) * (high[channel] - low[channel]));
    }
  });
  return bytes;
}

// A picture {values, width, height} of "base", "sum" or a component's number, with the components `terms` switched on.
export function matrix({ plan, base }, tensors, { part, layer, terms, colours }) {
  const planned = plan.layers[Math.min(Math.max(layer, 0), plan.layers.length - 1)];
  const weight = base[planned.weight], a = tensors[planned.a], b = tensors[planned.b];
  const [height, width] = weight.shape, rank = a.shape[0], number = Number(part);
  if (part !== "base" && part !== "sum" && !terms.includes(number)) {
    return { values: new Uint8ClampedArray(4 * width * height).map((_, i) => (i % 4 === 3 ? 255 : OFF)), width, height };
  }
  const shown = new Float64Array(width * height), chosen = part === "sum" ? terms : part === "base" ? [] : [number];
  const whole = part === "base" || (part === "sum" && planned.additive);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const pair = chosen.reduce((sum, i) => sum + b.data[row * rank + i] * a.data[i * width + column], 0);
      shown[at] = pair * (planned.additive ? 1 : weight.data[at]) + (whole ? weight.data[at] : 0);
    }
  }
  return { values: coloured(shown, quantile(weight.data, SPAN), colours), width, height };
}
