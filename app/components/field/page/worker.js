// The thread that evaluates networks, so that the page stays fluid on machines without a GPU as well.
//
// A task is {id, networks, points | width, height, window, means}: networks is a list of {network, vectors, from, to,
// alpha}, addresses of a network and of a file of vectors, and the names of two vectors in it; only `from` is needed. The
// answer is {id, values, means, operations, seconds}: for each network its values (points × outputs), or pixels with an
// alpha channel where the task asks for a picture of a width and height; or {id, error}. means: the name of the backend
// that must do it; by default the fastest.

import { Cpu } from "./cpu.js";
import { coloured, loaded, mixed, operations, pixels, stages } from "./network.js";
import { fetched } from "./tensors.js";
import { WebGL } from "./webgl.js";

const TRIED = 512; // points with which backends are compared
const CLOSE = 2e-3; // of the largest value: what a right backend may differ
const started = {};
let fastest;

function means() {
  started.all ??= [new Cpu(), WebGL.create()].filter(Boolean);
  return started.all;
}

async function timed(backend, list, points) {
  await backend.evaluate(list, points, 16); // compiles
  const begun = performance.now(), values = await backend.evaluate(list, points, TRIED);
  return { values, seconds: (performance.now() - begun) / 1000 };
}

// The fastest backend whose values are those of the processor: drivers of GPUs have faults, and WebGL in software may be
// slower than the processor.
async function chosen(list) {
  const dim = list[0].inputs;
  const points = Float32Array.from({ length: TRIED * dim }, (_, i) => 2 * ((i * 0.6180339887) % 1) - 1);
  const [cpu, ...others] = means(), right = await timed(cpu, list, points);
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

async function prepared({ network, vectors, from, to, alpha }) {
  const [found, { tensors }] = await Promise.all([loaded(network), fetched(vectors)]);
  const first = tensors[from].data;
  return stages(found, to ? mixed(first, tensors[to].data, alpha) : first);
}

async function evaluated({ networks, points, width, height, window, means: asked }) {
  const lists = await Promise.all(networks.map(prepared));
  const places = points ?? pixels(width, height, window), values = [];
  if (!asked) fastest ??= chosen(lists.reduce((most, list) => (operations(list) > operations(most) ? list : most)));
  const backend = asked ? means().find(({ name }) => name === asked) : await fastest;
  if (!backend) throw new Error(`This browser has no ${asked}.`);
  const begun = performance.now();
  let done = 0;
  for (const list of lists) {
    const count = places.length / list[0].inputs, found = await backend.evaluate(list, places, count);
    values.push(points ? found : coloured(found));
    done += count * operations(list);
  }
  return { values, means: backend.name, operations: done, seconds: (performance.now() - begun) / 1000 };
}

let last = Promise.resolve();
onmessage = ({ data }) => {
  last = last.then(async () => {
    try {
      const answer = await evaluated(data);
      postMessage({ id: data.id, ...answer }, answer.values.map(({ buffer }) => buffer));
    } catch (error) {
      if (!data.means) fastest = undefined; // a GPU that fails is compared anew
      postMessage({ id: data.id, error: error.message });
    }
  });
};
