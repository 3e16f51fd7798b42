"""Implicit-Zoo's SIRENs of CIFAR-10 and ImageNet: a checkpoint `<picture>_<seed>.ckpt` for each, in a folder for each
class.

Facts: the checkpoint holds `params`, with tensors `seq.<i>.weight` and `.bias`, and `image_idx`; sin(30 (W x + b)) in
all layers but the last; values are RGB normalised by the mean and the standard deviation of ImageNet; the first input
is x, from -1 at the centre of the first pixel to 1 at that of the last. `<first>_<last>.json` holds the PSNR of each
picture.
"""

import re
from math import nan
from pathlib import Path

from wsr.formats.schema import read_json
from wsr.imports.base import Item, PerInstance
from wsr.imports.pictures import siren_of_pictures

OMEGA = 30.0
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_FILE, _PSNR = re.compile(r"(\d+)_\d+"), re.compile(r"\d+_\d+")


class ImplicitZoo(PerInstance):
    """A SIREN for each checkpoint."""

    pattern = r"seq\.(\d+)\.(?:weight|bias)"
    endings = (".ckpt", ".pth", ".pt")

    def items(self, source, files):
        quality, found = _psnr(source), []
        for path in files:
            named = _FILE.fullmatch(path.stem)
            cls = path.parent.name if path.parent != source and path.parent.name.isdecimal() else ""
            found.append(Item(path.stem, path, cls, quality=quality.get(int(named[1]), nan) if named else nan))
        return found

    def recognises(self, shapes, options):
        return super().recognises(shapes, options) and shapes[self.layers(shapes)[-1][0]][0] == len(MEAN)

    def config(self, shapes, options):
        weights = [shapes[weight] for weight, _ in self.layers(shapes)]
        return siren_of_pictures(weights, options.omega or OMEGA, options.resolution, STD, MEAN)


def _psnr(source: Path) -> dict[int, float]:
    """Returns the PSNR of each picture, by its number."""
    found: dict[int, float] = {}
    for path in source.rglob("*.json") if source.is_dir() else []:
        if _PSNR.fullmatch(path.stem):
            content = read_json(path, "a table of qualities")
            pairs = content.items() if isinstance(content, dict) else ()
            found |= {int(key): float(one) for key, one in pairs if key.isdecimal() and isinstance(one, int | float)}
    return found
