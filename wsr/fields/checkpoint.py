"""Base fields on disk: one safetensors file with its configuration, so that a base is rebuilt from its file alone."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.base import BaseField
from wsr.paths import assets_dir, atomic_path
from wsr.presets import FieldConfig

FORMAT = "wsr-base-1"


@dataclass
class BaseInfo:
    """What a base's file says of itself. mask_seed: the seed of the asymmetric masks of everything adapted to it;
    training: how it was made (data set, steps, seconds, machine)."""

    dataset: str
    preset: str
    mask_seed: int = 0
    training: dict = field(default_factory=dict)
    sha256: str = ""
    path: str = ""


def save_base(
    path: str | Path, base: BaseField, info: BaseInfo, latents: Tensor | None = None, ids: list[str] | None = None
) -> None:
    """Writes a base, its latents (n, z) and the ids they belong to."""
    tensors = {f"base.{name}": value.detach().contiguous().cpu() for name, value in base.state_dict().items()}
    if latents is not None:
        tensors["latents"] = latents.detach().half().contiguous().cpu()
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(base.config)),
        "dataset": info.dataset,
        "preset": info.preset,
        "mask_seed": str(info.mask_seed),
        "training": json.dumps(info.training),
        "ids": json.dumps(ids or []),
    }
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def load_base(name_or_path: str | Path) -> BaseField:
    """A pre-trained base: "emoji" (images), "shapes10" (shapes), or the path of a checkpoint. Frozen, on the CPU; its
    `.info` tells where it comes from. WsrError where there is none, or the file is not a base."""
    path = base_path(name_or_path)
    stamp = path.stat()
    return _load(path, stamp.st_mtime_ns, stamp.st_size)


def base_path(name_or_path: str | Path) -> Path:
    path = assets_dir() / "bases" / f"{name_or_path}.safetensors"
    if path.is_file():
        return path
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    names = [p.stem for p in (assets_dir() / "bases").glob("*.safetensors")]
    if not names:
        raise WsrError(
            f"There is no base {str(name_or_path)!r}: train one with `wsr base`, or fetch the repository's "
            "assets/bases/."
        )
    raise unknown_name("base", str(name_or_path), names)


def base_name(path: str | Path) -> str:
    """What a zoo calls the base in this file: its name where it is one of the assets, else its path."""
    path = Path(path)
    return path.stem if path.parent == assets_dir() / "bases" else str(path.resolve())


@lru_cache(maxsize=8)
def _load(path: Path, _mtime: int, _size: int) -> BaseField:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {key.removeprefix("base."): file.get_tensor(key) for key in file.keys() if key.startswith("base.")}
    except (SafetensorError, OSError) as error:
        raise WsrError(
            f"{str(path)!r} is not a safetensors file ({error}): a base is one written by `wsr base`."
        ) from None
    if metadata.get("format") != FORMAT:
        raise WsrError(
            f"{str(path)!r} is a safetensors file but not a base of wsr: its format is "
            f"{metadata.get('format')!r}, it should be {FORMAT!r}."
        )
    base = BaseField(FieldConfig(**json.loads(metadata["config"])))
    base.load_state_dict(state)
    base.info = BaseInfo(
        metadata["dataset"],
        metadata["preset"],
        int(metadata["mask_seed"]),
        json.loads(metadata["training"]),
        hashlib.sha256(path.read_bytes()).hexdigest(),
        str(path),
    )
    return base.eval().requires_grad_(False)


def base_ids(name_or_path: str | Path) -> list[str]:
    """The ids of a base's training set, in the order of its latents."""
    with safe_open(base_path(name_or_path), "pt") as file:
        return json.loads(file.metadata()["ids"])


def load_latents(name_or_path: str | Path) -> tuple[Tensor, list[str]]:
    """The latent codes (n, z) of a base's training set and their ids."""
    with safe_open(base_path(name_or_path), "pt") as file:
        return file.get_tensor("latents").float(), json.loads(file.metadata()["ids"])
