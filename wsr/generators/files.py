"""Files of generators: `<name>.safetensors`, and `<name>-1.safetensors` and so on for a generator of more than 10 MB.

The metadata of the first file state the kind of generator (`generator`; if missing, diffusion), its settings, its
classes and how it was trained. Parameters of networks may be quantized; all other tensors are stored as they are.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import split_torch_state_dict_into_shards
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.representation import Representation
from wsr.formats.files import shown, there
from wsr.formats.tensors import open_tensors, save_tensors
from wsr.generators.metadata import FORMAT, WHAT, read_about
from wsr.generators.registry import named
from wsr.paths import assets_dir, make_dir
from wsr.zoo.bits import dequantize, pack, quantize, unpack
from wsr.zoo.checked import located
from wsr.zoo.zoo import MAX_FILE_BYTES, load_representation

NETWORK = "network."  # prefix of the names of network parameters
STEP = "step."  # prefix of the name of a quantized matrix; holds the quantization step of each of its rows
HEADER_BYTES = 100_000  # reserved for the header of each file


@dataclass
class ModelFile:
    """The contents of a generator's file.

    config: the generator's own settings, as JSON; state: tensors by name, where names that start with "network." are
    parameters of networks; bits: of a stored network parameter, 32 if nothing was read from a file; fault: beginning of
    an error message about the file.
    """

    config: dict[str, Any]
    classes: list[str]
    about: dict[str, Any]
    state: dict[str, Tensor] = field(repr=False)
    bits: int = 32
    fault: str = "This generator cannot be read"

    def tensor(self, name: str, shape: tuple[int | None, ...]) -> Float[Tensor, "..."]:
        """Returns a tensor in float32. ValueError if it is missing or has another shape; None stands for any size."""
        found = self.state.get(name)
        fits = found is not None and found.ndim == len(shape) and found.is_floating_point()
        if not fits or any(want not in (None, side) for want, side in zip(shape, found.shape, strict=True)):
            raise ValueError(f"its {name!r} should be of the shape {tuple('any' if s is None else s for s in shape)}")
        return found.float()

    def add(self, prefix: str, part: "ModelFile") -> None:
        """Adds the tensors of another generator, or of a part of this one, under names with `prefix`."""
        for name, tensor in part.state.items():
            kind = NETWORK if name.startswith(NETWORK) else ""
            self.state[f"{kind}{prefix}{name.removeprefix(kind)}"] = tensor

    def part(self, prefix: str, config: dict[str, Any], classes: list[str]) -> "ModelFile":
        """Returns the tensors that `add` has added with this prefix."""
        state = {}
        for name, tensor in self.state.items():
            kind = next((kind for kind in (NETWORK, STEP) if name.startswith(kind)), "")
            if name.startswith(kind + prefix):
                state[kind + name.removeprefix(kind + prefix)] = tensor
        return ModelFile(config, classes, {}, state, self.bits, self.fault)

    def network(self, shapes: Mapping[str, torch.Size], prefix: str = "") -> dict[str, Tensor]:
        """Returns the parameters of a network under `prefix`, dequantized. ValueError if one is missing or has another
        shape."""
        return {name: self._parameter(prefix + name, shape) for name, shape in shapes.items()}

    def _parameter(self, name: str, shape: torch.Size) -> Tensor:
        stored, step = self.state.get(NETWORK + name), self.state.get(STEP + name)
        packed = step is not None and self.bits <= 8
        rows, size = shape[:-1].numel(), -(-shape[-1] * self.bits // 8) if packed else None
        if stored is None or tuple(stored.shape) != ((rows, size) if packed else tuple(shape)):
            raise ValueError(f"its tensor {name!r} of the shape {tuple(shape)} is missing, or has another one")
        if packed != (stored.dtype == torch.uint8) or (packed and tuple(step.shape) != (rows, 1)):
            raise ValueError(f"its tensor {name!r} is not in {self.bits} bits, as the file says")
        if not packed:
            return stored.float()
        return dequantize(unpack(stored, shape[-1], self.bits), step, self.bits).view(shape)


def write_model(path: Path, kind: str, content: ModelFile, bits: int) -> None:
    """Writes a generator's files. The first file states the number of files and is written last."""
    state: dict[str, Tensor] = {}
    for name, tensor in content.state.items():
        parameter = name.removeprefix(NETWORK)
        if parameter == name:
            state[name] = tensor
        elif bits > 8 or tensor.ndim < 2:
            state[name] = tensor.to(torch.float32 if bits == 32 else torch.float16)
        else:
            codes, step = quantize(tensor.flatten(0, -2).cpu(), bits)
            state[name], state[STEP + parameter] = pack(codes, bits), step
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    shards = split_torch_state_dict_into_shards(state, max_shard_size=MAX_FILE_BYTES - HEADER_BYTES)
    parts = [{name: state[name] for name in names} for names in shards.filename_to_tensors.values()]
    meta = {"format": FORMAT, "generator": kind, "config": content.config, "classes": content.classes}
    meta |= {"files": len(parts), "bits": bits, "about": content.about}
    make_dir(path.parent)
    for number, part in reversed(list(enumerate(parts))):
        save_tensors(_part(path, number), part, {"wsr": json.dumps(meta)} if not number else None)


def load_generator(
    name: str | Path, representation: Representation | None = None, of: type | None = None, what: str = WHAT
) -> Any:
    """Loads a generator by its path, or by its name in assets/diffusion. representation: by default the one that its
    zoo's meta describes; of: the class that it must be an instance of. WsrError if there is none, or if it cannot be
    read."""
    path = _path(name)
    meta = read_about(path, what)
    fault, kind = f"{shown(path)} is not {what}", named(meta["generator"])
    if of is not None and not issubclass(kind.generator, of):
        raise WsrError(f"{fault}: it is of the generator {kind.title!r}.")
    if representation is None and not meta["about"].get("zoo"):
        raise WsrError(f"{fault} that can decode what it samples: it does not say of which zoo its weights are.")
    model, state = representation or load_representation(located(meta["about"]["zoo"], path.parent)), {}
    for number in range(meta["files"]):
        state |= _stored(_part(path, number), f"part {number} of {what}")
    with _readable(path, what):
        content = ModelFile(meta["config"], meta["classes"], meta["about"], state, meta["bits"], fault)
        return kind.generator.from_contents(content, model)


def _stored(path: Path, what: str) -> dict[str, Tensor]:
    with open_tensors(path, what) as file:
        return {key: file.tensor(key, dtypes=("F16", "F32", "U8")) for key in file.shapes}


def copy_generator(path: Path, out: Path, meta: Mapping[str, Any]) -> None:
    """Copies the files of a generator, with other metadata in the first one (as `read_about` returns them). WsrError if
    one of them is missing or damaged."""
    for number in range(meta["files"]):
        about = {"wsr": json.dumps(meta)} if not number else None
        save_tensors(_part(out, number), _stored(_part(path, number), f"part {number} of {WHAT}"), about)


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    """Wraps the code that builds a generator from a file: if the parts do not fit together, the file is to blame."""
    try:
        yield
    except WsrError:
        raise
    except (ValueError, KeyError, TypeError, RuntimeError, AssertionError, ArithmeticError, IndexError) as error:
        raise WsrError(f"{shown(path)} is not {what} that can be read: {str(error)[:300]}.") from None


def tensors_hash(state: Mapping[str, Tensor]) -> str:
    """Returns a hash of 16 hexadecimal digits of all numbers in order."""
    digest = hashlib.sha256()
    for tensor in state.values():
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _part(path: Path, number: int) -> Path:
    return path if not number else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _path(name: str | Path) -> Path:
    path = Path(name)
    if there(path):
        return path
    folder = assets_dir() / "diffusion"
    by_name = folder / f"{path}.safetensors"
    if there(by_name):
        return by_name
    names = [file.stem for file in folder.glob("*.safetensors")]
    if not names:
        raise WsrError(f"There is no generator at {str(name)!r}, and none in {str(folder)!r}: train one.")
    raise unknown_name("generator", str(name), names)
