"""Weights in a file of their own, as they are taken home: numbers, and all that says what they are of."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.checkpoint import base_name, load_base
from wsr.fields.representation import Representation, make_representation, stored_size
from wsr.formats.files import shown
from wsr.formats.schema import WeightsSchema, as_config, parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors, save_tensors
from wsr.presets import FieldConfig
from wsr.render.decode import decode

FORMAT = "wsr-weights-1"
WHAT = "a file of weights that were taken home"
TEXTS = ("ids", "field", "aspect", "layout", "dim", "rank", "mask_seed")  # of the metadata, which hold JSON
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
        for item, good in zip(ids, self.weights[rows].isfinite().all(1).tolist(), strict=True):
            if not good:
                raise WsrError(f"The weights of {item!r} are not finite, as of a fit that diverged: they show nothing.")
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
    save_tensors(path, {"weights": weights}, metadata)


def load_weights(path: str | Path) -> SavedWeights:
    """What `save_weights` wrote: `FitResult.save`, `wsr fit --out`, or the page's "Take it home". WsrError for another
    file, or where the base that the weights are of is not here."""
    with open_tensors(path, WHAT) as file:
        about = _about(file)
        config = as_config(FieldConfig, about.field, file.fault)
        base = load_base(about.base) if about.base else None
        if base is not None and base.info.sha256 != about.base_sha256:
            raise WsrError(
                f"{shown(path)} was fitted on another base {about.base!r} (SHA-256 {about.base_sha256[:12]}…) than "
                f"the one here ({base.info.sha256[:12]}…): its weights mean nothing on it."
            )
        config = base.config if base is not None else config
        # the size is asked for before anything of it is allocated
        size = stored_size(about.representation, config, about.rank)
        weights = file.tensor("weights", (len(about.ids), size), finite=False).float()
        fault = file.fault
    model = make_representation(about.representation, base, config, about.rank, about.mask_seed)
    if model.layout.to_json() != [entry.model_dump() for entry in about.layout]:
        raise WsrError(f"{fault}: its layout is not that of {about.representation!r} on its base.")
    return SavedWeights(about.ids, weights, model, tuple(about.aspect))


def _about(file: TensorFile) -> WeightsSchema:
    if file.metadata.get("format") != FORMAT:
        raise WsrError(f"{file.fault}: its format is not {FORMAT!r}.")
    meta = dict(file.metadata)
    for key in TEXTS:
        if key in meta:
            meta[key] = parse_json(meta[key], f"{file.fault}: of its {key!r}")
    return validated(WeightsSchema, meta, file.fault)
