"""The SIRENs of neural functionals (NFN): a state dict `net<number>.pth` for each picture, in a folder `…_<class>s`.

Facts: tensors `net.<i>.linear.weight` and `.bias`, of the last layer `net.<i>.weight` and `.bias`; sin(30 (W x + b)) in
all layers but the last; values in [-1, 1]; the first input is y, from -1 at the centre of the first pixel to 1 at that
of the last. Numbers below 45,000 are for training, those from 50,000 on for the test.
"""

import re

from wsr.data.splits import TEST, TRAIN, VALIDATION
from wsr.imports.base import Item, PerInstance
from wsr.imports.pictures import ROWS_FIRST, siren_of_pictures

OMEGA, HALF = 30.0, 0.5
VALIDATION_FROM, TEST_FROM = 45_000, 50_000
_FILE, _FOLDER = re.compile(r"net(\d+)"), re.compile(r".*_(\d+)s")


class NFN(PerInstance):
    """A SIREN for each checkpoint."""

    pattern = r"net\.(\d+)\.(?:linear\.)?(?:weight|bias)"

    def items(self, source, files):
        found = []
        for path in files:
            file, folder = _FILE.fullmatch(path.stem), _FOLDER.fullmatch(path.parent.name)
            number = int(file[1]) if file else None
            found.append((number, Item(path.stem, path, folder[1] if folder else "", _split(number))))
        ordered = sorted(found, key=lambda one: (one[0] is None, one[0] or 0))
        complete = any(item.split != TRAIN for _, item in ordered)  # a part of the data set says nothing of splits
        return [item if complete else Item(item.id, item.path, item.cls) for _, item in ordered]

    def config(self, shapes, options):
        weights = [shapes[weight] for weight, _ in self.layers(shapes)]
        return siren_of_pictures(weights, options.omega or OMEGA, options.resolution, [HALF], [HALF], ROWS_FIRST)


def _split(number: int | None) -> str:
    if number is None or number < VALIDATION_FROM:
        return TRAIN
    return TEST if number >= TEST_FROM else VALIDATION
