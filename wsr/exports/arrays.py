"""One .npz that `numpy.load` opens without pickle."""

import json

import numpy as np

from wsr.exports.base import Exported
from wsr.paths import atomic_path

NAME = "zoo.npz"


def write(exported: Exported) -> None:
    """Writes `weights` (n, p), `ids`, `classes`, `splits`, `quality`, and `zoo`: the zoo.json as a JSON text, whose
    `layout` says which entries of a row are which tensor."""
    index, weights = exported.index, exported.weights
    texts = {name: index[column].to_numpy(str) for name, column in
             (("ids", "id"), ("classes", "class"), ("splits", "split"))}  # fmt: skip
    quality, about = index["quality"].to_numpy(np.float64), np.array(json.dumps(exported.zoo.meta))
    with atomic_path(exported.folder / NAME, weights.nbytes) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, weights=weights, quality=quality, zoo=about, **texts)
    exported.progress(len(index), len(index))
