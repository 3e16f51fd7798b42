"""From weights to what they are: images at any resolution, surfaces by marching cubes."""

from typing import Any

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from torch import Tensor

from wsr.fields.coordinates import pixel_grid
from wsr.fields.representation import Representation
from wsr.render.surfaces import extract_surface

CHUNK = 65_536  # points × instances evaluated at once: 32 MB an activation of 128 channels


@torch.no_grad()
def evaluate_in_chunks(
    representation: Representation, weights: Float[Tensor, "n p"], points: Float[Tensor, "m q d"]
) -> Float[Tensor, "n q v"]:
    """`representation.evaluate` without gradients, in bounded memory. Weights and points may be anywhere; the values
    are computed, and stay, where the representation is."""
    step, device = max(CHUNK // max(len(weights), 1), 256), representation.device
    weights = weights.to(device)
    return torch.cat([representation.evaluate(weights, part.to(device)) for part in points.split(step, dim=1)], dim=1)


def render_images(
    representation: Representation, weights: Float[Tensor, "n p"], height: int, width: int
) -> Float[np.ndarray, "n h w 3"]:
    """Pictures in [0, 1] of n fields, at any size."""
    grid = pixel_grid(height, width, device=representation.device)[None]
    parts = [evaluate_in_chunks(representation, rows, grid) for rows in weights.split(16)]
    values = torch.cat(parts).add(1).mul(0.5).clamp(0, 1)  # (n, h·w, 3)
    return values.view(-1, height, width, 3).cpu().numpy()


def render_surfaces(
    representation: Representation, weights: Float[Tensor, "n p"], resolution: int
) -> list[trimesh.Trimesh]:
    """Surfaces where the logit is 0, of n fields, in the coordinates of the field."""
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
    """What the weights are, as their modality decodes them. For images, `resolution` is the longer side and `aspect`
    the (height, width) of the target in any unit; for shapes, the samples of the grid along an edge. Weights may be
    anywhere: it computes where the representation is."""
    return representation.modality.decode(representation, weights, resolution, aspect)
