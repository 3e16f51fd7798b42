"""Places a visitor's own fit on the maps of the atlas."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components.field.files import Shape, field_of
from app.shared import library, networks
from app.shared.networks import NEIGHBOURS
from app.shell import snippets
from app.tabs.atlas.map import Visit
from wsr.errors import WsrError

if TYPE_CHECKING:
    from torch import Tensor

DRAWN = 256  # pixels of a drawn surface


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
    return replace(visit, name=found.name, label=f"your {fitted.label}", points=points), found, near


def beside_nearest(fitted: Any, found: library.Collection, nearest: str) -> tuple[str, str]:
    """Returns the pictures of the fit and of the network nearest to it, and the sentence that says what they are."""
    near = networks.vector(found.name, nearest)
    label, mine = found.labels[found.position(nearest)], f"your {fitted.label}"
    drawn = [(mine, _drawn(found, fitted.weights, fitted.aspect)), (label, _drawn(found, near, (1, 1)))]
    turning = {mine: _turns(found, fitted.weights), label: _turns(found, near)}
    said = (
        f"Your {fitted.label}, drawn from its weights, beside the network whose weights are nearest to them among "
        f"{len(found.ids):,}: {label}. The map puts yours between the {NEIGHBOURS} networks nearest to it. The ringed "
        f"points, and what stands below, are about {label}."
    )
    shown = snippets.pictures(drawn, turning=turning)
    return shown, snippets.settled(said)


def _turns(found: library.Collection, weights: "Tensor") -> dict[str, Any] | None:
    """What the page needs to turn a surface; None for a picture of the plane, or where the page cannot."""
    of = found.modality
    shape = Shape(of.resolutions.sample, DRAWN)
    return field_of(networks.zoo(found.name).representation, {"a": weights[0]}, shape) if of.has_surface else None


def _drawn(found: library.Collection, weights: "Tensor", aspect: tuple[int, int]) -> np.ndarray:
    from wsr.render.decode import decode

    shown = decode(networks.zoo(found.name).representation, weights, found.modality.resolutions.opened, aspect)[0]
    return found.modality.picture(shown, DRAWN)
