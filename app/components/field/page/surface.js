// Pictures of the surface of a sampled field (grid.js), by rays. They look as the server's do (wsr/render/gbuffer.py and
// wsr/render/pictures.py): the same camera, the same light.

import { shade } from "./shade.js";

const VIEW = [35, 24]; // azimuth in degrees from +z towards +x, and elevation; +y is up
const EDGE = Math.tan((28 / 2) * (Math.PI / 180)); // of half the field of view
const DISTANCE = 1.04 / Math.sin((28 / 2) * (Math.PI / 180)); // the unit sphere fills the picture but for 4 %
const LARGEST = 1.05; // a surface that reaches further from the middle is scaled into the unit sphere
const CREASE = Math.cos((35 * Math.PI) / 180); // an edge sharper than this is drawn as an edge
const PARTS = 3; // of a ray in a cell, between which the sign is looked at

// The camera's axes in the world: right, up, and back towards the viewer.
function axes([azimuth, elevation]) {
  const [a, e] = [azimuth, elevation].map((degrees) => (degrees * Math.PI) / 180);
  const back = [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)], right = [Math.cos(a), 0, -Math.sin(a)];
  const up = [
    back[1] * right[2] - back[2] * right[1], back[2] * right[0] - back[0] * right[2], back[0] * right[1] - back[1] * right[0],
  ];
  return [right, up, back];
}

// What rays need of a grid: {values, side, cells, normals, low, high, middle, reach}. cells: whether the surface crosses
// the cell whose first corner is here; low, high: the box of these cells; normals: of the surface around each corner;
// middle, reach: where the unit sphere of the picture lies, in voxels. null if there is no surface.
export function surface({ values, side }) {
  const cells = new Uint8Array(side ** 3), normals = new Float32Array(3 * side ** 3), corners = offsets(side);
  const low = [side, side, side], high = [0, 0, 0];
  for (let i = 0; i < side - 1; i++) {
    for (let j = 0; j < side - 1; j++) {
      for (let k = 0, at = (i * side + j) * side; k < side - 1; k++, at++) {
        let inside = 0;
        for (let c = 0; c < 8; c++) if (values[at + corners[c]] > 0) inside++;
        if (inside === 0 || inside === 8) continue;
        cells[at] = 1;
        for (const [axis, x] of [i, j, k].entries()) {
          if (x < low[axis]) low[axis] = x;
          if (x >= high[axis]) high[axis] = x + 1;
        }
        const [x, y, z] = outward(values, side, at, 0.5, 0.5, 0.5);
        for (let c = 0; c < 8; c++) {
          const to = 3 * (at + corners[c]);
          normals[to] += x; normals[to + 1] += y; normals[to + 2] += z;
        }
      }
    }
  }
  return high[0] ? { values, side, cells, normals, low, high, ...framed(values, side) } : null;
}

const offsets = (side) => [0, 1, side, side + 1, side ** 2, side ** 2 + 1, side ** 2 + side, side ** 2 + side + 1];

const out = new Float64Array(3); // one for all: a new one for each of many thousand places takes longer than what is in it

// Writes into `out` the unit normal out of the surface at a place in a cell, against the gradient, and returns it.
function outward(values, side, at, u, v, w) {
  const one = at + side, other = at + side * side, both = other + side, u1 = 1 - u, v1 = 1 - v, w1 = 1 - w;
  const a = values[at], b = values[at + 1], c = values[one], d = values[one + 1];
  const e = values[other], f = values[other + 1], g = values[both], h = values[both + 1];
  const x = v1 * (w1 * (e - a) + w * (f - b)) + v * (w1 * (g - c) + w * (h - d));
  const y = u1 * (w1 * (c - a) + w * (d - b)) + u * (w1 * (g - e) + w * (h - f));
  const z = u1 * (v1 * (b - a) + v * (d - c)) + u * (v1 * (f - e) + v * (h - g));
  const length = -(Math.sqrt(x * x + y * y + z * z) || 1);
  out[0] = x / length; out[1] = y / length; out[2] = z / length;
  return out;
}

// Where the picture's unit sphere lies in the grid: around the middle of the cube, or around a surface that is larger.
function framed(values, side) {
  const half = (side - 2) / 2, centre = half + 0.5, low = [side, side, side], high = [0, 0, 0];
  let furthest = 0;
  crossings(values, side, (x, y, z) => {
    furthest = Math.max(furthest, (x - centre) ** 2 + (y - centre) ** 2 + (z - centre) ** 2);
    if (x < low[0]) low[0] = x;
    if (y < low[1]) low[1] = y;
    if (z < low[2]) low[2] = z;
    if (x > high[0]) high[0] = x;
    if (y > high[1]) high[1] = y;
    if (z > high[2]) high[2] = z;
  });
  if (furthest <= (LARGEST * half) ** 2) return { middle: [centre, centre, centre], reach: half };
  const middle = low.map((x, i) => (x + high[i]) / 2);
  furthest = 0;
  crossings(values, side, (x, y, z) => {
    furthest = Math.max(furthest, (x - middle[0]) ** 2 + (y - middle[1]) ** 2 + (z - middle[2]) ** 2);
  });
  return { middle, reach: Math.sqrt(furthest) };
}

// Visits the places (x, y, z), in voxels, where the surface crosses an edge of the grid.
function crossings(values, side, visit) {
  const between = (a, b) => values[a] / (values[a] - values[b]);
  for (let i = 0, at = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      for (let k = 0; k < side; k++, at++) {
        const inside = values[at] > 0, x = at + side * side, y = at + side, z = at + 1;
        if (i < side - 1 && values[x] > 0 !== inside) visit(i + between(at, x), j, k);
        if (j < side - 1 && values[y] > 0 !== inside) visit(i, j + between(at, y), k);
        if (k < side - 1 && values[z] > 0 !== inside) visit(i, j, k + between(at, z));
      }
    }
  }
}

// A picture of size × size pixels with an alpha channel. fine: with four rays for each pixel.
export function picture(found, size, view = VIEW, fine = false) {
  const side = fine ? 2 * size : size;
  if (!found) return new Uint8ClampedArray(4 * size * size).fill(255);
  const camera = axes(view), { normals, depth } = traced(found, side, camera);
  return shade(normals, depth, side, camera, fine ? 2 : 1);
}

// The normal in the camera's axes, and the depth, of each pixel; the depth is infinite where there is no surface.
function traced(found, size, [right, up, back]) {
  const normals = new Float32Array(3 * size * size), depth = new Float32Array(size * size).fill(Infinity);
  const origin = back.map((x, i) => x * DISTANCE * found.reach + found.middle[i]), ray = new Ray(found, origin), { reach } = found;
  for (let row = 0, at = 0; row < size; row++) {
    const y = -((2 * row + 1) / size - 1) * EDGE;
    for (let column = 0; column < size; column++, at++) {
      const x = ((2 * column + 1) / size - 1) * EDGE;
      const dx = reach * (right[0] * x + up[0] * y - back[0]), dy = reach * (right[1] * x + up[1] * y - back[1]);
      if (!ray.meets(dx, dy, reach * (right[2] * x + up[2] * y - back[2]))) continue;
      const [a, b, c] = ray.normal;
      depth[at] = ray.t;
      normals[3 * at] = a * right[0] + b * right[1] + c * right[2];
      normals[3 * at + 1] = a * up[0] + b * up[1] + c * up[2];
      normals[3 * at + 2] = a * back[0] + b * back[1] + c * back[2];
    }
  }
  return { normals, depth };
}

// A ray from one place, from cell to cell of the grid.
class Ray {
  constructor(found, origin) {
    Object.assign(this, { found, origin, t: 0, normal: new Float64Array(3), corners: offsets(found.side) });
  }

  // Whether a ray in this direction meets the surface; then `t` says where and `normal` how it lies there.
  meets(dx, dy, dz) {
    const { side, cells, low: [li, lj, lk], high: [hi, hj, hk] } = this.found, [ox, oy, oz] = this.origin;
    const ri = 1 / dx, rj = 1 / dy, rk = 1 / dz, ni = (li - ox) * ri, fi = (hi - ox) * ri;
    const nj = (lj - oy) * rj, fj = (hj - oy) * rj, nk = (lk - oz) * rk, fk = (hk - oz) * rk;
    const begin = Math.max(0, Math.min(ni, fi), Math.min(nj, fj), Math.min(nk, fk));
    const end = Math.min(Math.max(ni, fi), Math.max(nj, fj), Math.max(nk, fk));
    if (!(begin < end)) return false;
    const within = (x, from, to) => Math.min(to - 1, Math.max(from, Math.floor(x)));
    let i = within(ox + begin * dx, li, hi), j = within(oy + begin * dy, lj, hj), k = within(oz + begin * dz, lk, hk);
    const si = dx > 0 ? 1 : -1, sj = dy > 0 ? 1 : -1, sk = dz > 0 ? 1 : -1;
    const wi = Math.abs(ri), wj = Math.abs(rj), wk = Math.abs(rk); // t from side to side
    let ti = (i + (dx > 0) - ox) * ri, tj = (j + (dy > 0) - oy) * rj, tk = (k + (dz > 0) - oz) * rk;
    for (let t = begin; t < end;) {
      const at = (i * side + j) * side + k, next = Math.min(ti, tj, tk);
      if (cells[at] && this.inside(at, i, j, k, t, next, dx, dy, dz)) return true;
      t = next;
      if (ti <= next) { i += si; ti += wi; if (i < li || i >= hi) return false; }
      else if (tj <= next) { j += sj; tj += wj; if (j < lj || j >= hj) return false; }
      else { k += sk; tk += wk; if (k < lk || k >= hk) return false; }
    }
    return false;
  }

  value(at, u, v, w) {
    const { values, side } = this.found, a = at + side, b = at + side * side, c = b + side, u1 = 1 - u, v1 = 1 - v, w1 = 1 - w;
    return u1 * (v1 * (w1 * values[at] + w * values[at + 1]) + v * (w1 * values[a] + w * values[a + 1]))
      + u * (v1 * (w1 * values[b] + w * values[b + 1]) + v * (w1 * values[c] + w * values[c + 1]));
  }

  // Whether the ray goes inside between two places of one cell.
  inside(at, i, j, k, from, to, dx, dy, dz) {
    const [x, y, z] = [this.origin[0] - i, this.origin[1] - j, this.origin[2] - k];
    let low = from, before = this.value(at, x + low * dx, y + low * dy, z + low * dz);
    for (let part = 1; part <= PARTS; part++) {
      let high = from + ((to - from) * part) / PARTS, after = this.value(at, x + high * dx, y + high * dy, z + high * dz);
      if (before <= 0 && after <= 0) {
        [low, before] = [high, after];
        continue;
      }
      for (let time = 0; before <= 0 && time < 3; time++) { // regula falsi
        const middle = low + ((high - low) * before) / (before - after), value = this.value(at, x + middle * dx, y + middle * dy, z + middle * dz);
        if (value > 0) [high, after] = [middle, value];
        else [low, before] = [middle, value];
      }
      this.t = before > 0 ? low : low + ((high - low) * before) / (before - after);
      this.lies(at, x + this.t * dx, y + this.t * dy, z + this.t * dz, dx, dy, dz);
      return true;
    }
    return false;
  }

  // Smooth where the surface bends, by the normals of the corners; an edge stays an edge.
  lies(at, u, v, w, dx, dy, dz) {
    const { values, side, normals, reach } = this.found, { corners, normal } = this, [ox, oy, oz] = outward(values, side, at, u, v, w);
    normal.fill(0);
    for (let c = 0; c < 8; c++) {
      const from = 3 * (at + corners[c]), x = normals[from], y = normals[from + 1], z = normals[from + 2];
      const length = Math.sqrt(x * x + y * y + z * z) || 1, bent = x * ox + y * oy + z * oz > CREASE * length;
      const share = (c & 4 ? u : 1 - u) * (c & 2 ? v : 1 - v) * (c & 1 ? w : 1 - w);
      normal[0] += share * (bent ? x / length : ox);
      normal[1] += share * (bent ? y / length : oy);
      normal[2] += share * (bent ? z / length : oz);
    }
    const length = Math.hypot(...normal) || 1, away = normal[0] * dx + normal[1] * dy + normal[2] * dz > 0.3 * length * reach;
    for (let axis = 0; axis < 3; axis++) normal[axis] /= away ? -length : length;
  }
}
