// Decodes networks in the page. One worker does it for everything on the page.

const BUDGET = 0.08; // seconds for all pictures of a frame: with what else a frame needs, at least ten a second
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
      if (data.seconds > 0) rate += 0.5 * (data.operations / data.seconds - rate);
      resolve?.(data);
    }
  };
  return worker;
}

// Answers a task as worker.js describes it. Rejected where this browser cannot.
export function decoded(task) {
  if (broken) return Promise.reject(broken);
  const absolute = (address) => new URL(address, document.baseURI).href;
  const networks = task.networks.map((one) => ({ ...one, network: absolute(one.network), vectors: absolute(one.vectors) }));
  return new Promise((resolve, refuse) => {
    try {
      const id = next++;
      waiting.set(id, { resolve, refuse });
      started().postMessage({ ...task, id, networks });
    } catch (error) {
      fail(error.message);
    }
  });
}

// The largest of these sizes, in pixels along an edge, at which pictures with this many operations a pixel are drawn ten
// times a second; the smallest one if none is. sizes: the largest first.
export function fluid(sizes, operations) {
  return sizes.find((size) => (size * size * operations) / rate <= BUDGET) ?? sizes.at(-1);
}

// Pixels with an alpha channel as the address of a picture.
export function address(values, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(values, width, height), 0, 0);
  return canvas.toDataURL();
}
