"""Places a visitor's own fit on the maps of the atlas."""

from typing import Any

import numpy as np

from app.shared import library, networks
from app.tabs.atlas.map import Visit
from wsr.errors import WsrError


def place_fit(fitted: Any, visit: Visit) -> tuple[Visit, library.Collection, str]:
    """Returns the visit with the fit on every map of the collection that matches it, that collection, and the item
    nearest to the fit. WsrError if no collection matches."""
    from wsr.analysis import nearest, place

    if fitted is None:
        raise WsrError("There is no fit to place yet: press Fit first.")
    fitting = [
        found
        for found in map(library.collection, library.collection_names())
        if (found.modality, found.representation) == (fitted.modality, fitted.model.name)
        and found.layout == fitted.model.layout.to_json()
    ]
    if not fitting:
        raise WsrError("The maps hold fits of rank 4: fit with this rank to place yours among them.")
    found = next((one for one in fitting if one.name == fitted.collection), fitting[0])
    vectors = networks.weights(found.name)
    index, _ = nearest(fitted.weights, vectors, 1, centre=vectors.mean(0))
    points = {}
    for (method, dims), coordinates in found.maps.items():
        known = np.isfinite(coordinates).all(axis=1)
        at = place(fitted.weights.numpy(), vectors.numpy()[known], coordinates[known])[0]
        points[method, dims] = [float(x) for x in at]
    placed = Visit(found.name, f"your {fitted.label}", points, visit.projections)
    return placed, found, found.ids[int(index[0, 0])]
