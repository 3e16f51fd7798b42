"""Weights in a file of their own, as they are taken home: numbers, and all that says what they are of."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.paths import atomic_path
from wsr.render.decode import decode

FORMAT = "wsr-weights-1"
RESOLUTION = {2: 256, 3: 96}


@dataclass(frozen=True)
class SavedWeights:
    """Weights (n, p) by their ids. aspect: width and height of images, in units of the longer side; fitted: how they
    were fitted, empty where the file does not say."""

    ids: list[str]
    weights: Float[Tensor, "n p"]
    representation: Representation
    aspect: tuple[int, int]
    fitted: dict[str, Any] = field(default_factory=dict)

    def render(self, resolution: int | None = None) -> Float[np.ndarray, "n h w 3"] | list[trimesh.Trimesh]:
        """What they are: images in [0, 1] whose longer side is `resolution`, or meshes."""
        return self.decode(self.ids, resolution)

    def decode(
        self, ids: list[str], resolution: int | None = None
    ) -> Float[np.ndarray, "n h w 3"] | list[trimesh.Trimesh]:  # fmt: skip
        """The same of some of them, as a zoo has it."""
        rows = [self.ids.index(item) for item in ids]
        resolution = resolution or RESOLUTION[self.representation.dim]
        return decode(self.representation, self.weights[rows], resolution, self.aspect)


def save_weights(
    path: str | Path, weights: Float[Tensor, "n p"], representation: Representation, ids: list[str],
    aspect: tuple[int, int] = (1, 1), fitted: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """One safetensors file, with what is needed to decode them in its metadata. fitted: how they were fitted, where
    that is known: settings of the fit, steps, resolution."""
    described = FieldDescription.of(representation)
    metadata = {
        "format": FORMAT,
        "representation": described.representation,
        "dim": str(representation.dim),
        "rank": str(described.rank),
        "mask_seed": str(described.mask_seed),
        "ids": json.dumps(ids),
        "base": described.base or "",
        "base_sha256": described.base_sha256 or "",
        "field": json.dumps(asdict(described.field)),
        "fitted": json.dumps(fitted or {}),
        "aspect": json.dumps(aspect),
        "layout": json.dumps(representation.layout.to_json()),
    }
    with atomic_path(path) as temporary:
        save_file({"weights": weights.detach().cpu().contiguous()}, temporary, metadata=metadata)


def load_weights(path: str | Path) -> SavedWeights:
    """What `save_weights` wrote: `FitResult.save`, `wsr fit --out`, or the page's "Take it home". WsrError for another
    file, or where the base that the weights are of is not here."""
    try:
        with safe_open(path, "pt") as file:
            meta, weights = file.metadata() or {}, file.get_tensor("weights").float()
        if meta.get("format") != FORMAT or "field" not in meta:
            raise ValueError(f"its format is not {FORMAT!r}")
    except (OSError, SafetensorError, ValueError) as error:
        raise WsrError(f"{str(path)!r} holds no weights that were taken home: {error}.") from None
    numbers = {key: json.loads(meta[key]) for key in ("field", "rank", "mask_seed")}
    model = FieldDescription.read({**meta, **numbers}).load()
    fitted = json.loads(meta.get("fitted", "{}"))
    return SavedWeights(json.loads(meta["ids"]), weights, model, tuple(json.loads(meta["aspect"])), fitted)
