// From an instance's vector to the matrices of its network, as its plan says (wsr/fields/portable.py).
//
// A network is a list of stages y = f(M x + bias), each {inputs, outputs, matrix, bias, activation, skip}: matrix is row
// by row, activation "sin", "relu" or "none", and skip, if not 0, is the factor with which the result of the stage
// before the last one is added after f.

import { fetched } from "./tensors.js";

// What does not change between instances: {plan, frozen, values, base, trained}.
export async function loaded(address) {
  const { tensors, metadata } = await fetched(address);
  const plan = JSON.parse(metadata.network);
  if (plan.format !== "wsr-network-1") throw new Error(`A network of the format ${plan.format} is not read here.`);
  const base = plan.base ? (await fetched(new URL(plan.base, address).href)).tensors : {};
  return { plan, base, frozen: tensors.frozen.data, values: tensors.frozen_values.data };
}

// (1 − α) a + α b, computed as torch.lerp does.
export function mixed(a, b, alpha) {
  if (alpha < 0.5) return a.map((x, i) => x + alpha * (b[i] - x));
  return b.map((y, i) => y - (y - a[i]) * (1 - alpha));
}

// All entries of an instance: its vector, with what the mask froze in its place.
export function filled({ plan, frozen, values }, vector) {
  if (vector.length !== plan.size) throw new Error(`A vector has ${vector.length} entries, its network ${plan.size}.`);
  const total = vector.length + frozen.length, full = new Float32Array(total);
  for (let i = 0, next = 0; i < total; i++) {
    if (frozen[next] === i) full[i] = values[next++];
    else full[i] = vector[i - next];
  }
  return full;
}

// The named tensors of an instance, as views of all its entries.
export function named({ plan }, full) {
  const tensors = {};
  let start = 0;
  for (const { name, shape } of plan.tensors) {
    const count = shape.reduce((product, side) => product * side, 1);
    tensors[name] = { shape, data: full.subarray(start, start + count) };
    start += count;
  }
  return tensors;
}

// weight ⊙ (b a), or weight + b a.
function adapted(weight, b, a, additive) {
  const [rows, columns] = weight.shape, rank = a.shape[0];
  const matrix = new Float32Array(rows * columns), line = new Float64Array(columns);
  for (let o = 0; o < rows; o++) {
    line.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = b.data[o * rank + r];
      for (let i = 0; i < columns; i++) line[i] += factor * a.data[r * columns + i];
    }
    for (let i = 0, at = o * columns; i < columns; i++, at++) {
      matrix[at] = additive ? weight.data[at] + line[i] : weight.data[at] * line[i];
    }
  }
  return matrix;
}

// Scales each row to the norm `gain`.
function normalised(matrix, columns, gain, epsilon) {
  for (let start = 0; start < matrix.length; start += columns) {
    let square = 0;
    for (let i = start; i < start + columns; i++) square += matrix[i] * matrix[i];
    const factor = gain / Math.sqrt(square + epsilon);
    for (let i = start; i < start + columns; i++) matrix[i] *= factor;
  }
}

function hidden(plan, layer, tensor) {
  const weight = tensor(layer.weight), bias = tensor(layer.bias).data;
  const [outputs, inputs] = weight.shape;
  const matrix = layer.a ? adapted(weight, tensor(layer.b), tensor(layer.a), layer.additive) : weight.data;
  // relu(√½ x) = √½ relu(x): the factor of the residual goes into the matrix, which saves a pass over all points
  const half = layer.residual ? plan.half : 1;
  if (layer.gain) normalised(matrix, inputs, layer.gain * half, plan.epsilon);
  const scaled = layer.gain || half === 1 ? matrix : matrix.map((x) => x * half);
  return {
    inputs, outputs, matrix: scaled, bias: bias.map((x) => x * half), activation: "relu", skip: layer.residual ? half : 0,
  };
}

// The stages of an instance's network, from its named tensors.
export function stages({ plan, base }, own) {
  const tensor = (name) => {
    const found = own[name] ?? base[name];
    if (!found) throw new Error(`The plan names ${name}, which neither the instance nor its base has.`);
    return found;
  };
  const fourier = tensor(plan.fourier), output = tensor(plan.output);
  const times = (data) => data.map((x) => x * plan.omega);
  return [
    {
      inputs: fourier.shape[1], outputs: fourier.shape[0], matrix: times(fourier.data), bias: times(tensor(plan.phase).data),
      activation: "sin", skip: 0,
    },
    ...plan.layers.map((layer) => hidden(plan, layer, tensor)),
    {
      inputs: output.shape[1], outputs: output.shape[0], matrix: output.data, bias: tensor(plan.output_bias).data,
      activation: "none", skip: 0,
    },
  ];
}

// Multiplications and additions for the value at one point.
export const operations = (list) => list.reduce((sum, { inputs, outputs }) => sum + 2 * inputs * outputs, 0);

// The centres of width × height pixels, row by row, of a window [left, top, right, bottom]; x is right and y is down.
export function pixels(width, height, [left, top, right, bottom] = [-1, -1, 1, 1]) {
  const points = new Float32Array(2 * width * height);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      points[at++] = left + ((column + 0.5) / width) * (right - left);
      points[at++] = top + ((row + 0.5) / height) * (bottom - top);
    }
  }
  return points;
}

// RGB in [-1, 1] as bytes with an alpha channel, rounded as the server does.
export function coloured(values) {
  const bytes = new Uint8ClampedArray((values.length / 3) * 4).fill(255);
  for (let i = 0, at = 0; i < values.length; i += 3, at += 4) {
    for (let channel = 0; channel < 3; channel++) bytes[at + channel] = Math.round(127.5 * (values[i + channel] + 1));
  }
  return bytes;
}
