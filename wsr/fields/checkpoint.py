"""Base fields on disk: one safetensors file holds the weights and the configuration, so that the file alone is enough
to rebuild a base."""

import hashlib
import json
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from wsr.caching import cached_by_file
from wsr.errors import WsrError, counted, unknown_name
from wsr.fields.base import BaseField
from wsr.formats.files import refuse_stand_in, there
from wsr.formats.schema import BaseSchema, as_config, parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors, save_tensors
from wsr.hub import BASE_FILE, fetched, on_hub
from wsr.paths import base_dirs
from wsr.presets import FieldConfig

FORMAT = "wsr-base-1"
WHAT = "a base"


@dataclass
class BaseInfo:
    """What a base's file states about the base. mask_seed: seed of the asymmetric masks of all representations that
    adapt it; training: how it was trained (data set, steps, seconds, machine); sha256, path: of the file it was read
    from; modality: name of the modality of its training data, if it was read from a file."""

    dataset: str
    preset: str
    mask_seed: int = 0
    training: dict = field(default_factory=dict)
    sha256: str = ""
    path: str = ""
    modality: str = ""


def save_base(
    path: str | Path, base: BaseField, info: BaseInfo, latents: Float[Tensor, "n z"] | None = None,
    ids: list[str] | None = None,
) -> None:  # fmt: skip
    """Writes a base to a file, with the latent codes (n, z) of its training set and the instance id of each row."""
    tensors = {f"base.{name}": value.detach().contiguous().cpu() for name, value in base.state_dict().items()}
    if latents is not None:
        tensors["latents"] = latents.detach().half().contiguous().cpu()
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(base.config)),
        "dataset": info.dataset,
        "preset": info.preset,
        "modality": base.config.modality,
        "mask_seed": str(info.mask_seed),
        "training": json.dumps(info.training),
        "ids": json.dumps(ids or []),
    }
    save_tensors(path, tensors, metadata)


def load_base(name_or_path: str | Path) -> BaseField:
    """Loads a pre-trained base: "emoji" (images), "shapes10" (shapes), the path of a checkpoint, or "hub:OWNER/NAME",
    one on the Hugging Face Hub. It is frozen and on the CPU, and everybody who loads it shares its tensors;
    `.to(device)` returns a copy. `.info` tells how it was made. WsrError if there is no such base, or if the file is
    not a base."""
    path = base_path(name_or_path)
    refuse_stand_in(path, WHAT)
    found = _load(path)
    if on_hub(name_or_path):  # zoos on it name it so: the file of the cache lies elsewhere on another machine
        found = copy(found)
        found.info = replace(found.info, path=name_or_path)
    return found


def base_path(name_or_path: str | Path) -> Path:
    """Returns the file of a base, given its path or its name. Names are looked up in the assets folder and among the
    bases that come with wsr, and "hub:OWNER/NAME" on the Hub. WsrError if there is none."""
    if on_hub(name_or_path):
        return fetched(name_or_path, BASE_FILE)
    if named := _named(name_or_path):
        return named
    if there(name_or_path):
        return Path(name_or_path)
    names = dict.fromkeys(path.stem for folder in base_dirs() for path in sorted(folder.glob("*.safetensors")))
    if not names:
        raise WsrError(
            f"There is no base {str(name_or_path)!r}: train one with `wsr base`, or fetch the repository's "
            "assets/bases/."
        )
    raise unknown_name("base", str(name_or_path), names)


def _named(name: str | Path) -> Path | None:
    return next((path for folder in base_dirs() if there(path := folder / f"{name}.safetensors")), None)


def base_name(path: str | Path) -> str:
    """Returns how a zoo refers to the base in this file: by its name if that name leads to this file, else by its
    absolute path; by its name on the Hub if it is there."""
    if on_hub(path):
        return path
    path = Path(path)
    return path.stem if path == _named(path.stem) else str(path.resolve())


@cached_by_file(lambda path: [path], maxsize=8)
def _load(path: Path) -> BaseField:
    with open_tensors(path, WHAT) as file:
        about = _about(file)
        config = as_config(FieldConfig, about.config, file.fault)
        shapes = base_shapes(config)
        for name, shape in shapes.items():  # checked before anything of a stated size is allocated
            file.require(f"base.{name}", shape)
        state = {name: file.tensor(f"base.{name}") for name in shapes}
    base = BaseField(config)
    base.load_state_dict(state)
    base.info = BaseInfo(
        about.dataset,
        about.preset,
        about.mask_seed,
        about.training,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        str(path),
        config.modality,
    )
    return base.eval().requires_grad_(False)


def _about(file: TensorFile) -> BaseSchema:
    if file.metadata.get("format") != FORMAT:
        raise WsrError(
            f"{file.fault} of wsr: its format is {file.metadata.get('format', '')[:60]!r}, it should be {FORMAT!r}, as "
            "`wsr base` writes it."
        )
    meta = dict(file.metadata)
    for key in ("config", "training", "ids", "mask_seed"):
        if key in meta:
            meta[key] = parse_json(meta[key], f"{file.fault}: of its {key!r}")
    return validated(BaseSchema, meta, file.fault)


def base_shapes(config: FieldConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each tensor of a base, without allocating the base."""
    c, layers, width, out = config.channels, config.layers, config.mapping_width, config.outputs
    sizes = [config.latent] + [width] * config.mapping_layers
    shapes = {"fourier_weight": (c, config.dim), "fourier_phase": (c,), "weight": (layers, c, c), "bias": (layers, c)}
    shapes |= {"out_weight": (out, c), "out_bias": (out,), "affine": (layers, c, width), "affine_bias": (layers, c)}
    for i in range(config.mapping_layers):
        shapes |= {f"mapping.{i}": (sizes[i + 1], sizes[i]), f"mapping_bias.{i}": (sizes[i + 1],)}
    return shapes | {"mean_style": (layers, c)}


def base_ids(name_or_path: str | Path) -> list[str]:
    """Returns the instance ids of a base's training set, in the order of its latent codes. WsrError if the file is not
    a base."""
    with open_tensors(base_path(name_or_path), WHAT) as file:
        return _about(file).ids


def load_latents(name_or_path: str | Path) -> tuple[Float[Tensor, "n z"], list[str]]:
    """Returns the latent codes (n, z) of a base's training set and their instance ids. WsrError if the file is not a
    base or holds no latent codes."""
    with open_tensors(base_path(name_or_path), WHAT) as file:
        about = _about(file)
        latents = file.tensor("latents", (None, about.config.latent)).float()
        if len(about.ids) != len(latents):
            held = f"{counted(len(latents), 'latent')} for {counted(len(about.ids), 'id')}"
            raise WsrError(f"{file.fault}: it has {held}.")
        return latents, about.ids
