"""Our ways of decoding networks in the page beside onnxruntime-web, on the same network at the same resolution.

onnxruntime-web comes from npm into a temporary folder. Its network takes the matrices as inputs, because they change
with every step of a slider, as ours do; its weights are uploaded with each run.
"""

import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.components.field import files
from precompute.browser import FLAGS, browser_page
from precompute.field_arithmetic import DECODE, MEANS
from precompute.field_page import instances, serving_fields
from precompute.onnx_file import Node, onnx_file
from wsr.errors import WsrError
from wsr.fields.coordinates import pixel_grid
from wsr.fields.synthesis import EPS, GAIN, HALF

PACKAGE, NAME, TIMES = "onnxruntime-web@1.30.0", "mlora-asym", 3
SIZES = (64, 128)
SCRIPTS = {"wasm": "ort.wasm.min.mjs", "webgpu": "ort.webgpu.min.mjs"}
WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
PATIENCE = 60  # seconds that onnxruntime may take for its pictures of one size
RUN = """async ({ script, provider, threads, size, times, patience }) => {
  const late = new Promise((_, refuse) => {
    setTimeout(() => refuse(new Error(`no answer in ${patience} s`)), 1000 * patience);
  });
  const run = async () => {
    const ort = await import(new URL(`more/dist/${script}`, document.baseURI).href);
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = new URL("more/dist/", document.baseURI).href;
    const { weights, points } = await (await fetch("more/inputs.json")).json();
    const session = await ort.InferenceSession.create("more/network.onnx", { executionProviders: [provider] });
    const feeds = { points: new ort.Tensor("float32", Float32Array.from(points[size]), [size * size, 2]) };
    const seconds = [];
    let values;
    for (let time = 0; time <= times; time++) {
      const begun = performance.now();
      for (const [name, { shape, data }] of Object.entries(weights)) {
        feeds[name] = new ort.Tensor("float32", Float32Array.from(data), shape);
      }
      values = (await session.run(feeds)).values.data;
      if (time) seconds.push((performance.now() - begun) / 1000);
    }
    return { seconds: seconds.sort((a, b) => a - b)[times >> 1], first: [...values.slice(0, 96)] };
  };
  return Promise.race([run(), late]);
}"""


def _nodes(layers: int) -> list[Node]:
    """An adapter's field: sine of a linear layer, then relu layers, of which every second one adds the input of the
    layer before it."""
    nodes: list[Node] = []

    def linear(x: str, layer: int) -> str:
        nodes.append(("MatMul", (x, f"w{2 * layer}"), f"m{layer}"))
        nodes.append(("Add", (f"m{layer}", f"w{2 * layer + 1}"), f"a{layer}"))
        return f"a{layer}"

    nodes.append(("Sin", (linear("points", 0),), "h0"))
    before, h = "h0", "h0"
    for k in range(layers):
        nodes.append(("Relu", (linear(h, k + 1),), f"y{k}"))
        new = f"y{k}"
        if k % 2:
            nodes.append(("Add", (new, before), f"s{k}"))
            nodes.append(("Mul", (f"s{k}", "half"), new := f"r{k}"))
        before, h = h, new
    last = 2 * (layers + 1)
    return [*nodes, ("MatMul", (h, f"w{last}"), "m"), ("Add", ("m", f"w{last + 1}"), "values")]


def _weights(model, vector: Tensor) -> dict[str, Tensor]:
    """Matrices (inputs × outputs) and biases of all layers, by name."""
    base, (a, b) = model.base, model.pairs(model.layout.fill(vector[None]))
    omega, found = base.config.omega, []
    found += [omega * base.fourier_weight.T, omega * base.fourier_phase]
    for weight, bias, one, other in zip(model.folded, base.bias, a[:, 0], b[:, 0], strict=True):
        matrix = weight * (other @ one)
        matrix = GAIN * matrix / (matrix.square().sum(1, keepdim=True) + EPS).sqrt()
        found += [matrix.T, bias]
    found += [base.out_weight.T, base.out_bias]
    named = {f"w{i}": one.detach().float().contiguous() for i, one in enumerate(found)}
    return named | {"half": torch.tensor([HALF])}


def _export(folder: Path) -> np.ndarray:
    """Writes the network and its inputs for the browser. Returns the values of the field at the first pixels."""
    model, vector = instances()[NAME]
    weights, grids = _weights(model, vector), {size: pixel_grid(size, size) for size in SIZES}
    shapes = {"points": ["n", 2]} | {name: list(one.shape) for name, one in weights.items()}
    file = onnx_file(_nodes(model.layers), shapes, {"values": ["n", 3]})
    (folder / "network.onnx").write_bytes(file)
    inputs = {
        "weights": {name: {"shape": list(one.shape), "data": one.flatten().tolist()} for name, one in weights.items()},
        "points": {size: grid.flatten().tolist() for size, grid in grids.items()},
    }
    (folder / "inputs.json").write_text(json.dumps(inputs))
    with torch.no_grad():
        return model.evaluate(vector[None], grids[SIZES[0]][None])[0, :32].numpy().ravel()


def _fetch(folder: Path) -> None:
    try:
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        raise WsrError(f"npm could not fetch {PACKAGE}, which this comparison needs: {error}.") from None
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    (folder / "package" / "dist").rename(folder / "dist")


def measured() -> dict:
    """Median seconds of a picture, by way and by pixels along an edge; and the bytes that each way needs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fetch(folder)
        right = _export(folder)
        model, vector = instances()[NAME]
        field = files.field_of(model, {"a": vector})
        own = sum(file.stat().st_size for kind in ("js", "wasm") for file in files._PAGE.glob(f"*.{kind}"))
        rows = []
        with serving_fields(folder) as address:
            with browser_page() as page:
                page.goto(address)
                for means in MEANS:
                    asked = {"field": field, "means": means, "times": TIMES}
                    seconds = {size: page.evaluate(DECODE, {**asked, "size": size})["seconds"] for size in SIZES}
                    rows.append(_row(f"ours, {means}", seconds, own))
                for threads in (1, 2):
                    rows.append(_theirs(page, "wasm", threads, folder, right))
            with browser_page([*FLAGS, *WEBGPU]) as page:
                page.goto(address)
                rows.append(_theirs(page, "webgpu", 1, folder, right))
        return {"representation": NAME, "package": PACKAGE, "sizes": list(SIZES), "rows": rows}


def _theirs(page, provider: str, threads: int, folder: Path, right: np.ndarray) -> dict:
    way = f"onnxruntime-web, {provider}" + (f" ({threads} threads)" if threads > 1 else "")
    script, seconds = SCRIPTS[provider], {}
    binary = "ort-wasm-simd-threaded.wasm" if provider == "wasm" else "ort-wasm-simd-threaded.asyncify.wasm"
    size_of = sum((folder / "dist" / name).stat().st_size for name in (script, binary))
    try:
        page.reload()  # the number of threads is that of the first run
        for size in SIZES:
            asked = {"script": script, "provider": provider, "threads": threads, "size": size}
            found = page.evaluate(RUN, {**asked, "times": TIMES, "patience": PATIENCE})
            seconds[size] = found["seconds"]
            if size == SIZES[0] and np.abs(np.array(found["first"]) - right).max() > 2 / 255:
                raise WsrError(f"{way} computes other values than PyTorch.")
    except Exception as error:
        if isinstance(error, WsrError):
            raise
        return {"way": way, "bytes": size_of, "error": str(error).splitlines()[0].rpartition("Error: ")[2][:200]}
    return _row(way, seconds, size_of)


def _row(way: str, seconds: dict[int, float], size: int) -> dict:
    return {"way": way, "bytes": size, **{f"{pixels}² s": round(time, 4) for pixels, time in seconds.items()}}
