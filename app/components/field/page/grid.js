// Samples a field on a grid, as wsr/render/surfaces.py does: everywhere on a small one, and on a larger one only near the
// surface, where the logit is 0. While a surface moves, it is followed from where it was.

const BLOCK = 3; // voxels along an edge of a block
const SMALL = 14; // samples along an edge up to which blocks save nothing
const APART = 4; // voxels from one probe to the next
let turn = 0; // of the probes, which are elsewhere each time

// `resolution` samples along each edge of [-1, 1]³, at the centres of its voxels, with a layer of outside voxels around
// them: {values, side}, the last axis running fastest. evaluate: returns logits at points (x, y, z).
export async function sampled(evaluate, resolution) {
  const block = resolution > SMALL ? BLOCK : 1, blocks = Math.ceil(resolution / block);
  const edge = blocks * block; // the last block may extend beyond the grid
  const logits = finite(evaluate, resolution);
  const rough = await logits(places(blocks, block, (block - 1) / 2));
  const values = block === 1 ? rough : await refined(logits, rough, blocks, block);
  return padded(values, edge, resolution);
}

// Logits at places in voxels; NaN counts as outside.
const finite = (evaluate, resolution) => async (voxels) => {
  const found = await evaluate(voxels.map((at) => (2 * at + 1) / resolution - 1));
  return found.map((value) => (Number.isNaN(value) ? -1 : Math.min(1e6, Math.max(-1e6, value))));
};

// Such a grid of a surface that was at first as on a grid `before`, of any resolution: samples are taken where the sign
// changes, and further on until they go around the surface. A part that appears apart from it is found once a probe falls
// into it, and at the latest when everything is sampled again.
export async function followed(evaluate, resolution, before) {
  const values = taken(before, resolution), known = new Uint8Array(values.length), logits = finite(evaluate, resolution);
  for (let fresh = probes(resolution); fresh.length; fresh = changing(values, known, resolution)) {
    const voxels = new Float32Array(3 * fresh.length);
    fresh.forEach((at, i) => {
      voxels[3 * i] = Math.floor(at / resolution ** 2);
      voxels[3 * i + 1] = Math.floor(at / resolution) % resolution;
      voxels[3 * i + 2] = at % resolution;
    });
    const found = await logits(voxels);
    fresh.forEach((at, i) => { [values[at], known[at]] = [found[i], 1]; });
  }
  return padded(values, resolution, resolution);
}

// The values of one grid at the samples of another.
function taken({ values, side }, resolution) {
  const found = new Float32Array(resolution ** 3), old = side - 2, at = new Int32Array(resolution), share = new Float32Array(resolution);
  for (let i = 0; i < resolution; i++) {
    const place = ((2 * i + 1) / resolution) * (old / 2) + 0.5;
    [at[i], share[i]] = [Math.floor(place), place % 1];
  }
  const one = side, other = side * side, both = one + other;
  for (let i = 0, to = 0; i < resolution; i++) {
    for (let j = 0; j < resolution; j++) {
      const row = (at[i] * side + at[j]) * side, u = share[i], v = share[j], u1 = 1 - u, v1 = 1 - v;
      const along = (from) => u1 * (v1 * values[from] + v * values[from + one]) + u * (v1 * values[from + other] + v * values[from + both]);
      for (let k = 0; k < resolution; k++, to++) {
        const from = row + at[k], low = along(from);
        found[to] = share[k] ? low + share[k] * (along(from + 1) - low) : low;
      }
    }
  }
  return found;
}

function probes(resolution) {
  const found = [], [x, y, z] = [turn, 2 * turn + (turn >> 1), 3 * turn + (turn >> 2)].map((at) => at % APART);
  turn++;
  for (let i = x; i < resolution; i += APART) {
    for (let j = y; j < resolution; j += APART) {
      for (let k = z; k < resolution; k += APART) found.push((i * resolution + j) * resolution + k);
    }
  }
  return found;
}

// The samples that are not known yet and have a neighbour of another sign.
function changing(values, known, edge) {
  const found = [], listed = new Uint8Array(values.length);
  const list = (at) => {
    if (known[at] || listed[at]) return;
    listed[at] = 1;
    found.push(at);
  };
  const compare = (at, other) => {
    if (values[at] > 0 === values[other] > 0) return;
    list(at);
    list(other);
  };
  for (let i = 0, at = 0; i < edge; i++) {
    for (let j = 0; j < edge; j++) {
      for (let k = 0; k < edge; k++, at++) {
        if (k < edge - 1) compare(at, at + 1);
        if (j < edge - 1) compare(at, at + edge);
        if (i < edge - 1) compare(at, at + edge * edge);
      }
    }
  }
  return found;
}

// The voxels (x, y, z) at the middle of each block.
function places(blocks, block, middle) {
  const voxels = new Float32Array(3 * blocks ** 3);
  for (let i = 0, at = 0; i < blocks; i++) {
    for (let j = 0; j < blocks; j++) {
      for (let k = 0; k < blocks; k++) {
        voxels[at++] = i * block + middle;
        voxels[at++] = j * block + middle;
        voxels[at++] = k * block + middle;
      }
    }
  }
  return voxels;
}

// Every voxel of the blocks that the surface may cross, and the block's own value elsewhere.
async function refined(logits, rough, blocks, block) {
  const edge = blocks * block, values = new Float32Array(edge ** 3), done = new Uint8Array(blocks ** 3);
  const corner = (number) => {
    const [i, j, k] = [Math.floor(number / blocks ** 2), Math.floor(number / blocks) % blocks, number % blocks];
    return [i * block, j * block, k * block];
  };
  const each = (number, visit) => {
    const [x, y, z] = corner(number);
    for (let i = x; i < x + block; i++) {
      for (let j = y; j < y + block; j++) for (let k = z; k < z + block; k++) visit((i * edge + j) * edge + k, i, j, k);
    }
  };
  rough.forEach((value, number) => each(number, (at) => { values[at] = value; }));
  for (let fresh = mayCross(rough, blocks); fresh.length; fresh = acrossSides(values, done, blocks, block)) {
    const voxels = new Float32Array(3 * block ** 3 * fresh.length);
    let at = 0;
    for (const number of fresh) each(number, (_, i, j, k) => { voxels[at++] = i; voxels[at++] = j; voxels[at++] = k; });
    const found = await logits(voxels);
    at = 0;
    for (const number of fresh) {
      each(number, (place) => { values[place] = found[at++]; });
      done[number] = 1;
    }
  }
  return values;
}

// The blocks whose value is within half the range of the values around them, or that have another sign beside them.
function mayCross(rough, blocks) {
  const highest = spread(rough, blocks, Math.max), lowest = spread(rough, blocks, Math.min), found = [];
  rough.forEach((value, number) => {
    const [high, low] = [highest[number], lowest[number]];
    if (Math.abs(value) <= (high - low) / 2 || (high > 0 && low <= 0)) found.push(number);
  });
  return found;
}

// The largest, or least, of each block and those around it.
function spread(values, blocks, most) {
  let now = values;
  for (const step of [1, blocks, blocks ** 2]) {
    now = now.map((value, number) => {
      const place = Math.floor(number / step) % blocks;
      const before = place > 0 ? now[number - step] : value, after = place < blocks - 1 ? now[number + step] : value;
      return most(value, before, after);
    });
  }
  return now;
}

// The blocks, but for those that are done, with a change of sign between a voxel on one of their sides and its neighbour.
function acrossSides(values, done, blocks, block) {
  const edge = blocks * block, steps = [edge ** 2, edge, 1], far = [blocks ** 2, blocks, 1], found = new Set();
  for (let axis = 0; axis < 3; axis++) {
    const [b, c] = [0, 1, 2].filter((other) => other !== axis);
    for (let side = 0; side < blocks - 1; side++) {
      for (let u = 0; u < edge; u++) {
        for (let v = 0; v < edge; v++) {
          const at = (side * block + block - 1) * steps[axis] + u * steps[b] + v * steps[c];
          if (values[at] > 0 === values[at + steps[axis]] > 0) continue;
          const number = side * far[axis] + Math.floor(u / block) * far[b] + Math.floor(v / block) * far[c];
          for (const one of [number, number + far[axis]]) if (!done[one]) found.add(one);
        }
      }
    }
  }
  return [...found];
}

function padded(values, edge, resolution) {
  const side = resolution + 2, outside = -values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const whole = new Float32Array(side ** 3).fill(outside);
  for (let i = 0; i < resolution; i++) {
    for (let j = 0; j < resolution; j++) {
      const from = (i * edge + j) * edge;
      whole.set(values.subarray(from, from + resolution), ((i + 1) * side + j + 1) * side + 1);
    }
  }
  return { values: whole, side };
}
