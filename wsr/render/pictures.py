"""Pictures of surfaces, and sheets of pictures."""

import logging
import os
import threading
from collections.abc import Sequence

import numpy as np
import trimesh
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter, zoom
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.render.decode import decode
from wsr.render.gbuffer import Camera, GBuffer, embree_buffer, layers
from wsr.render.gl import GLThread

log = logging.getLogger(__name__)

THREE_QUARTER = (35.0, 24.0)
CLAY = (0.66, 0.73, 0.84)

# In the camera's axes: from above the viewer's left shoulder, and from beside the right one.
_KEY, _FILL = np.array([-0.35, 0.85, 0.45]), np.array([0.3, 0.0, 0.95])
_CLOSENESS = 0.02  # of the picture's width: as far as a part darkens what lies behind it

# Pixels that a picture may fill, those of hidden surfaces included: 0.3 s by OpenGL without a graphics card, twice that
# by Embree. Shapes fill 1 to 10 layers; a picture of 640 x 640 pixels may have 240.
FILLED = 100_000_000
COARSEST = 24  # pixels along an edge, however deep
PATIENCE = 10.0  # seconds that a picture waits for OpenGL, before it is drawn by Embree on the thread that wants it

_lock = threading.Lock()
_gl: GLThread | None = None
_gl_failed = False


def draw_mesh(
    mesh: trimesh.Trimesh,
    size: int = 256,
    view: tuple[float, float] = THREE_QUARTER,
    colour: Sequence[float] = CLAY,
    background: Sequence[float] = (1.0, 1.0, 1.0),
) -> UInt8[np.ndarray, "size size 3"]:
    """A shaded picture of a mesh in the unit sphere, which fills the picture; a larger one is fitted into it.

    view: azimuth in degrees from +z towards +x, and elevation; +y is up. colour, background: RGB in [0, 1].
    Drawn by OpenGL (pyrender on EGL) where it works, else by Embree; `WSR_GL=off` in the environment asks for Embree.
    A mesh without faces is a picture of the background. Safe to call from any thread.

    Surfaces that lie behind each other by the hundred, which are filled one by one, are drawn coarser, so that no mesh
    takes much longer than another. WsrError for vertices that are not finite.
    """
    if not 1 <= size <= 4096:
        raise WsrError(f"A picture is 1 to 4096 pixels wide, not {size}.")
    background = np.asarray(background, dtype=np.float64)
    if len(mesh.faces) == 0:
        return np.broadcast_to(np.uint8(np.round(background * 255)), (size, size, 3)).copy()
    camera = Camera(*view)
    framed = _framed(mesh)
    fine = 2 * size
    drawn = _affordable(fine, layers(framed, camera))
    buffer = _buffer(framed, camera, drawn)
    pixels = _shade(buffer, camera, np.asarray(colour, dtype=np.float64))  # (drawn, drawn, 3)
    pixels = np.where(np.isfinite(buffer.depth)[..., None], pixels, background)
    if drawn < fine:
        pixels = zoom(pixels, (fine / drawn, fine / drawn, 1), order=1, mode="nearest", grid_mode=True)
    return np.uint8(np.round(pixels.reshape(size, 2, size, 2, 3).mean(axis=(1, 3)) * 255))


def _affordable(size: int, deep: float) -> int:
    """The pixels along an edge, at most `size`, at which surfaces `deep` layers deep are filled in FILLED pixels."""
    if size**2 * deep <= FILLED:
        return size
    return min(size, max(COARSEST, int(np.sqrt(FILLED / deep))))


def draw_weights(
    model: Representation, weights: Float[Tensor, "n p"], resolution: int, size: int = 256
) -> list[UInt8[np.ndarray, "h w 3"]]:
    """What weights are, as pictures: images of `resolution` pixels, or surfaces of so many samples along an edge, drawn
    `size` pixels wide."""
    return [model.modality.picture(one, size) for one in decode(model, weights, resolution)]


def _framed(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """As it is where it lies in the unit sphere, so that parts of different size stay comparable."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    if not np.isfinite(vertices).all():
        raise WsrError("The mesh has vertices that are NaN or infinite and cannot be drawn.")
    if np.linalg.norm(vertices, axis=1).max() > 1.05:
        vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        vertices = vertices / np.linalg.norm(vertices, axis=1).max()
    return trimesh.Trimesh(vertices, mesh.faces, process=False)


def _buffer(mesh: trimesh.Trimesh, camera: Camera, size: int) -> GBuffer:
    """By OpenGL, or by Embree where that has no time. Once OpenGL has failed, by Embree from then on."""
    global _gl, _gl_failed
    if os.environ.get("WSR_GL", "").lower() != "off" and not _gl_failed:
        try:
            with _lock:
                _gl = _gl or GLThread()
            return _gl.draw(mesh, camera, size, PATIENCE)
        except TimeoutError:
            log.info("OpenGL was busy for %.0f s: one picture is drawn by Embree", PATIENCE)
        except Exception as error:  # no library, no driver, no context: each loader has errors of its own
            _gl_failed = True
            log.info("OpenGL does not work here (%s): pictures are drawn by Embree", error)
    return embree_buffer(mesh, camera, size)


def _shade(buffer: GBuffer, camera: Camera, colour: Float[np.ndarray, "3"]) -> Float[np.ndarray, "h w 3"]:
    """Matte, under a bright sky, with a key and a fill light that move with the viewer; sRGB in [0, 1]."""
    n = buffer.normals
    key, fill = (np.clip(n @ (light / np.linalg.norm(light)), 0, 1) for light in (_KEY, _FILL))  # (h, w)
    sky = 0.5 + 0.5 * n @ camera.axes[1]  # the world's y in the camera's axes
    light = 0.08 + 0.22 * sky + 0.78 * key + 0.22 * fill
    light *= 1 - 0.45 * _closeness(buffer.depth)
    shine = 0.05 * np.clip(n @ _half(_KEY), 0, 1) ** 40
    linear = np.asarray(colour) ** 2.2 * light[..., None] + shine[..., None]
    return linear.clip(0, 1) ** (1 / 2.2)


def _half(light: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    middle = light / np.linalg.norm(light) + [0, 0, 1]
    return middle / np.linalg.norm(middle)


def _closeness(depth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far a pixel lies behind its surroundings, 0 to 1: a cheap shade where parts meet and pass behind another."""
    seen = np.isfinite(depth)
    filled = np.where(seen, depth, depth[seen].max() if seen.any() else 0.0)
    around = gaussian_filter(filled, _CLOSENESS * len(depth))
    return np.clip((filled - around) / 0.12, 0, 1)


def contact_sheet(
    images: Sequence[np.ndarray], columns: int, gap: int = 4, background: Sequence[float] = (1.0, 1.0, 1.0)
) -> UInt8[np.ndarray, "H W 3"]:
    """Pictures of one size in rows of `columns`, `gap` pixels apart. They are uint8, or floats in [0, 1]."""
    tiles = [np.asarray(image) for image in images]
    if not tiles or columns < 1:
        raise WsrError(f"A sheet needs pictures and columns, not {len(tiles)} in {columns} columns.")
    if any(tile.shape != tiles[0].shape for tile in tiles) or tiles[0].ndim != 3 or tiles[0].shape[2] != 3:
        raise WsrError("The pictures of a sheet are all (h, w, 3) of one size.")
    tiles = [tile if tile.dtype == np.uint8 else np.uint8(np.round(tile.clip(0, 1) * 255)) for tile in tiles]
    height, width, _ = tiles[0].shape
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), dtype=np.uint8)
    sheet[:] = np.round(np.asarray(background) * 255)
    for i, tile in enumerate(tiles):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = tile
    return sheet
