"""Occupancy at places that all shapes share, so that the noise of drawing points is the same for all of them.

Fits usually draw half of their points near the shape's own surface, at places that no other shape has. Here that half
is drawn near the surfaces of REFERENCES training shapes of `shapes10`, so that the points are dense where shapes in
general have their surfaces. Few of these points lie near the surface of one particular shape, so there are more of
them: so many that a fit of the `cpu` preset draws each of them two or three times.
"""

import functools

import numpy as np
from jaxtyping import Float16

from wsr.data.occupancy import OccupancySamples, cached_labels, near_surface
from wsr.data.shapes10 import load_shapes10
from wsr.data.signals import Signal
from wsr.identity import content_hash

PLACES = 65_536  # of each kind
REFERENCES = 128  # training shapes, spread over the categories
SEED = 77_004


@functools.lru_cache(maxsize=1)
def shared_places() -> Float16[np.ndarray, "2 p 3"]:
    """Returns the places, in random order. Row 0: near the surfaces of the references; row 1: uniform in [-1, 1]^3. The
    first call reads the references, or generates them, which takes three seconds."""
    rng = np.random.default_rng(SEED)
    shapes = load_shapes10().where(split="train")
    chosen = [shapes[i] for i in np.linspace(0, len(shapes) - 1, REFERENCES).round().astype(int)]
    near = np.concatenate([near_surface(shape.read(), PLACES // REFERENCES, rng) for shape in chosen])
    places = np.stack([rng.permutation(near), rng.uniform(-1, 1, (PLACES, 3))]).astype(np.float16)
    places.setflags(write=False)
    return places


def shared_occupancy(signal: Signal) -> OccupancySamples:
    """Returns the shared places, and which of them lie inside a shape. The latter is cached in a file of 16 kB under
    the hashes of the shape's content and of the places. All results share one array of points. WsrError for a mesh
    without a point inside."""
    places = shared_places()
    name = f"shared-{_places_hash()[:16]}"
    return OccupancySamples(places, cached_labels(signal, places, name, "that all shapes share"))


@functools.lru_cache(maxsize=1)
def _places_hash() -> str:
    return content_hash(shared_places())
