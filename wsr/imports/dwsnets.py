"""DWSNets' SIRENs of MNIST: a state dict for each picture, with splits and labels in a JSON file.

Facts: tensors `seq.<i>.weight` (outputs, inputs) and `.bias`; sin(30 (W x + b)) in all layers but the last; the
network's value is the last layer's plus 0.5, grey in [0, 1]; the first input is x, from -1 at the centre of the first
pixel to 1 at that of the last. Folders are called `…_<split>…_<label>_<number>`.
"""

import re
from pathlib import Path

from wsr.data.splits import Split
from wsr.errors import WsrError, counted
from wsr.formats.files import shown
from wsr.formats.schema import read_json
from wsr.imports.base import Item, PerInstance
from wsr.imports.pictures import siren_of_pictures
from wsr.imports.splits import DEPTH, by_path

OMEGA, HALF = 30.0, 0.5
_FOLDER = re.compile(r"(.*)_([^_]+)_(\d+)")
_CHECKPOINTS = "checkpoints"  # the folder between an instance's and its file


class DWSNets(PerInstance):
    """A SIREN for each checkpoint."""

    pattern = r"seq\.(\d+)\.(?:weight|bias)"

    def items(self, source, files):
        listed = _listed(source)
        found = []
        for path in files:
            folder = path.parent.parent if path.parent.name == _CHECKPOINTS else path.parent
            named = _FOLDER.fullmatch(folder.name)
            name, cls = (folder.name, named[2]) if named else (path.stem, "")
            split = ("train" if "train" in named[1] else "test" if "test" in named[1] else "") if named else ""
            split, cls = listed.pop(path.parts[-DEPTH:], (split, cls)) if listed else (split, cls)
            found.append(Item(name, path, cls, split))
        if listed:
            raise WsrError(
                f"The splits of {shown(source)} name {counted(len(listed), 'file')} that it does not hold, such as "
                f"{shown(Path(*next(iter(listed))))}: fetch the rest, or take the JSON file away to import what is "
                "here."
            )
        return found

    def config(self, shapes, options):
        weights = [shapes[weight] for weight, _ in self.layers(shapes)]
        return siren_of_pictures(weights, options.omega or OMEGA, options.resolution, [1.0], [HALF])


def _listed(source: Path) -> dict[tuple[str, ...], tuple[Split, str]]:
    """Returns split and class of each file that JSON files of splits in a folder name."""
    found: dict[tuple[str, ...], tuple[Split, str]] = {}
    for path in sorted(source.glob("*.json")) if source.is_dir() else []:
        found |= by_path(read_json(path, "a list of splits"), path) or {}
    return found
