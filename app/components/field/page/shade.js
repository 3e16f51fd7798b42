// Shades a surface by the normal and the depth of each pixel, as wsr/render/pictures.py does.

const CLAY = [0.66, 0.73, 0.84].map((channel) => channel ** 2.2);
const unit = (vector) => vector.map((x) => x / Math.hypot(...vector));
const KEY = unit([-0.35, 0.85, 0.45]), FILL = unit([0.3, 0, 0.95]); // towards the lights, in the camera's axes
const SHINE = unit([KEY[0], KEY[1], KEY[2] + 1]);
const CLOSENESS = 0.02; // radius of the darkening around parts that are in front, as a share of the picture's width

// Pixels with an alpha channel, one for each times × times of the side × side places.
export function shade(normals, depth, side, [right, up, back], times) {
  const close = closeness(depth, side), size = side / times, bytes = new Uint8ClampedArray(4 * size * size).fill(255);
  const sums = new Float64Array(3 * size * size), upward = [right[1], up[1], back[1]]; // the world's y in the camera's axes
  for (let at = 0; at < depth.length; at++) {
    const to = 3 * (Math.floor(at / side / times) * size + Math.floor((at % side) / times));
    if (depth[at] === Infinity) {
      for (let channel = 0; channel < 3; channel++) sums[to + channel] += 1;
      continue;
    }
    const [x, y, z] = [normals[3 * at], normals[3 * at + 1], normals[3 * at + 2]];
    const lit = (light) => Math.min(1, Math.max(0, x * light[0] + y * light[1] + z * light[2]));
    const sky = 0.5 + 0.5 * (x * upward[0] + y * upward[1] + z * upward[2]);
    const light = (0.08 + 0.22 * sky + 0.78 * lit(KEY) + 0.22 * lit(FILL)) * (1 - 0.45 * close[at]), shine = 0.05 * lit(SHINE) ** 40;
    for (let channel = 0; channel < 3; channel++) {
      sums[to + channel] += Math.min(1, Math.max(0, CLAY[channel] * light + shine)) ** (1 / 2.2);
    }
  }
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      bytes[4 * pixel + channel] = Math.round((255 * sums[3 * pixel + channel]) / times ** 2);
    }
  }
  return bytes;
}

// How far each pixel lies behind its surroundings, 0 to 1: an inexpensive substitute for ambient occlusion.
function closeness(depth, side) {
  let furthest = 0;
  for (const one of depth) if (one < Infinity && one > furthest) furthest = one;
  const filled = depth.map((one) => (one < Infinity ? one : furthest)), around = blurred(filled, side, CLOSENESS * side);
  return filled.map((one, at) => Math.min(1, Math.max(0, (one - around[at]) / 0.12)));
}

function blurred(values, side, sigma) {
  const radius = Math.floor(4 * sigma + 0.5), kernel = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = kernel.reduce((a, b) => a + b), share = kernel.map((one) => one / sum);
  const along = (from, step, across) => {
    const to = new Float32Array(from.length), line = new Float32Array(side + 2 * radius);
    for (let number = 0; number < side; number++) {
      for (let i = 0; i < line.length; i++) line[i] = from[number * across + Math.min(side - 1, Math.max(0, i - radius)) * step];
      for (let i = 0; i < side; i++) {
        let mean = 0;
        for (let tap = 0; tap <= 2 * radius; tap++) mean += share[tap] * line[i + tap];
        to[number * across + i * step] = mean;
      }
    }
    return to;
  };
  return along(along(values, 1, side), side, 1);
}
