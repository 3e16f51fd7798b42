"""Saved weights: files with fitted weights and everything that is needed to decode them."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.description import FieldDescription, field_config
from wsr.fields.registry import named
from wsr.fields.representation import Representation
from wsr.fitting.verdict import require_finite
from wsr.formats.schema import WeightsSchema, parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors, save_tensors
from wsr.modalities import Modality
from wsr.render.decode import decode

FORMAT = "wsr-weights-1"
WHAT = "a file of saved weights"
TEXTS = ("ids", "field", "fitted", "aspect", "layout", "dim", "rank", "mask_seed")  # metadata entries that hold JSON


@dataclass(frozen=True)
class SavedWeights:
    """Weights (n, p) and the instance ids of their rows. aspect: height and width of the images, in any unit; fitted:
    how they were fitted, empty if the file does not say."""

    ids: list[str]
    weights: Float[Tensor, "n p"]
    representation: Representation
    aspect: tuple[int, int]
    fitted: dict[str, Any] = field(default_factory=dict)

    @property
    def modality(self) -> Modality:
        """What the values of the fields are."""
        return self.representation.modality

    def to(self, device: torch.device | str) -> "SavedWeights":
        """Returns a copy that decodes on the device."""
        return replace(self, representation=self.representation.to(device))

    def render(self, resolution: int | None = None) -> Float[np.ndarray, "n *rest"] | list[Any]:
        """Decodes all weights: images in [0, 1] whose longer side is `resolution` pixels, meshes, or whatever else the
        modality decodes."""
        return self.decode(self.ids, resolution)

    def decode(
        self, ids: list[str], resolution: int | None = None
    ) -> Float[np.ndarray, "n *rest"] | list[Any]:  # fmt: skip
        """Decodes the weights of some instances, like `Zoo.decode`. WsrError for weights that are not finite."""
        rows = [self.ids.index(item) for item in ids]
        require_finite(ids, self.weights[rows])
        resolution = resolution or self.modality.resolutions.large
        return decode(self.representation, self.weights[rows], resolution, self.aspect)


def save_weights(
    path: str | Path, weights: Float[Tensor, "n p"], representation: Representation, ids: list[str],
    aspect: tuple[int, int] = (1, 1), fitted: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Writes weights to one safetensors file whose metadata hold everything needed to decode them. fitted: how they
    were fitted, if known: settings of the fit, steps, resolution."""
    described = FieldDescription.of(representation)
    metadata = {
        "format": FORMAT,
        "representation": described.representation,
        "dim": str(representation.dim),
        "modality": representation.modality.name,
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
    save_tensors(path, {"weights": weights}, metadata)


def load_weights(path: str | Path) -> SavedWeights:
    """Loads weights that `FitResult.save`, `wsr fit --out` or a download from the page has written. WsrError for any
    other file, or if the base that the weights were fitted on is missing."""
    with open_tensors(path, WHAT) as file:
        about = _about(file)
        described = FieldDescription(
            about.representation, about.rank, about.mask_seed, about.base or None, about.base_sha256 or None,
            field_config(about.field, file.fault),
        )  # fmt: skip
        # compared with the file's tensor before anything of that size is allocated
        kind = named(about.representation)
        size = kind.cls.stored_size(kind, described.sizes(), about.rank)
        # Cloned for its alignment: otherwise the rounding of sums would depend on the length of the file's header.
        weights = file.tensor("weights", (len(about.ids), size), finite=False).float().clone()
        fault = file.fault
    model = described.load()
    if model.layout.to_json() != [entry.model_dump() for entry in about.layout]:
        raise WsrError(f"{fault}: its layout is not that of {about.representation!r} on its base.")
    return SavedWeights(about.ids, weights, model, tuple(about.aspect), about.fitted)


def _about(file: TensorFile) -> WeightsSchema:
    if file.metadata.get("format") != FORMAT:
        raise WsrError(f"{file.fault}: its format is not {FORMAT!r}.")
    meta = dict(file.metadata)
    for key in TEXTS:
        if key in meta:
            meta[key] = parse_json(meta[key], f"{file.fault}: of its {key!r}")
    return validated(WeightsSchema, meta, file.fault)
