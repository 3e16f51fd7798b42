"""Adapters over a base as the paper's authors describe them (`wsr.pytorch`).

No file of theirs has been compared with this: names and shapes follow the paper's description and PEFT's names. A
folder holds `base.pt` (or .pth, .safetensors): `fourier.weight` (c, d) and `.bias` (c,) for sin(ω0 (W p + b)),
`layers.<l>.weight` (c, c) and `.bias` with the mean style folded in, or a tensor `mean_style` (l, c) beside them, and
`output.weight` (v, c) and `.bias`; the mapping network is not needed. Each other file is an instance, with
`layers.<l>.A` (r, c) and `layers.<l>.B` (c, r), or, as PEFT calls them, `base_model.model.layers.<l>.lora_A.weight` and
`lora_B.weight`, whose B A counts as often as the `adapter_config.json` beside them says (`lora_alpha` / `r`). Entries
that a mask froze are part of A here: the positions of their mask are theirs.
"""

import re
from copy import copy
from dataclasses import replace
from pathlib import Path

import torch

from wsr.data import IMPORTED
from wsr.errors import WsrError, counted
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.formats.files import refuse_stand_in, shown, there
from wsr.formats.schema import read_json
from wsr.imports.base import Item, Mismatch, Options, PerInstance, Shapes, listed, require_finite
from wsr.imports.reading import WHAT, Arrays, read_files
from wsr.modalities import Modality, everything
from wsr.presets import FieldConfig, preset

BASE = "base"  # the name of its file, whatever the ending, and of ours in the zoo's folder
PEFT_FILE, PEFT_SETTINGS = "adapter_model", "adapter_config.json"
PEFT_ALPHA = 8  # what PEFT takes where its settings state none
_HALF = re.compile(r"(?:base_model\.model\.)?layers\.(\d+)\.(?:lora_)?([AB])(?:\.weight)?")


class WsrPytorch(PerInstance):
    """A pair of low rank for each layer of a base."""

    pattern = _HALF.pattern
    endings = (".pt", ".pth", ".safetensors")

    def items(self, source, files):
        bases = [path for path in files if path.stem == BASE]
        if len(bases) != 1:
            refuse_stand_in(files[0], WHAT)
            raise WsrError(
                f"The adapters of {shown(source)} need the base that they adapt beside them, as {BASE}.pt, .pth or "
                f".safetensors, and there are {len(bases)} of these."
            )
        self.base = bases[0]
        return [_item(path, source) for path in files if path != self.base]

    def batches(self, source, options):
        for batch in super().batches(source, options):
            times = torch.tensor([_scaling(item.path) for item in batch.items])
            batch.tensors = {
                name: one * times.view(-1, *(1,) * (one.ndim - 1)) if _is_b(name) else one
                for name, one in batch.tensors.items()
            }
            yield batch

    def config(self, shapes, options):
        _halves(shapes)
        raise Mismatch("its base is needed")  # of a single file nobody knows what it adapts

    def recognises(self, shapes, options):
        return all(_HALF.fullmatch(name) for name in shapes)

    def model(self, batch, options, folder, out):
        layers = _halves(batch.shapes)
        answer = read_files([self.base])[0]
        if isinstance(answer, WsrError):
            raise answer
        numbers = {name: torch.from_numpy(one) for name, one in answer.items() if one.dtype.kind in "fi"}
        require_finite(numbers, f"The base {shown(self.base)}")
        field, info = _base_field(answer, options), BaseInfo(f"{IMPORTED}:{self.name}", "paper")
        rank, channels = batch.shapes[layers[0][0]]
        if len(layers) != field.config.layers or channels != field.config.channels:
            raise Mismatch(
                f"it adapts {counted(len(layers), 'layer')} of width {channels}, and the base has "
                f"{field.config.layers} of {field.config.channels}"
            )
        save_base(folder / f"{BASE}.safetensors", field, info)
        base = copy(load_base(folder / f"{BASE}.safetensors"))
        base.info = replace(base.info, path=str(out / f"{BASE}.safetensors"))
        return make_representation("lora" if options.additive else "mlora", base, base.config, rank)

    def vectors(self, model, batch):
        found = {}
        for i, (a, b) in enumerate(_halves(batch.shapes)):
            found |= {f"layers.{i}.A": batch.tensors[a], f"layers.{i}.B": batch.tensors[b]}
        return model.layout.flatten(found)


def _item(path: Path, source: Path) -> Item:
    """PEFT keeps each adapter under the same name, in a folder that has the adapter's."""
    if path.stem == PEFT_FILE and path.parent != source:
        return Item(path.parent.name, path, _class(path.parent, source))
    return Item(path.stem, path, _class(path, source))


def _is_b(name: str) -> bool:
    found = _HALF.fullmatch(name)
    return found is not None and found[2] == "B"


def _scaling(path: Path) -> float:
    """Returns how often B A counts, as PEFT's settings beside an adapter say; 1 without them. WsrError for settings of
    single layers, and for others that make no sense."""
    beside = path.with_name(PEFT_SETTINGS)
    if path.stem != PEFT_FILE or not there(beside):
        return 1.0
    stated = read_json(beside, "the settings of an adapter")
    stated = stated if isinstance(stated, dict) else {}
    rank, alpha = stated.get("r"), stated.get("lora_alpha", PEFT_ALPHA)
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) and 0 < one < 1e6 for one in (rank, alpha))
    if not numbers or stated.get("rank_pattern") or stated.get("alpha_pattern"):
        raise WsrError(
            f"{shown(beside)} states r = {rank!r} and lora_alpha = {alpha!r}, or others for single layers: two "
            "positive numbers are read, that hold for all layers."
        )
    return alpha / (rank**0.5 if stated.get("use_rslora") else rank)


def _class(path: Path, source: Path) -> str:
    return path.parent.name if path.parent != source and path.parent.name != "adapters" else ""


def _halves(shapes: Shapes) -> list[tuple[str, str]]:
    """Returns the names of A and B of each layer. Mismatch if they are not pairs of one rank."""
    found: dict[int, dict[str, str]] = {}
    for name in shapes:
        matched = _HALF.fullmatch(name)
        if matched is None:
            raise Mismatch(f"its tensor {name[:80]!r} is no half of an adapter")
        found.setdefault(int(matched[1]), {})[matched[2]] = name
    pairs = [found[layer] for layer in sorted(found)]
    if any(set(pair) != {"A", "B"} for pair in pairs):
        raise Mismatch("a layer of it lacks its A or its B")
    named = [(pair["A"], pair["B"]) for pair in pairs]
    if any(shapes[a] != shapes[b][::-1] or shapes[a] != shapes[named[0][0]] for a, b in named):
        raise Mismatch("its A (r, c) and B (c, r) are not of one rank and width")
    return named


def _base_field(arrays: Arrays, options: Options) -> BaseField:
    """Builds the base. Mismatch if a tensor is missing or has another shape."""
    shapes = {name: one.shape for name, one in arrays.items()}
    first, last = arrays.get("fourier.weight"), arrays.get("output.weight")
    layers = sum(re.fullmatch(r"layers\.\d+\.weight", name) is not None for name in arrays)
    if first is None or last is None or not layers or layers % 2:
        raise Mismatch(f"its base lacks a Fourier layer, an even number of layers, or an output: {listed(shapes)}")
    (channels, dim), modality = first.shape, _modality(first.shape[1], last.shape[0])
    omega = options.omega or preset("paper", modality).field.omega
    config = FieldConfig(dim, channels, layers // 2, omega, 1, 1, 1, 1, 1, modality=modality.name)
    field = BaseField(config)
    weights, biases = (
        torch.stack([_needed(arrays, f"layers.{i}.{part}") for i in range(layers)]) for part in ("weight", "bias")
    )
    state = field.state_dict() | {
        "fourier_weight": torch.from_numpy(first), "fourier_phase": _needed(arrays, "fourier.bias"),
        "weight": weights, "bias": biases, "out_weight": torch.from_numpy(last),
        "out_bias": _needed(arrays, "output.bias"),
    }  # fmt: skip
    if "mean_style" in arrays:
        state["mean_style"] = _needed(arrays, "mean_style")
    try:
        field.load_state_dict(state)
    except RuntimeError as error:
        raise Mismatch(f"its base is none of this format ({' '.join(str(error).split())[:150]})") from None
    return field


def _needed(arrays: Arrays, name: str) -> torch.Tensor:
    if name not in arrays:
        raise Mismatch(f"its base lacks {name!r}")
    return torch.from_numpy(arrays[name])


def _modality(dim: int, outputs: int) -> Modality:
    for modality in everything():
        if (modality.dim, modality.channels) == (dim, outputs):
            return modality
    raise Mismatch(f"its base maps {dim} coordinates to {outputs} values, and nothing here has such values")
