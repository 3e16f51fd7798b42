"""Occupancy at places that all shapes share, so that the noise of drawing points is the same for all of them.

Fits usually draw half of their points near the shape's own surface, at places that no other shape has. Here these are
drawn near the surfaces of REFERENCES training shapes of `shapes10` instead, mixed, so that they are dense where shapes
in general have their surfaces. Few of them lie near the surface of one shape in particular, so there are more of them:
as many as a fit of the `cpu` preset draws, with few repeats.
"""

import functools
import zipfile

import numpy as np
from jaxtyping import Float16

from wsr.data.inside import inside
from wsr.data.occupancy import OccupancySamples, near_surface, refuse_empty
from wsr.data.shapes10 import load_shapes10
from wsr.data.signals import Signal
from wsr.identity import content_hash
from wsr.paths import atomic_path, cache_dir

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
    """Returns which of the shared places lie inside a shape, cached in a file of 16 kB under the hash of the shape's
    content and that of the places. The array of points is one and the same for all shapes. WsrError for a mesh without
    a point inside."""
    places = shared_places()
    key = signal.sha256()
    path = cache_dir() / "occupancy" / key[:2] / f"{key[:32]}-shared-{_places_hash()[:16]}.npz"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return OccupancySamples(places, np.unpackbits(stored["inside"], axis=1, count=PLACES).astype(bool))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        pass  # missing or damaged: computed again
    mesh = signal.read()
    occupied = inside(mesh, places.reshape(-1, 3).astype(np.float64)).reshape(2, PLACES)
    refuse_empty(mesh, occupied, "that all shapes share")
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, inside=np.packbits(occupied, axis=1))
    return OccupancySamples(places, occupied)


@functools.lru_cache(maxsize=1)
def _places_hash() -> str:
    return content_hash(shared_places())
