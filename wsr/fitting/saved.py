"""Weights in a file of their own, as they are taken home: numbers, and all that says what they are of."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.checkpoint import base_name, load_base
from wsr.fields.representation import Representation, make_representation
from wsr.paths import atomic_path
from wsr.presets import FieldConfig
from wsr.render.decode import decode

FORMAT = "wsr-weights-1"
RESOLUTION = {2: 256, 3: 96}


@dataclass(frozen=True)
class SavedWeights:
    """Weights (n, p) by their ids. aspect: width and height of images, in units of the longer side."""

    ids: list[str]
    weights: Float[Tensor, "n p"]
    representation: Representation
    aspect: tuple[int, int]

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
    aspect: tuple[int, int] = (1, 1),
) -> None:  # fmt: skip
    """One safetensors file, with what is needed to decode them in its metadata."""
    base = getattr(representation, "base", None)
    info = base.info if base is not None else None
    metadata = {
        "format": FORMAT,
        "representation": representation.name,
        "dim": str(representation.dim),
        "rank": str(representation.rank),
        "mask_seed": str(representation.mask_seed),
        "ids": json.dumps(ids),
        "base": base_name(info.path) if info else "",
        "base_sha256": info.sha256 if info else "",
        "field": json.dumps(asdict(representation.config)),
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
    base, seed = load_base(meta["base"]) if meta["base"] else None, int(meta["mask_seed"])
    if base is not None and base.info.sha256 != meta["base_sha256"]:
        raise WsrError(
            f"{str(path)!r} was fitted on another base {meta['base']!r} (SHA-256 {meta['base_sha256'][:12]}…) than "
            f"the one here ({base.info.sha256[:12]}…): its weights mean nothing on it."
        )
    config = base.config if base is not None else FieldConfig(**json.loads(meta["field"]))
    model = make_representation(meta["representation"], base, config, int(meta["rank"]), seed)
    return SavedWeights(json.loads(meta["ids"]), weights, model, tuple(json.loads(meta["aspect"])))
