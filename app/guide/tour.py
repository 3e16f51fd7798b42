"""What the tour shows: one network of the first map, its picture, its weights, and the places of all."""

import base64
from typing import Any

import numpy as np

from app.shared import library, networks
from app.shared.palette import class_colours
from app.shell import looking, snippets
from wsr.errors import WsrError

PIXELS = 280
STRONG = 3.0  # standard deviations at which a weight has its full colour
METHOD = ("UMAP", 2)
MOST = 1500  # dots


def told() -> dict[str, Any]:
    """Returns the tour as the page's script takes it. WsrError where there is no map.

    label, picture (a data URI), weights (base64 of bytes: standardised per weight over the collection), count, dots
    [x, y, number of the class] with x to the right and y downwards in 0 to 1000, me: the network's own dot, colours."""
    names = [name for name in library.collection_names() if METHOD in library.collection(name).maps]
    if not names:
        raise WsrError("There is no map here yet: make the assets first.")
    # a picture says more at first sight than a surface does
    name = min(names, key=lambda one: library.collection(one).modality.has_surface)
    return looking.SEEN.get(("tour", name, *map(str, library.files_of(name))), lambda: _told(name))


def _told(name: str) -> dict[str, Any]:
    found = library.collection(name)
    item = library.first_pick(name)
    places, weights = found.points(*METHOD), networks.weights(name).float().numpy()
    own = found.position(item)
    there = [i for i in range(len(found.ids)) if np.isfinite(places[i]).all()]
    chosen = sorted({own, *there[:MOST]})
    low, high = np.nanmin(places, axis=0), np.nanmax(places, axis=0)
    x, y = (1000 * (places[chosen] - low) / np.maximum(high - low, 1e-9)).T
    classes = sorted(set(found.classes))
    colours = class_colours(classes)
    numbers = [classes.index(found.classes[i]) for i in chosen]
    away = (weights[own] - weights.mean(0)) / np.maximum(weights.std(0), 1e-9)
    levels = np.clip(np.round(away * 127 / STRONG), -127, 127).astype(np.int8)
    dots = [[round(float(a)), round(1000 - float(b)), c] for a, b, c in zip(x, y, numbers, strict=True)]
    return {
        "label": found.labels[own], "picture": snippets.data_uri(networks.picture(name, item, PIXELS)),
        "weights": base64.b64encode(levels.tobytes()).decode(), "count": int(levels.size), "dots": dots,
        "me": chosen.index(own), "colours": [colours[cls] for cls in classes],
    }  # fmt: skip
