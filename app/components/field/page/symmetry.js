// Changes of a network's weights, in place: `tensors` are views of its full vector (network.js), frozen entries included.

// Applies an element of a symmetry group as wsr/symmetry/actions.py does: its parts left, noise and right, or order, sign
// and noise, as typed arrays.
export function act(plan, tensors, element, strength) {
  if (element.left) plan.layers.forEach((layer, k) => changeBasis(tensors[layer.a], tensors[layer.b], element, k, strength));
  else moveNeurons(plan, tensors, element, strength);
}

// (A, B) → (G A, B G⁻¹) with G = left · diag(e) · right, whose inverse is rightᵀ · diag(1/e) · leftᵀ.
function changeBasis(a, b, { left, noise, right }, layer, strength) {
  const [rank, width] = a.shape, rows = b.shape[0], at = layer * rank * rank;
  const scale = Array.from({ length: rank }, (_, i) => Math.exp(strength * noise[layer * rank + i]));
  const g = new Float64Array(rank * rank), inverse = new Float64Array(rank * rank);
  for (let i = 0; i < rank; i++) {
    for (let j = 0; j < rank; j++) {
      for (let k = 0; k < rank; k++) {
        g[i * rank + j] += left[at + i * rank + k] * scale[k] * right[at + k * rank + j];
        inverse[i * rank + j] += (right[at + k * rank + i] / scale[k]) * left[at + j * rank + k];
      }
    }
  }
  const old = new Float64Array(rank);
  for (let column = 0; column < width; column++) {
    for (let i = 0; i < rank; i++) old[i] = a.data[i * width + column];
    for (let i = 0; i < rank; i++) {
      let sum = 0;
      for (let j = 0; j < rank; j++) sum += g[i * rank + j] * old[j];
      a.data[i * width + column] = sum;
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < rank; j++) old[j] = b.data[row * rank + j];
    for (let j = 0; j < rank; j++) {
      let sum = 0;
      for (let i = 0; i < rank; i++) sum += old[i] * inverse[i * rank + j];
      b.data[row * rank + j] = sum;
    }
  }
}

// Neuron i of each layer becomes neuron order[i], multiplied by its factor; the columns that read it follow.
function moveNeurons(plan, tensors, { order, sign, noise }, strength) {
  const layers = [{ weight: plan.fourier, bias: plan.phase }, ...plan.layers, { weight: plan.output }];
  const count = order.length / (layers.length - 1);
  layers.slice(0, -1).forEach(({ weight, bias }, k) => {
    const from = order.subarray(k * count, (k + 1) * count);
    const factor = Array.from(from, (_, i) => sign[k * count + i] * Math.exp(strength * noise[k * count + i]));
    const [own, shift, after] = [tensors[weight], tensors[bias], tensors[layers[k + 1].weight]];
    const width = own.shape[1], columns = after.shape[1], rows = own.data.slice(), shifts = shift.data.slice();
    from.forEach((source, i) => {
      for (let j = 0; j < width; j++) own.data[i * width + j] = rows[source * width + j] * factor[i];
      shift.data[i] = shifts[source] * factor[i];
    });
    for (let row = 0; row < after.shape[0]; row++) {
      const old = after.data.slice(row * columns, (row + 1) * columns);
      from.forEach((source, i) => { after.data[row * columns + i] = old[source] / factor[i]; });
    }
  });
}

// Switches off the rank components that are not among the chosen ones, in every layer.
export function keep(plan, tensors, chosen) {
  for (const { b } of plan.layers) {
    const { data, shape } = tensors[b], rank = shape[1];
    for (let i = 0; i < data.length; i++) if (!chosen.includes(i % rank)) data[i] = 0;
  }
}

// What has changed between two full vectors: the distance, the norm before, and how many entries, and how many
// frozen ones, have moved.
export function compared({ frozen, values }, before, after) {
  let distance = 0, size = 0, broken = 0, changed = 0;
  for (let i = 0; i < before.length; i++) {
    if (after[i] !== before[i]) changed++;
    distance += (after[i] - before[i]) ** 2;
    size += before[i] ** 2;
  }
  for (let i = 0; i < frozen.length; i++) if (after[frozen[i]] !== values[i]) broken++;
  return { distance: Math.sqrt(distance), size: Math.sqrt(size), broken, changed };
}
