"""Decodes weights: images at any resolution, and surfaces by marching cubes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.fields.coordinates import pixel_grid
from wsr.fields.representation import Representation

if TYPE_CHECKING:
    import trimesh

# Points × instances evaluated at once. On a CPU an activation of 128 channels then takes 8 MB: the allocator returns
# blocks of more than 32 MB to the system, and to map them anew for every product takes longer than the product.
CHUNK, CPU_CHUNK = 65_536, 16_384


@torch.no_grad()
def evaluate_in_chunks(
    representation: Representation, weights: Float[Tensor, "n p"], points: Float[Tensor, "m q d"]
) -> Float[Tensor, "n q v"]:
    """Evaluates a representation without gradients, in bounded memory. Weights and points may be on any device; the
    values are on the representation's device."""
    device = representation.device
    step = max((CPU_CHUNK if device.type == "cpu" else CHUNK) // max(len(weights), 1), 256)
    weights = weights.to(device)
    return torch.cat([representation.evaluate(weights, part.to(device)) for part in points.split(step, dim=1)], dim=1)


def render_images(
    representation: Representation, weights: Float[Tensor, "n p"], height: int, width: int
) -> Float[np.ndarray, "n h w 3"]:
    """Renders n fields as images of any size, with values in [0, 1]."""
    grid = pixel_grid(height, width, device=representation.device)[None]
    parts = [evaluate_in_chunks(representation, rows, grid) for rows in weights.split(16)]
    values = torch.cat(parts).add(1).mul(0.5).clamp(0, 1)  # (n, h·w, 3)
    return values.view(-1, height, width, 3).cpu().numpy()


def render_surfaces(
    representation: Representation, weights: Float[Tensor, "n p"], resolution: int
) -> "list[trimesh.Trimesh]":
    """Extracts the surfaces of n fields, where the logit is 0. Vertices are in the field's coordinates, [-1, 1]³."""
    from wsr.render.surfaces import extract_surface

    meshes = []
    for row in weights.to(representation.device).split(1):

        def logits(points: Float[Tensor, "q 3"], row=row) -> Float[Tensor, "q"]:
            with torch.no_grad():
                return representation.evaluate(row, points[None])[0, :, 0]

        meshes.append(extract_surface(logits, resolution, device=row.device))
    return meshes


def decode(
    representation: Representation, weights: Float[Tensor, "n p"], resolution: int, aspect: tuple[int, int] = (1, 1)
) -> Float[np.ndarray, "n *rest"] | list[Any]:
    """Decodes weights as their modality does. For images, `resolution` is the longer side in pixels and `aspect` the
    (height, width) of the target in any unit; for shapes, it is the number of grid samples along an edge. Weights may
    be on any device; the computation runs on the representation's device."""
    return representation.modality.decode(representation, weights, resolution, aspect)
