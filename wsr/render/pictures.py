"""Draws pictures of surfaces, and sheets of pictures."""

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

# Directions to the lights in the camera's axes: above the viewer's left shoulder, and beside the right one.
_KEY, _FILL = np.array([-0.35, 0.85, 0.45]), np.array([0.3, 0.0, 0.95])
_CLOSENESS = 0.02  # radius of the darkening around parts that are in front, as a share of the picture's width

# Most pixels that are filled for a picture, including hidden surfaces: takes 0.3 s with OpenGL in software, twice that
# with Embree. Shapes have 1 to 10 layers of surfaces; a picture of 640 x 640 pixels may have 240.
FILLED = 100_000_000
COARSEST = 24  # lowest resolution, whatever the number of layers
PATIENCE = 10.0  # seconds that a picture waits for OpenGL before the calling thread draws it with Embree

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
    """Draws a shaded picture of a mesh. The unit sphere fills the picture; a larger mesh is scaled to fit.

    view: azimuth in degrees from +z towards +x, and elevation; +y is up. colour, background: RGB in [0, 1]. OpenGL
    (pyrender on EGL) draws it if it works, otherwise Embree; `WSR_GL=off` in the environment selects Embree. A mesh
    without faces gives a picture of the background. May be called from any thread.

    The cost grows with the number of surfaces behind each pixel. Meshes with hundreds of them are drawn at a lower
    resolution, so that no mesh takes much longer than others. WsrError for vertices that are not finite.
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
    """Returns the resolution (pixels along an edge, at most `size`) at which `deep` layers of surfaces fill at most
    FILLED pixels."""
    if size**2 * deep <= FILLED:
        return size
    return min(size, max(COARSEST, int(np.sqrt(FILLED / deep))))


def draw_weights(
    model: Representation, weights: Float[Tensor, "n p"], resolution: int, size: int = 256
) -> list[UInt8[np.ndarray, "h w 3"]]:
    """Decodes weights and draws them as pictures: images of `resolution` pixels, or pictures, `size` pixels wide, of
    surfaces with `resolution` samples along an edge."""
    return [model.modality.picture(one, size) for one in decode(model, weights, resolution)]


def _framed(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Returns the mesh, scaled into the unit sphere if it is larger. A smaller one keeps its size, so that sizes stay
    comparable."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    if not np.isfinite(vertices).all():
        raise WsrError("The mesh has vertices that are NaN or infinite and cannot be drawn.")
    if np.linalg.norm(vertices, axis=1).max() > 1.05:
        vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        vertices = vertices / np.linalg.norm(vertices, axis=1).max()
    return trimesh.Trimesh(vertices, mesh.faces, process=False)


def _buffer(mesh: trimesh.Trimesh, camera: Camera, size: int) -> GBuffer:
    """Computes normals and depths by OpenGL, or by Embree if OpenGL is busy. After OpenGL has failed once, it is not
    tried again."""
    global _gl, _gl_failed
    if os.environ.get("WSR_GL", "").lower() != "off" and not _gl_failed:
        try:
            with _lock:
                _gl = _gl or GLThread()
            return _gl.draw(mesh, camera, size, PATIENCE)
        except TimeoutError:
            log.info("OpenGL was busy for %.0f s: one picture is drawn by Embree", PATIENCE)
        except Exception as error:  # a missing library, driver or context raises errors of many types
            _gl_failed = True
            log.info("OpenGL does not work here (%s): pictures are drawn by Embree", error)
    return embree_buffer(mesh, camera, size)


def _shade(buffer: GBuffer, camera: Camera, colour: Float[np.ndarray, "3"]) -> Float[np.ndarray, "h w 3"]:
    """Shades a matte surface under a bright sky, with a key and a fill light that move with the viewer; sRGB in [0, 1].
    """
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
    """Returns how far each pixel lies behind its surroundings, 0 to 1: an inexpensive substitute for ambient occlusion.
    """
    seen = np.isfinite(depth)
    filled = np.where(seen, depth, depth[seen].max() if seen.any() else 0.0)
    around = gaussian_filter(filled, _CLOSENESS * len(depth))
    return np.clip((filled - around) / 0.12, 0, 1)


def contact_sheet(
    images: Sequence[np.ndarray], columns: int, gap: int = 4, background: Sequence[float] = (1.0, 1.0, 1.0)
) -> UInt8[np.ndarray, "H W 3"]:
    """Arranges pictures of the same size in rows of `columns`, `gap` pixels apart. They are uint8, or floats in [0, 1].
    """
    tiles = [np.asarray(image) for image in images]
    if not tiles or columns < 1:
        raise WsrError(f"A sheet needs pictures and columns, not {len(tiles)} in {columns} columns.")
    if any(tile.shape != tiles[0].shape for tile in tiles) or tiles[0].ndim != 3 or tiles[0].shape[2] != 3:
        raise WsrError("A sheet needs pictures (h, w, 3) that all have the same size.")
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
