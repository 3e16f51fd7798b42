// Evaluates stages with WebGL 2: activations are float textures with a column for each point and a row for each four
// channels, and every stage is one drawing.

const VERTEX = `#version 300 es
void main() { // one triangle that covers everything
  gl_Position = vec4(vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0), 0.0, 1.0);
}`;

// Column 0 of the weights holds the bias, column 1 + i what input i is multiplied by, for four outputs at once. The sine
// of large numbers is inaccurate on many GPUs, so whole periods are taken off first.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D weights, inputs, before;
uniform int first, groups, activation;
uniform float skip;
out vec4 result;
void main() {
  int point = int(gl_FragCoord.x), row = int(gl_FragCoord.y);
  vec4 sum = texelFetch(weights, ivec2(0, first + row), 0);
  for (int group = 0; group < groups; group++) {
    vec4 x = texelFetch(inputs, ivec2(point, group), 0);
    int column = 1 + 4 * group;
    sum += texelFetch(weights, ivec2(column, first + row), 0) * x.x
         + texelFetch(weights, ivec2(column + 1, first + row), 0) * x.y
         + texelFetch(weights, ivec2(column + 2, first + row), 0) * x.z
         + texelFetch(weights, ivec2(column + 3, first + row), 0) * x.w;
  }
  if (activation == 1) sum = sin(sum - 6.283185307179586 * round(sum * 0.15915494309189535));
  if (activation == 2) sum = max(sum, 0.0);
  if (skip != 0.0) sum += skip * texelFetch(before, ivec2(point, row), 0);
  result = sum;
}`;
const ACTIVATIONS = { none: 0, sin: 1, relu: 2 };
const MOST = 4096; // points at once
const NAMES = ["weights", "inputs", "before", "first", "groups", "activation", "skip"];

const fours = (count) => Math.ceil(count / 4);

// All stages' weights one below the other: {data, width, height, first: the row at which each stage begins}.
export function packed(stages) {
  const width = 1 + 4 * Math.max(...stages.map(({ inputs }) => fours(inputs)));
  const first = [];
  let height = 0;
  for (const { outputs } of stages) {
    first.push(height);
    height += fours(outputs);
  }
  const data = new Float32Array(4 * width * height);
  stages.forEach(({ inputs, outputs, matrix, bias }, k) => {
    for (let o = 0; o < outputs; o++) {
      const at = 4 * width * (first[k] + (o >> 2)) + (o & 3);
      data[at] = bias[o];
      for (let i = 0; i < inputs; i++) data[at + 4 * (1 + i)] = matrix[o * inputs + i];
    }
  });
  return { data, width, height, first };
}

export class WebGL {
  name = "WebGL";

  // null where the browser has no WebGL 2 that draws into float textures.
  static create() {
    const canvas = typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1);
    const gl = canvas?.getContext("webgl2", { antialias: false, depth: false, powerPreference: "high-performance" });
    if (!gl?.getExtension("EXT_color_buffer_float")) return null;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return gl.getProgramParameter(program, gl.LINK_STATUS) ? new WebGL(gl, program) : null;
  }

  constructor(gl, program) {
    Object.assign(this, { gl, program, height: 0, at: {} });
    for (const name of NAMES) this.at[name] = gl.getUniformLocation(program, name);
    this.tile = Math.min(MOST, gl.getParameter(gl.MAX_TEXTURE_SIZE));
    this.frame = gl.createFramebuffer();
    [this.weights, this.points] = [this.texture(), this.texture()];
    gl.useProgram(program);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
  }

  texture() {
    const gl = this.gl, made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    return made;
  }

  fill(texture, width, height, data) {
    const gl = this.gl;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, data);
  }

  // Textures for the results of the last three stages, grown when a wider network comes.
  room(height) {
    if (height <= this.height) return;
    (this.results ?? []).forEach((old) => this.gl.deleteTexture(old));
    this.results = [0, 1, 2].map(() => this.texture());
    for (const texture of this.results) this.fill(texture, this.tile, height, null);
    this.height = height;
  }

  bind(name, unit, texture) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.uniform1i(this.at[name], unit);
  }

  stage({ inputs, outputs, activation, skip }, k, first, count) {
    const gl = this.gl, result = this.results[k % 3];
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, result, 0);
    this.bind("weights", 0, this.weights);
    this.bind("inputs", 1, k ? this.results[(k - 1) % 3] : this.points);
    this.bind("before", 2, skip ? this.results[(k + 1) % 3] : this.weights); // never the texture that is drawn into
    gl.uniform1i(this.at.first, first);
    gl.uniform1i(this.at.groups, fours(inputs));
    gl.uniform1i(this.at.activation, ACTIVATIONS[activation]);
    gl.uniform1f(this.at.skip, skip);
    gl.viewport(0, 0, count, fours(outputs));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // Values (count × outputs) at points (count × inputs).
  async evaluate(stages, points, count) {
    const gl = this.gl, { data, width, height, first } = packed(stages);
    const dim = stages[0].inputs, last = stages.at(-1).outputs, values = new Float32Array(count * last);
    this.room(Math.max(...stages.map(({ outputs }) => fours(outputs))));
    gl.activeTexture(gl.TEXTURE0);
    this.fill(this.weights, width, height, data);
    const places = new Float32Array(4 * this.tile), read = new Float32Array(4 * this.tile);
    for (let start = 0; start < count; start += this.tile) {
      const size = Math.min(this.tile, count - start);
      for (let p = 0; p < size; p++) {
        for (let axis = 0; axis < dim; axis++) places[4 * p + axis] = points[(start + p) * dim + axis];
      }
      this.fill(this.points, this.tile, 1, places);
      stages.forEach((stage, k) => this.stage(stage, k, first[k], size));
      gl.readPixels(0, 0, size, 1, gl.RGBA, gl.FLOAT, read);
      for (let p = 0; p < size; p++) {
        for (let channel = 0; channel < last; channel++) values[(start + p) * last + channel] = read[4 * p + channel];
      }
    }
    if (gl.isContextLost() || gl.getError()) throw new Error("WebGL has failed.");
    return values;
  }
}
