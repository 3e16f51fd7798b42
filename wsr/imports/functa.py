"""Functa: modulations of a SIREN that all pictures share.

Facts: `modulation` (n, d) and `psnr` (n,) for `train` and `test`; the shared network has linear layers `w` (inputs,
outputs) and `b` in modules `…modulated_siren_layer[_<i>]/linear`, and a linear map `…latent_to_modulation…/linear_0`
from d numbers to a shift for each neuron of each hidden layer; sin(30 (W x + b + shift)); the value is the last layer's
plus 0.5, RGB in [0, 1]; the first input is y, and inputs are the centres of pixels in [0, 1].

Their .npz files are pickles in spite of their name, and refused. Saved by `numpy.savez` with names like
`train.modulation`, or as `params/<module>/<w or b>`, their arrays are read from any number of .npz files of a folder.
"""

import re
from math import nan

import torch

from wsr.errors import WsrError
from wsr.fields.modulated import LATENT, MAP, OFFSET, ModulatedConfig, Shared, save_shared
from wsr.fields.networks import SINE, Network, NetworkConfig, bias_name, weight_name
from wsr.fields.representation import make_representation
from wsr.formats.files import shown
from wsr.imports.base import Batch, Item, Layout, Mismatch, Shapes, files_of, listed, require_chain, require_finite
from wsr.imports.pictures import ROWS_FIRST, to_values
from wsr.imports.reading import Arrays, read_files
from wsr.imports.splits import NAMES
from wsr.modalities import IMAGE

OMEGA, HALF, SIZE = 30.0, 0.5, 64
SHARED = "shared.safetensors"  # in the zoo's folder
_LAYER = re.compile(r"(?:.*[/.])?modulated_siren_layer(?:_(\d+))?[/.]linear[/.]([wb])")
_MAP = re.compile(r"(?:.*[/.])?latent_to_modulation[/.].*linear(?:_(\d+))?[/.]([wb])")
_ROWS = re.compile(r"(?:(\w+)[./])?modulations?")


class Functa(Layout):
    """A vector for each instance, and the network that they share."""

    pattern = r".*modulated_siren_layer(?:_\d+)?[/.]linear[/.][wb]|.*latent_to_modulation.*|(?:\w+[./])?modulations?"
    endings = (".npz",)

    def batches(self, source, options):
        arrays: Arrays = {}
        files = files_of(source, self.endings)
        for path, answer in zip(files, read_files(files), strict=True):
            if isinstance(answer, WsrError):
                raise answer
            if twice := next((name for name in answer if name in arrays and re.fullmatch(self.pattern, name)), None):
                raise WsrError(f"{shown(path)} holds {twice[:60]!r}, and so does a file before it: rename one of them.")
            arrays |= answer
        self.arrays = arrays
        rows = {name: found for name in arrays if (found := _ROWS.fullmatch(name))}
        if not rows:
            raise WsrError(
                f"{shown(source)} lacks the arrays of functa (`modulation`, or `train.modulation` and "
                f"`test.modulation`): it holds {', '.join(list(arrays)[:6])}."
            )
        if len({arrays[name].shape[1:] for name in rows}) > 1 or any(not arrays[name].ndim for name in rows):
            held = listed({name: arrays[name].shape for name in rows})
            raise WsrError(f"{shown(source)} should hold vectors of one length, and it holds {held}.")
        total = sum(len(arrays[name]) for name in rows)
        for name, found in rows.items():
            split = NAMES.get(found[1] or "", "")
            count, psnr = len(arrays[name]), arrays.get(re.sub("modulations?$", "psnr", name))
            quality = psnr.reshape(-1).tolist() if psnr is not None and psnr.size == count else [nan] * count
            items = [
                Item(f"{found[1] or 'functa'}-{i:06d}", files[0], split=split, quality=float(quality[i]))
                for i in range(count)
            ]
            yield Batch(items, {LATENT: torch.from_numpy(arrays[name])}, total=total)

    def config(self, shapes, options) -> NetworkConfig:
        layers, mapped = _network(shapes)
        weights = [shapes[weight][::-1] for weight, _ in layers]
        require_chain(weights, [shapes[bias] for _, bias in layers])
        widths = tuple(weight[0] for weight in weights[:-1])
        if shapes[mapped[0]][1] != sum(widths):
            raise Mismatch(
                f"its map gives {shapes[mapped[0]][1]} numbers, and a shift for each neuron would be {sum(widths)}: "
                "scales and deeper maps are not read"
            )
        raw = weights[-1][0]
        if weights[0][1] != IMAGE.dim or raw not in (1, IMAGE.channels):
            raise Mismatch(f"it maps {weights[0][1]} coordinates to {raw} values, and only pictures are read")
        omegas = (options.omega or OMEGA,) * len(widths)
        scale, shift = to_values([1.0] * raw, [HALF] * raw)
        network = Network(
            widths=widths, activations=(SINE,) * len(widths), omegas=omegas, raw=raw, axes=ROWS_FIRST, axis_scale=HALF,
            axis_shift=HALF, scale=scale, shift=shift,
        )  # fmt: skip
        return NetworkConfig.of(IMAGE, network)

    def held(self, batch):
        return {name: one.shape for name, one in self.arrays.items()}

    def recognises(self, shapes, options):
        return LATENT in shapes  # `batches` has made it of the arrays of this layout

    def resolution(self, model, options):
        return options.resolution or SIZE

    def model(self, batch, options, folder, out):
        shapes = self.held(batch)
        config = self.config(shapes, options)
        layers, mapped = _network(shapes)
        names = [name for pair in (*layers, mapped) for name in pair]
        held = {name: torch.from_numpy(self.arrays[name]).float() for name in names}
        require_finite(held, f"The network that the instances of {shown(batch.items[0].path)} share")
        tensors = {MAP: held[mapped[0]].mT, OFFSET: held[mapped[1]]}
        for number, (weight, bias) in enumerate(layers):
            tensors |= {weight_name(number): held[weight].mT, bias_name(number): held[bias]}
        size = held[mapped[0]].shape[0]
        if batch.shapes[LATENT] != (size,):
            raise Mismatch(f"its vectors have the shape {batch.shapes[LATENT]}, and the network takes ({size},)")
        shared = Shared(str(folder / SHARED), save_shared(folder / SHARED, tensors), size)
        made = ModulatedConfig(**vars(config), shared=shared)
        return make_representation("functa", None, made).at(out / SHARED)

    def vectors(self, model, batch):
        return batch.tensors[LATENT].float()


def _network(shapes: Shapes) -> tuple[list[tuple[str, str]], tuple[str, str]]:
    """Returns the names of weight and bias of each layer, and those of the map. Mismatch if one is missing."""
    layers, maps = {}, {}
    for name in shapes:
        if found := _LAYER.fullmatch(name) or _MAP.fullmatch(name):
            part = (layers if _LAYER.fullmatch(name) else maps).setdefault(int(found[1] or 0), {})
            if found[2] in part:
                raise Mismatch(f"it holds two shared networks, with {part[found[2]][:60]!r} and {name[:60]!r}")
            part[found[2]] = name
    named = [layers[number] for number in sorted(layers)]
    if not named or len(maps) != 1 or any(set(one) != {"w", "b"} for one in (*named, *maps.values())):
        raise Mismatch("the shared network (layers, and one linear map from a vector to shifts) is not complete")
    (only,) = maps.values()
    return [(one["w"], one["b"]) for one in named], (only["w"], only["b"])
