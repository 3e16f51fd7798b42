// Reads safetensors files: 8 bytes with the length of a JSON header, the header, then the numbers.

const READ = ["F16", "F32", "I32"];

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function numbers(dtype, bytes) {
  if (dtype === "F32") return new Float32Array(bytes);
  if (dtype === "I32") return new Int32Array(bytes);
  return Float32Array.from(new Uint16Array(bytes), half);
}

// Returns {tensors: {name: {shape, data}}, metadata}. Half precision becomes a Float32Array.
export function parse(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: metadata = {}, ...described } = header, tensors = {};
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(described)) {
    if (!READ.includes(dtype)) throw new Error(`The tensor ${name} is of ${dtype}, which is not read here.`);
    tensors[name] = { shape, data: numbers(dtype, buffer.slice(8 + length + start, 8 + length + end)) };
  }
  return { tensors, metadata };
}

const files = new Map();

// The file at an address, read once. One that could not be read is asked for again the next time.
export function fetched(address) {
  const known = files.get(address);
  if (known) { // it is the newest again
    files.delete(address);
    files.set(address, known);
  } else {
    const coming = fetch(address).then(async (answer) => {
      if (!answer.ok) throw new Error(`${address} answers ${answer.status}.`);
      return parse(await answer.arrayBuffer());
    });
    coming.catch(() => files.delete(address));
    files.set(address, coming);
    while (files.size > 40) files.delete(files.keys().next().value); // the longest unused; browsers keep the bytes as well
  }
  return files.get(address);
}
