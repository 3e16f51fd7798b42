// Evaluates stages on typed arrays: works in every browser, and is what other ways are compared with.

export const TILE = 256; // points at once: their activations stay in the processor's cache

// y (count × outputs) = x (count × inputs) Mᵀ + bias; two points and four outputs at a time, since numbers that are in
// registers need not be read again. At the edges, the last row or point is computed more than once.
function product({ inputs, outputs, matrix, bias }, count, x, y) {
  for (let o = 0; o < outputs; o += 4) {
    const o1 = Math.min(o + 1, outputs - 1), o2 = Math.min(o + 2, outputs - 1), o3 = Math.min(o + 3, outputs - 1);
    const r0 = o * inputs, r1 = o1 * inputs, r2 = o2 * inputs, r3 = o3 * inputs;
    for (let p = 0; p < count; p += 2) {
      const q = Math.min(p + 1, count - 1), atP = p * inputs, atQ = q * inputs;
      let a0 = bias[o], a1 = bias[o1], a2 = bias[o2], a3 = bias[o3], b0 = a0, b1 = a1, b2 = a2, b3 = a3;
      for (let i = 0; i < inputs; i++) {
        const u = x[atP + i], v = x[atQ + i];
        const m0 = matrix[r0 + i], m1 = matrix[r1 + i], m2 = matrix[r2 + i], m3 = matrix[r3 + i];
        a0 += m0 * u; a1 += m1 * u; a2 += m2 * u; a3 += m3 * u;
        b0 += m0 * v; b1 += m1 * v; b2 += m2 * v; b3 += m3 * v;
      }
      const toP = p * outputs, toQ = q * outputs;
      y[toP + o] = a0; y[toP + o1] = a1; y[toP + o2] = a2; y[toP + o3] = a3;
      y[toQ + o] = b0; y[toQ + o1] = b1; y[toQ + o2] = b2; y[toQ + o3] = b3;
    }
  }
}

// y ← f(y) + skip · before
export function finish({ outputs, activation, skip }, count, before, y) {
  const end = count * outputs;
  if (activation === "sin") for (let at = 0; at < end; at++) y[at] = Math.sin(y[at]);
  if (activation === "relu") for (let at = 0; at < end; at++) y[at] = y[at] > 0 ? y[at] : 0;
  if (skip) for (let at = 0; at < end; at++) y[at] += skip * before[at];
}

export class Cpu {
  name = "processor";

  // Values (count × outputs) at points (count × inputs).
  async evaluate(stages, points, count) {
    const last = stages.at(-1).outputs, dim = stages[0].inputs;
    const widest = Math.max(...stages.map(({ outputs }) => outputs));
    const results = [0, 1, 2].map(() => new Float32Array(TILE * widest)), values = new Float32Array(count * last);
    for (let start = 0; start < count; start += TILE) {
      const size = Math.min(TILE, count - start);
      let x = points.subarray(start * dim, (start + size) * dim);
      stages.forEach((stage, k) => {
        const y = results[k % 3];
        product(stage, size, x, y);
        finish(stage, size, results[(k + 1) % 3], y); // which holds the result of stage k − 2
        x = y;
      });
      values.set(x.subarray(0, size * last), start * last);
    }
    return values;
  }
}
