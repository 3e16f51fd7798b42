"""`wsr bench surfaces`: compares the hierarchical grid with evaluating every sample."""

import time
from collections.abc import Callable

import numpy as np
import torch

from wsr.errors import WsrError
from wsr.render.surfaces import extract_surface, extract_surface_dense
from wsr.zoo import Zoo


def bench_surfaces(zoo: Zoo, resolution: int = 128, count: int = 10, say: Callable[[str], None] = print) -> dict:
    """Extracts the same surfaces both ways, and returns the seconds of each and the number of surface points that
    differ (there should be none). WsrError for a zoo of a modality without surfaces."""
    if not zoo.modality.has_surface:
        raise WsrError(f"{zoo.modality.plural.capitalize()} have no surface: name a zoo of shapes.")
    rows = []
    for row in zoo.weights(zoo.ids[:count]).split(1):

        def logits(points, row=row):
            with torch.no_grad():
                return zoo.representation.evaluate(row, points[None])[0, :, 0]

        times, meshes = [], []
        for extract in (extract_surface, extract_surface_dense):
            begun = time.perf_counter()
            meshes.append(extract(logits, resolution))
            times.append(time.perf_counter() - begun)
        same = meshes[0].vertices.shape == meshes[1].vertices.shape and np.allclose(
            np.sort(meshes[0].vertices, axis=0), np.sort(meshes[1].vertices, axis=0), atol=1e-5
        )
        rows.append((*times, same))
        say(f"hierarchical {times[0]:.2f} s, dense {times[1]:.2f} s, {'the same' if same else 'another'} surface")
    hierarchical, dense = (float(np.mean([row[i] for row in rows])) for i in (0, 1))
    return {
        "resolution": resolution,
        "instances": count,
        "hierarchical_seconds": hierarchical,
        "dense_seconds": dense,
        "speedup": dense / hierarchical,
        "same_surface": sum(row[2] for row in rows),
    }
