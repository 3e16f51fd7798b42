"""Places a visitor's own fit on the maps of the atlas."""

from typing import Any

from app.shared import library, networks
from app.tabs.atlas.map import Visit
from wsr.errors import WsrError


def place_fit(fitted: Any, visit: Visit) -> tuple[Visit, library.Collection, str]:
    """Returns the visit with the fit on every map of the collection that matches it, that collection, and the item
    nearest to the fit. WsrError if no collection matches."""
    if fitted is None:
        raise WsrError("There is no fit to place yet: press Fit first.")
    fitting = list(map(library.collection, networks.alike(fitted)))
    if not fitting:
        raise WsrError("The maps hold fits of rank 4: fit with this rank to place yours among them.")
    found = next((one for one in fitting if one.name == fitted.collection), fitting[0])
    near, points = networks.places(found.name, fitted.weights)
    return Visit(found.name, f"your {fitted.label}", points, visit.projections), found, near
