"""HyperDiffusion's shapes: an MLP with ReLUs and positional encoding for each, in a checkpoint `<id>_model_final.pth`.

Facts: tensors `layers.<i>.weight` and `.bias`; the first layer reads (x, sin x, cos x, sin 2x, cos 2x, …, for all
coordinates each), with a power of two for each frequency; the output is a logit, positive inside, at points of
[-0.5, 0.5]³. With `output_type: sdf` it is tanh of a signed distance. Splits are lists of names in `*_split.lst`.
"""

import re
from pathlib import Path

from wsr.data.splits import Split
from wsr.fields.networks import RELU, Network, NetworkConfig
from wsr.formats.files import shown
from wsr.imports.base import Item, Mismatch, PerInstance
from wsr.imports.splits import split_names, texts
from wsr.modalities import OCCUPANCY

HALF = 0.5  # of our cube, whose points lie in [-1, 1]³
_FILE = re.compile(r"(?:(?:occ|sdf|logits)_)?(.+?)(?:_jitter_(\d+))?_model_final")


class HyperDiffusion(PerInstance):
    """Occupancy of one shape for each checkpoint."""

    pattern = r"layers\.(\d+)\.(?:weight|bias)"

    def items(self, source, files):
        splits = _splits(source)
        found = []
        for path in files:
            named = _FILE.fullmatch(path.stem)
            name = named[1] if named else path.stem
            jitter = f"-{named[2]}" if named and int(named[2] or 0) else ""
            found.append(Item(name + jitter, path, split=splits.get(name, "")))
        return found

    def config(self, shapes, options):
        weights = [shapes[weight] for weight, _ in self.layers(shapes)]
        dim, inputs = OCCUPANCY.dim, weights[0][1]
        bands, rest = divmod(inputs - dim, 2 * dim)
        if rest or bands < 0:
            raise Mismatch(
                f"its first layer reads {inputs} numbers, which are no positional encoding of {dim} coordinates "
                "(moving shapes have four, and are not read)"
            )
        if weights[-1][0] != OCCUPANCY.channels:
            raise Mismatch(f"it has {weights[-1][0]} outputs, and an occupancy is one number")
        widths, distance = tuple(weight[0] for weight in weights[:-1]), options.values == "distance"
        network = Network(
            widths=widths, activations=(RELU,) * len(widths), omegas=(1.0,) * len(widths), raw=1,
            bands=tuple(2.0**band for band in range(bands)), axes=tuple(range(dim)), axis_scale=HALF,
            final="tanh" if distance else "", scale=(-1.0 if distance else 1.0,), shift=(0.0,),
        )  # fmt: skip
        return NetworkConfig.of(OCCUPANCY, network)


def _splits(source: Path) -> dict[str, Split]:
    """Returns the split of each shape by its name, as far as lists beside the checkpoints state them."""
    lists = sorted(source.rglob("*_split.lst")) if source.is_dir() else []
    stated = {path: split_names(path.name.removesuffix("_split.lst"), f"The name of {shown(path)}") for path in lists}
    found: dict[str, Split] = {}
    for path, split in stated.items():
        found |= {line.strip().rpartition(".")[0] or line.strip(): split for line in texts(path) if line.strip()}
    return found
