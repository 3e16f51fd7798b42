// The thread that evaluates networks, so that the page stays fluid on machines without a GPU as well.
//
// A task is {id, networks, points | width, height, window | grid, width, view, fine, moves, means}. networks is a list of
// instances {network, vectors, from, to, alpha, act, strength, terms}: addresses of a network and of a file of vectors, the
// names of two vectors in it, and what is done to the weights: the place between the two vectors, an element of a symmetry
// group by the name of its parts in the same file, and the rank components that are switched on. Only `from` is needed. The
// answer is {id, values, means, operations, seconds, told, filled}: for each network its values (points × outputs), or
// pixels with an alpha channel where the task asks for a picture: of a field of the plane, of a width and height, or of the
// surface in a grid of so many samples along an edge, seen from `view`, which may be followed if it `moves` (shapes.js); or {id, error}. told: of weights that
// were acted on, what has changed (symmetry.js); with `compare`, also the largest difference between values before and
// after. filled: samples inside each surface. means: the name of the backend that must do it; by default the fastest.
//
// A task {id, matrix} asks for a picture of one matrix of an instance: {…, part, layer, terms, colours} (matrices.js).

import { Cpu } from "./cpu.js";
import { matrix } from "./matrices.js";
import { coloured, filled, loaded, mixed, named, operations, pixels, stages } from "./network.js";
import { scattered, shape } from "./shapes.js";
import { stripes } from "./stripes.js";
import { picture } from "./surface.js";
import { act, compared, keep } from "./symmetry.js";
import { fetched } from "./tensors.js";
import { Wasm } from "./wasm.js";
import { WebGL } from "./webgl.js";

const TRIED = 512; // points with which backends are compared
const TIMES = 3; // of which the shortest counts: other programs take their part
const CLOSE = 2e-3; // of the largest value: what a right backend may differ
const started = {};
let fastest;

async function means() {
  started.all ??= Promise.all([new Cpu(), Wasm.create(), WebGL.create()]);
  return (await started.all).filter(Boolean);
}

async function timed(backend, list, points) {
  await backend.evaluate(list, points, 16); // compiles
  let values, seconds = Infinity;
  for (let time = 0; time < TIMES; time++) {
    const begun = performance.now();
    values = await backend.evaluate(list, points, TRIED);
    seconds = Math.min(seconds, (performance.now() - begun) / 1000);
  }
  return { values, seconds };
}

// The fastest backend whose values are those of the processor: drivers of GPUs have faults, and WebGL in software may be
// slower than the processor.
async function chosen(list) {
  const dim = list[0].inputs;
  const points = Float32Array.from({ length: TRIED * dim }, (_, i) => 2 * ((i * 0.6180339887) % 1) - 1);
  const [cpu, ...others] = await means(), right = await timed(cpu, list, points);
  let best = { backend: cpu, seconds: right.seconds };
  const largest = right.values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const backend of others) {
    try {
      const { values, seconds } = await timed(backend, list, points);
      const close = values.every((value, i) => Math.abs(value - right.values[i]) <= CLOSE * largest);
      if (close && seconds < best.seconds) best = { backend, seconds };
    } catch (error) {
      console.info(`${backend.name} is left out: ${error.message}`);
    }
  }
  return best.backend;
}

// {found: the network, tensors: of the file of vectors, full: all entries of the instance}
async function fetchedInstance({ network, vectors, from, to, alpha }) {
  const [found, { tensors }] = await Promise.all([loaded(network), fetched(vectors)]);
  const first = tensors[from].data;
  return { found, tensors, full: filled(found, to ? mixed(first, tensors[to].data, alpha) : first) };
}

// {list: the stages of an instance, before: those without the action, told}
async function prepared(asked, compare) {
  const { found, tensors, full } = await fetchedInstance(asked), old = full.slice(), own = named(found, full);
  if (asked.act) {
    act(found.plan, own, element(tensors, asked.act), asked.strength);
  }
  if (asked.terms) keep(found.plan, own, asked.terms);
  const before = asked.act && compare ? stages(found, named(found, old)) : null;
  return { list: stages(found, own), before, told: asked.act ? compared(found, old, full) : null };
}

// The elements of an action that are there: of adapters or of standalone networks.
const element = (tensors, name) => Object.fromEntries(
  ["left", "right", "noise", "order", "sign"].map((part) => [part, tensors[`${name}.${part}`]?.data]));

async function drawnMatrix(asked) {
  const { found, tensors, full } = await fetchedInstance(asked), own = named(found, full);
  if (asked.part !== "stripes") {
    const { values, width, height } = matrix(found, own, asked);
    return { values: [values], width, height, operations: 0, seconds: 0 };
  }
  const old = full.slice(), before = named(found, old);
  if (asked.act) act(found.plan, own, element(tensors, asked.act), asked.strength);
  const { values, width, height } = stripes(found, before, own, asked.colours), told = compared(found, old, full);
  return { values: [values], width, height, operations: 0, seconds: 0, told: [{ changed: told.changed }] };
}

async function backendFor(lists, asked) {
  if (!asked) fastest ??= chosen(lists.reduce((most, list) => (operations(list) > operations(most) ? list : most)));
  const backend = asked ? (await means()).find(({ name }) => name === asked) : await fastest;
  if (!backend) throw new Error(`This browser has no ${asked}.`);
  return backend;
}

async function evaluated(task) {
  const { networks, points, width, height, window, compare, grid } = task;
  const instances = await Promise.all(networks.map((one) => prepared(one, compare)));
  const backend = await backendFor(instances.map(({ list }) => list), task.means), begun = performance.now();
  const places = points ?? (grid ? scattered() : pixels(width, height, window)), values = [], filled = [];
  let done = 0;
  const evaluate = (list) => (at) => {
    const count = at.length / list[0].inputs;
    done += count * operations(list);
    return backend.evaluate(list, at, count);
  };
  for (const [number, { list, before, told }] of instances.entries()) {
    if (grid) {
      const found = await shape(networks[number], evaluate(list), grid, task.moves);
      values.push(picture(found.surface, width, task.view, task.fine));
      filled.push(found.filled);
    }
    const found = grid && !before ? null : await evaluate(list)(places);
    if (!grid) values.push(points ? found : coloured(found));
    if (!before) continue;
    const old = await evaluate(before)(places);
    told.difference = found.reduce((most, value, i) => Math.max(most, Math.abs(value - old[i])), 0);
  }
  const seconds = (performance.now() - begun) / 1000;
  return { values, filled, means: backend.name, operations: done, seconds, told: instances.map(({ told }) => told) };
}

let last = Promise.resolve();
onmessage = ({ data }) => {
  last = last.then(async () => {
    try {
      const answer = await (data.matrix ? drawnMatrix(data.matrix) : evaluated(data));
      postMessage({ id: data.id, ...answer }, answer.values.map(({ buffer }) => buffer));
    } catch (error) {
      if (!data.means) fastest = undefined; // a GPU that fails is compared anew
      postMessage({ id: data.id, error: error.message });
    }
  });
};
