"""What the tour shows: one network of the first map, its picture, its weights, and the places of all."""

import base64
from typing import Any
from urllib.parse import urlencode

import numpy as np
from jaxtyping import Float

from app.shared import library, networks
from app.shared.palette import class_colours
from app.shell import looking, snippets
from wsr.errors import WsrError

PIXELS = 280
STRONG = 3.0  # standard deviations at which a weight has its full colour
METHOD = ("UMAP", 2)
MOST = 1500  # dots
NEIGHBOURS = 20  # of a dot, by which the one that is shown is chosen


def told() -> dict[str, Any]:
    """Returns the tour as the page's script takes it. WsrError where there is no map.

    link: to this network on its map. label, picture (a data URI), weights (base64 of bytes: standardised per weight in
    its collection), count, dots [x, y, number of the class] with x to the right and y downwards in 0 to 1000, me: the
    network's own dot, colours."""
    names = [name for name in library.collection_names() if METHOD in library.collection(name).maps]
    if not names:
        raise WsrError("There is no map here yet: make the assets first.")
    # a picture says more at first sight than a surface does
    name = min(names, key=lambda one: library.collection(one).modality.has_surface)
    return looking.SEEN.get(("tour", name, *map(str, library.files_of(name))), lambda: _told(name))


def _told(name: str) -> dict[str, Any]:
    found = library.collection(name)
    places, weights = found.points(*METHOD), networks.weights(name).float().numpy()
    chosen = np.flatnonzero(np.isfinite(places).all(axis=1))[:MOST].tolist()
    own = _clearest(found, places, chosen)
    low, high = np.nanmin(places, axis=0), np.nanmax(places, axis=0)
    x, y = (1000 * (places[chosen] - low) / np.maximum(high - low, 1e-9)).T
    classes = sorted(set(found.classes))
    colours = class_colours(classes)
    numbers = [classes.index(found.classes[i]) for i in chosen]
    away = (weights[own] - weights.mean(0)) / np.maximum(weights.std(0), 1e-9)
    levels = np.clip(np.round(away * 127 / STRONG), -127, 127).astype(np.int8)
    dots = [[round(float(a)), round(1000 - float(b)), c] for a, b, c in zip(x, y, numbers, strict=True)]
    link = {"tab": "atlas", "data": found.dataset, "kind": found.representation, "pick": found.ids[own]}
    return {
        "link": urlencode(link),
        "label": found.labels[own], "picture": snippets.data_uri(networks.picture(name, found.ids[own], PIXELS)),
        "weights": base64.b64encode(levels.tobytes()).decode(), "count": int(levels.size), "dots": dots,
        "me": chosen.index(own), "colours": [colours[cls] for cls in classes],
    }  # fmt: skip


def _clearest(found: library.Collection, places: Float[np.ndarray, "n 2"], among: list[int]) -> int:
    """Returns the item that shows best that like lies beside like: of the class that keeps together best on the map,
    the one with most neighbours of its class, and of several such items the best fit."""
    apart = np.linalg.norm(places[among, None] - places[None, among], axis=-1)
    near = np.argsort(apart, axis=1)[:, 1 : NEIGHBOURS + 1]
    classes = np.array([found.classes[i] for i in among])
    alike = (classes[near] == classes[:, None]).sum(axis=1)
    together = {cls: alike[classes == cls].mean() for cls in set(found.classes[i] for i in among)}
    ranks = [(together[cls], cls, count) for cls, count in zip(classes, alike, strict=True)]
    return max(zip(ranks, found.quality[among], among, strict=True))[2]
