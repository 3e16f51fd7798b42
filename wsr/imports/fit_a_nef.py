"""Neural fields of fit-a-nef (Neural Field Arena): many instances in each file, as rows of one matrix.

Facts: `nefs_<first>-<last>.hdf5` (or .npz with the same names) holds `params` (n, p), `param_config`, a JSON list of
[name, shape] in the order of a row, and `labels`. Kernels are (inputs, outputs). SIREN: `kernel_net_<i>.linear` and
`output_linear`, sin(ω0 (W x + b)); MLP: `Dense_<i>` with ReLUs; RFFNet: sin and cos of std · 2π · W x with
`encoding.coefficients`, then `layers_<i>.linear` with ReLUs and `linear_final`. `nef.json` beside the files states ω0
or std, and `cfg.json` the data set, by whose mean and standard deviation the pictures were normalised. The first input
is x, from -1 at the centre of the first pixel to 1 at that of the last; shapes have a logit of occupancy at points as
they are.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsr.errors import WsrError, counted
from wsr.fields.networks import RELU, SINE, Network, NetworkConfig, bias_name, weight_name
from wsr.formats.files import shown, there
from wsr.formats.schema import parse_json, read_json
from wsr.imports.base import MOST_OMEGA, Batch, Item, Layout, Mismatch, files_of, require_chain
from wsr.imports.pictures import COLUMNS_FIRST, edge_to_edge, to_values, usual_resolution
from wsr.imports.reading import Arrays, read_files
from wsr.modalities import IMAGE, OCCUPANCY

OMEGA, STD = 8.0, 3.5  # where nef.json is missing
# Mean and standard deviation of data sets, by the names in cfg.json.
NORMALISED = {
    "MNIST": ((0.13066047,), (0.30810782,)),
    "CIFAR10": ((0.49186882, 0.48265392, 0.44717726), (0.24697122, 0.24338895, 0.2615926)),
}
_USUAL = {1: "MNIST", 3: "CIFAR10"}  # by the number of outputs, where cfg.json is missing
_FILE = re.compile(r"nefs_(\d{1,9})-")
_LAYER = re.compile(r"(?:kernel_net_|Dense_|layers_)(\d+)(?:\.linear)?\.(?:kernel|bias)")
_LAST = re.compile(r"(?:output_linear|linear_final)\.(?:kernel|bias)")
_RANDOM = "encoding.coefficients.kernel"  # of random Fourier features
_EVERY = 4096  # rows of a batch


class FitANef(Layout):
    """Rows of parameters, which `param_config` splits into tensors."""

    pattern = r"(?:kernel_net_|Dense_|layers_|output_linear|linear_final|encoding\.coefficients).*"
    endings = (".hdf5", ".h5", ".npz")
    beside: Path | None = None  # the folder of the settings, once a source is read

    def batches(self, source, options):
        self.beside = source.parent if there(source) else source
        files, first, number = files_of(source, self.endings), None, 0
        for path in files:
            arrays = read_files([path])[0]
            if isinstance(arrays, WsrError):
                if not options.skip:
                    raise arrays
                yield Batch([], {}, [str(arrays)])
                continue
            config, rows = _entries(arrays, path), arrays["params"]
            first = first or (path, config)
            if config != first[1]:
                raise WsrError(f"{shown(path)} is of another architecture than {shown(first[0])}: import them apart.")
            labels, named = _labels(arrays, len(rows), path), _FILE.match(path.stem)
            begins = int(named[1]) if named else number  # also of a file alone, or behind one that is left out
            for start in range(0, len(rows), _EVERY):
                part = torch.from_numpy(rows[start : start + _EVERY])
                at = range(start, start + len(part))
                items = [Item(f"nef-{begins + i:06d}", path, labels[i]) for i in at]
                yield Batch(items, _tensors(part, config), total=max(number + len(rows), len(rows) * len(files)))
            number += len(rows)

    def config(self, shapes, options):
        names = self.layers(shapes)
        random = shapes[_RANDOM] if _RANDOM in shapes else None
        weights = [shapes[weight][::-1] for weight, _ in names]
        if random is not None:
            weights = [(2 * random[1], random[0]), *weights]
        require_chain(weights, [weight[:1] for weight in weights])
        dim, raw = weights[0][1], weights[-1][0]
        if random is None:
            sines = [any(name.startswith("kernel_net_") for name in shapes)] * (len(weights) - 1)
            omega = options.omega or (self._positive("omega_0", OMEGA) if any(sines) else OMEGA)
        else:
            sines = [True, *[False] * (len(weights) - 2)]
            omega = 2 * math.pi * (options.omega or self._positive("std", STD))
        activations = tuple(SINE if sine else RELU for sine in sines)
        hidden = {
            "widths": tuple(weight[0] for weight in weights[:-1]), "activations": activations, "raw": raw,
            "omegas": tuple(omega if sine else 1.0 for sine in sines),
        }  # fmt: skip
        if dim == OCCUPANCY.dim and raw == OCCUPANCY.channels:
            shape = Network(**hidden, axes=tuple(range(dim)), scale=(1.0,), shift=(0.0,))
            return NetworkConfig.of(OCCUPANCY, shape)
        if dim != IMAGE.dim or raw not in _USUAL:
            raise Mismatch(f"it maps {dim} coordinates to {raw} values, which is neither a picture nor a shape")
        return NetworkConfig.of(IMAGE, self._picture(hidden, raw, options))

    def _picture(self, hidden, raw, options) -> Network:
        dataset = self._stated("cfg.json", "dataset").get("name", _USUAL[raw])
        if not isinstance(dataset, str) or dataset not in NORMALISED:
            known = " and ".join(NORMALISED)
            raise Mismatch(
                f"its pictures are those of {dataset!r}, as cfg.json says, and mean and standard deviation are known "
                f"only of {known}"
            )
        mean, std = NORMALISED[dataset]
        if len(mean) != raw:
            raise Mismatch(
                f"it has {counted(raw, 'output')}, and the pictures of {dataset} have {counted(len(mean), 'value')}"
            )
        scale, shift = to_values(std, mean)
        size = options.resolution or usual_resolution(raw)
        return Network(**hidden, axes=COLUMNS_FIRST, axis_scale=edge_to_edge(size), scale=scale, shift=shift)

    def _stated(self, name: str, part: str = "params") -> dict[str, Any]:
        """Returns a part of a JSON file beside the weights; {} where it is missing."""
        path = None if self.beside is None else self.beside / name
        content = read_json(path, "the settings of a fit") if path and there(path) else {}
        found = (content.get(part) if isinstance(content, dict) else content) or {}
        if not isinstance(found, dict):
            raise WsrError(f"{shown(path)} should hold an object {part!r}, and it is {json.dumps(found)[:60]}.")
        return found

    def _positive(self, name: str, usual: float) -> float:
        """Returns a number that nef.json states."""
        found = self._stated("nef.json").get(name, usual)
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < MOST_OMEGA:
            path = shown(self.beside / "nef.json")
            raise WsrError(f"{path} states {name} = {found!r}: it should be a positive number; --omega states another.")
        return float(found)

    def layers(self, shapes):
        numbers, last = {}, {}
        for name in shapes:
            if name == _RANDOM:
                continue
            found = _LAYER.fullmatch(name)
            if found is None and not _LAST.fullmatch(name):
                raise Mismatch(f"its tensor {name[:80]!r} is none of this format")
            into = last if found is None else numbers.setdefault(int(found[1]), {})
            into[name.rpartition(".")[2]] = name
        layers = [numbers[i] for i in sorted(numbers)] + ([last] if last else [])
        if not layers or any(set(layer) != {"kernel", "bias"} for layer in layers):
            raise Mismatch("a layer of it lacks its kernel or its bias")
        return [(layer["kernel"], layer["bias"]) for layer in layers]

    def vectors(self, model, batch):
        found, names = {}, self.layers(batch.shapes)
        layers = [(batch.tensors[kernel].mT, batch.tensors[bias]) for kernel, bias in names]
        if _RANDOM in batch.tensors:
            # cos(ω w x) = sin(ω (w x + π/2ω)): the two halves of the features are one layer of sines
            half = batch.tensors[_RANDOM].mT  # (n, c/2, d)
            quarter = torch.full(half.shape[:2], math.pi / 2 / model.network.omegas[0])
            layers = [(torch.cat([half, half], 1), torch.cat([torch.zeros_like(quarter), quarter], 1)), *layers]
        for layer, (weight, bias) in enumerate(layers):
            found |= {weight_name(layer): weight, bias_name(layer): bias}
        return model.layout.flatten(found)


def _entries(arrays: Arrays, path: Path) -> list[tuple[str, tuple[int, ...]]]:
    """Returns names and shapes of the parts of a row. WsrError if the file does not hold them."""
    rows, stated = arrays.get("params"), arrays.get("param_config")
    if rows is None or stated is None or rows.ndim != 2:
        held = ", ".join(f"{name[:40]} {one.shape}" for name, one in list(arrays.items())[:6])
        raise WsrError(f"{shown(path)} lacks `params` (n, p) or `param_config` of fit-a-nef: it holds {held}.")
    text = str(np.asarray(stated).reshape(-1)[0])
    content = parse_json(text, f"The param_config of {shown(path)} is not JSON")
    try:
        entries = [(str(name), tuple(int(side) for side in shape)) for name, shape in content]
    except (TypeError, ValueError):
        given = json.dumps(content)[:80]
        raise WsrError(f"The param_config of {shown(path)} is no list of names and shapes: {given}.") from None
    total = sum(math.prod(shape) for _, shape in entries)
    if total != rows.shape[1]:
        raise WsrError(
            f"{shown(path)} has rows of {counted(rows.shape[1], 'number')}, and its param_config names {total:,}: it "
            "was not written to its end, or is of another version."
        )
    return entries


def _labels(arrays: Arrays, count: int, path: Path) -> list[str]:
    held = arrays.get("labels")
    if held is not None and held.size == count:
        return [str(one) for one in held.reshape(-1)]
    if held is not None and held.ndim == 1:
        rows = counted(count, "row")
        raise WsrError(f"{shown(path)} has {rows}, and labels of {len(held):,}: it was not written to its end.")
    return [""] * count


def _tensors(rows: torch.Tensor, config: list[tuple[str, tuple[int, ...]]]) -> dict[str, torch.Tensor]:
    parts = rows.float().split([math.prod(shape) for _, shape in config], dim=1)
    return {name: part.unflatten(1, shape) for (name, shape), part in zip(config, parts, strict=True)}
