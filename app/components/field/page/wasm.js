// Evaluates stages with WebAssembly, four numbers at once: some three times as fast as plain JavaScript.

import { finish, TILE } from "./cpu.js";

const eights = (count) => 8 * Math.ceil(count / 8);

export class Wasm {
  name = "WebAssembly";

  // null where the browser has no WebAssembly with registers of four numbers.
  static async create() {
    try {
      const bytes = await (await fetch(new URL("./product.wasm", import.meta.url))).arrayBuffer();
      return new Wasm((await WebAssembly.instantiate(bytes)).instance.exports);
    } catch {
      return null;
    }
  }

  constructor({ memory, product }) {
    Object.assign(this, { memory, product });
  }

  // Puts the stages one behind the other into the memory, the matrices transposed: the place of each in numbers. Behind
  // them is room for a tile of points and for the results of the last three stages.
  laid(stages) {
    const places = [];
    let end = 0;
    for (const { inputs, outputs } of stages) {
      const width = eights(outputs);
      places.push({ matrix: end, bias: end + inputs * width, width });
      end += (inputs + 1) * width;
    }
    const widest = Math.max(...places.map(({ width }) => width)), dim = stages[0].inputs;
    const points = end, results = [0, 1, 2].map((k) => points + eights(TILE * dim) + k * TILE * widest);
    const missing = 4 * (results[2] + TILE * widest) - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    const numbers = new Float32Array(this.memory.buffer);
    stages.forEach(({ inputs, outputs, matrix, bias }, k) => {
      const { matrix: at, bias: shift, width } = places[k];
      numbers.fill(0, at, shift + width);
      numbers.set(bias, shift);
      for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) numbers[at + i * width + o] = matrix[o * inputs + i];
    });
    return { numbers, places, points, results };
  }

  // Values (count × outputs) at points (count × inputs).
  async evaluate(stages, points, count) {
    const { numbers, places, points: first, results } = this.laid(stages);
    const last = stages.at(-1).outputs, dim = stages[0].inputs, values = new Float32Array(count * last);
    for (let start = 0; start < count; start += TILE) {
      const size = Math.min(TILE, count - start), rows = 4 * Math.ceil(size / 4);
      numbers.set(points.subarray(start * dim, (start + size) * dim), first);
      let x = first, stride = dim;
      stages.forEach((stage, k) => {
        const { matrix, bias, width } = places[k], y = results[k % 3], length = rows * width;
        this.product(4 * x, 4 * matrix, 4 * bias, 4 * y, stage.inputs, stride, width, rows);
        const before = results[(k + 1) % 3]; // which holds the result of stage k − 2
        finish({ ...stage, outputs: width }, rows, numbers.subarray(before, before + length), numbers.subarray(y, y + length));
        [x, stride] = [y, width];
      });
      for (let p = 0; p < size; p++) {
        for (let channel = 0; channel < last; channel++) values[(start + p) * last + channel] = numbers[x + p * stride + channel];
      }
    }
    return values;
  }
}
