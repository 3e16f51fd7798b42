"""A trained diffusion model over the weights of a zoo: sample it, save it, load it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.devices import moved
from wsr.errors import WsrError, unknown_name
from wsr.fields.representation import Representation
from wsr.formats.files import shown, there
from wsr.formats.schema import DiffusionSchema, as_config, parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors, save_tensors
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.process import make_process
from wsr.generators.diffusion.tokens import FlatTokens, make_tokens
from wsr.generators.diffusion.transformer import WeightTransformer
from wsr.paths import assets_dir, make_dir
from wsr.randomness import drawing_from
from wsr.zoo.bits import from_levels, pack, to_levels, unpack
from wsr.zoo.zoo import MAX_FILE_BYTES, load_representation

FORMAT = "wsr-diffusion-1"
WHAT = "a diffusion model"
STEP = "step."  # before the name of a matrix in levels: what a level of each of its rows is worth
SMALLEST_SPREAD = 1e-6  # of a parameter that is the same in all weights


@dataclass(frozen=True)
class SampleStep:
    """A step of sampling: `weights`, on the CPU, are the clean ones it heads for, after the last step the samples
    themselves."""

    step: int
    steps: int
    weights: Float[Tensor, "n p"]


@dataclass
class WeightDiffusion:
    """mean, spread: of each stored parameter over the training weights; about: the zoo's own meta and how it was
    trained, with `counts` of each class's weights; `classes` in the order of their labels. Network, mean and spread are
    on one device, where it samples; the representation stays on the CPU, where samples come to."""

    network: WeightTransformer
    config: DiffusionConfig
    representation: Representation | None
    mean: Float[Tensor, " p"]
    spread: Float[Tensor, " p"]
    classes: list[str]
    about: dict = field(default_factory=dict)

    @classmethod
    def new(
        cls, representation: Representation | None, weights: Float[Tensor, "n p"], config: DiffusionConfig,
        classes: list[str], about: dict | None = None, seed: int = 0,
    ) -> "WeightDiffusion":  # fmt: skip
        """An untrained model with the training weights' statistics. Without a representation the vectors are anything,
        a token each: the latents of an autoencoder."""
        with drawing_from(seed):
            if representation is None:
                tokens = FlatTokens([weights.shape[1]], config.width)
            else:
                tokens = make_tokens(representation, config)
            spread = weights.std(0).clamp_min(SMALLEST_SPREAD)
            network = WeightTransformer(tokens, config, len(classes))
        return cls(network, config, representation, weights.mean(0), spread, classes, about or {})

    def standardise(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Weights from anywhere in units of the training weights' spread, where the model is."""
        return (weights.to(self.mean.device) - self.mean) / self.spread

    def restore(self, standard: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        return standard * self.spread + self.mean

    def label(self, cls: str | None) -> int:
        """The label of a class; of none for None. WsrError for a class it has not seen."""
        if cls is None:
            return len(self.classes)
        if cls not in self.classes:
            raise unknown_name("class", cls, self.classes)
        return self.classes.index(cls)

    def sample(self, count: int, **options) -> Float[Tensor, "n p"]:
        """New weights (count, p), as a zoo stores them, on the CPU. `options`: those of `sample_stream`."""
        *_, last = self._sampled(count, **options)
        return last.weights.cpu()

    def draw_classes(self, count: int, seed: int = 0, first: int = 0) -> list[str]:
        """Classes as frequent as among the training weights, each sample's from a seed of its own."""
        counts = torch.tensor(self.about.get("counts", [1] * len(self.classes))).float()
        seeds = (-1 - (seed * 1_000_003 + row) for row in range(first, first + count))
        return [self.classes[int(counts.multinomial(1, generator=torch.Generator().manual_seed(s)))] for s in seeds]

    def sample_stream(self, count: int, **options) -> Iterator[SampleStep]:
        """A record after each step. cls: the class of all samples, or of each; by default drawn (`draw_classes`), which
        is what the weights are like as a whole: the network saw few without their class. guidance: 1 follows the class
        as trained, more exaggerates it, 0 ignores it; by default the config's. noise: where to begin, standard normal;
        by default drawn from `seed`, each sample from its own, so that the first of many are those of few. end: noise
        in [0, 1) from which the last step leads straight to the weights; by default the config's. WsrError for a count
        below 1, an unknown class, or steps or an end out of range."""
        for step in self._sampled(count, **options):
            yield replace(step, weights=step.weights.cpu())

    def _sampled(
        self, count: int, *, cls: str | Sequence[str | None] | None = None, guidance: float | None = None,
        steps: int = 100, seed: int = 0, noise: Float[Tensor, "n p"] | None = None, end: float | None = None,
    ) -> Iterator[SampleStep]:  # fmt: skip
        """`sample_stream` with the weights where the model is, so that no step waits for the device."""
        if count < 1:
            raise WsrError(f"The number of samples must be at least 1, not {count!r}.")
        end = self.config.end if end is None else end
        guidance = self.config.guidance if guidance is None else guidance
        if not 0 <= end < 1:
            raise WsrError(f"Sampling ends at a noise from 0 to below 1, not at {end!r}.")
        device = self.mean.device
        begun = (draw(count, len(self.mean), seed) if noise is None else noise).to(device)
        each = self.draw_classes(count, seed) if cls is None else [cls] * count if isinstance(cls, str) else cls
        labels = torch.tensor([self.label(one) for one in each], device=device)
        if all(one is None for one in each):
            guidance = 1.0  # without a class there is nothing to follow
        self.network.eval()
        predict = self._guided(labels, guidance)
        for step, (_, clean) in enumerate(make_process(self.config).walk(predict, begun, steps, end), 1):
            yield SampleStep(step, steps, self.restore(clean))

    def _guided(self, labels: Int[Tensor, " n"], guidance: float):
        nothing = torch.full_like(labels, len(self.classes))

        @torch.no_grad()
        def predict(x: Tensor, time: Tensor) -> Tensor:
            # of a single class there is nothing to exaggerate
            if guidance == 1.0 or len(self.classes) < 2:
                return self.network(x, time, labels)
            both = self.network(torch.cat([x, x]), torch.cat([time, time]), torch.cat([labels, nothing]))
            with_class, without = both.chunk(2)
            return without + guidance * (with_class - without)

        return predict

    def fingerprint(self) -> str:
        """The same for the same numbers: what tells two models of one zoo apart."""
        digest = hashlib.sha256()
        for tensor in (self.mean, self.spread, *self.network.state_dict().values()):
            digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def to(self, device: torch.device | str) -> "WeightDiffusion":
        """A copy on the device; itself where it is there already."""
        network = moved(self.network, device)
        if network is self.network and self.mean.to(device) is self.mean:
            return self
        return replace(self, network=network, mean=self.mean.to(device), spread=self.spread.to(device))

    def to_(self, device: torch.device | str) -> None:
        """Moves this very model, as training does, which changes it anyway. A loaded one is shared: use `to`."""
        self.network.to(device)
        self.mean, self.spread = self.mean.to(device), self.spread.to(device)

    def save(self, path: str | Path, bits: int = 16) -> None:
        """Written in files of at most 10 MB: `path`, and beside it `<stem>-1.safetensors` and so on. bits: of the
        network's parameters, 32, 16, or 2 to 8 of the numbers of its matrices. With 6 the held-out loss of a model of
        shapes rises by 0.0016 of 0.763, with 5 by 0.0055, with 4 by 0.016."""
        path, state = Path(path), {}
        for name, tensor in self.network.state_dict().items():
            if bits > 8 or tensor.ndim < 2:
                state[f"network.{name}"] = tensor.to(torch.float32 if bits == 32 else torch.float16)
            else:
                codes, step = to_levels(tensor.flatten(0, -2).cpu(), bits)
                state[f"network.{name}"], state[f"{STEP}{name}"] = pack(codes, bits), step
        state |= {"mean": self.mean, "spread": self.spread}
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        parts = _parts(state)
        meta = {
            "format": FORMAT,
            "config": asdict(self.config),
            "classes": self.classes,
            "files": len(parts),
            "bits": bits,
            "about": self.about,
        }
        make_dir(path.parent)
        for number, part in reversed(list(enumerate(parts))):  # the first, which names the others, last
            save_tensors(_file(path, number), part, {"wsr": json.dumps(meta)} if not number else None)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Around what builds a network of a file's settings: what they do not fit together for is the file's fault."""
    try:
        yield
    except WsrError:
        raise
    except (ValueError, KeyError, TypeError, RuntimeError, AssertionError, ArithmeticError, IndexError) as error:
        raise WsrError(f"{shown(path)} is not a diffusion model that can be read: {str(error)[:300]}.") from None


def read_about(path: Path) -> dict:
    """What a model's file says of itself (config, classes, about, files, bits), without torch. WsrError where it is no
    model."""
    with open_tensors(path, WHAT, "np") as file:
        return _about(file)


def _about(file: TensorFile) -> dict:
    meta = parse_json(file.metadata.get("wsr", "{}"), f"{file.fault}: of its metadata")
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise WsrError(f"{file.fault}: its format is not {FORMAT!r}.")
    validated(DiffusionSchema, meta, file.fault)
    return meta


def load_diffusion(name: str | Path, representation: Representation | None = None) -> WeightDiffusion:
    """A model by path, or by its name in assets/diffusion. representation: by default what its zoo's meta describes.
    WsrError where there is none, or it is not one of ours."""
    path, state = _path(name), {}
    meta = read_about(path)
    fault, checked = f"{shown(path)} is not {WHAT}", DiffusionSchema.model_validate(meta)
    config = as_config(DiffusionConfig, checked.config, fault)
    if representation is None and not meta["about"].get("zoo"):
        raise WsrError(f"{fault} that can decode what it samples: it does not say of which zoo its weights are.")
    model = representation or load_representation(meta["about"]["zoo"])
    with _readable(path), torch.device("meta"):  # the shapes alone: the file must hold them before they are allocated
        network = WeightTransformer(make_tokens(model, config), config, len(meta["classes"]))
        shapes = {name: known.shape for name, known in network.state_dict().items()}
    for number in range(meta["files"]):
        with open_tensors(_file(path, number), f"part {number} of {WHAT}") as file:
            state |= {key: file.tensor(key, dtypes=("F16", "F32", "U8")) for key in file.shapes}
    for key in ("mean", "spread"):
        if key not in state or state[key].shape != (model.size,):
            raise WsrError(f"{fault}: its {key!r} should be of the {model.size} numbers of its weights.")
    with _readable(path):
        restored = {name: _restored(state, name, shape, meta["bits"]) for name, shape in shapes.items()}
        with drawing_from(0):  # parameters that the file's replace at once
            network = WeightTransformer(make_tokens(model, config), config, len(meta["classes"]))
        network.load_state_dict(restored)
    mean, spread = state["mean"].float(), state["spread"].float()
    return WeightDiffusion(network.eval(), config, model, mean, spread, meta["classes"], meta["about"])


def _restored(state: dict[str, Tensor], name: str, shape: torch.Size, bits: int) -> Tensor:
    """A parameter as it was before `save`."""
    stored, step = state.get(f"network.{name}"), state.get(f"{STEP}{name}")
    packed = step is not None and bits <= 8
    rows, size = shape[:-1].numel(), -(-shape[-1] * bits // 8) if packed else None
    if stored is None or tuple(stored.shape) != ((rows, size) if packed else tuple(shape)):
        raise ValueError(f"its tensor {name!r} of the shape {tuple(shape)} is missing, or has another one")
    if packed != (stored.dtype == torch.uint8) or (packed and tuple(step.shape) != (rows, 1)):
        raise ValueError(f"its tensor {name!r} is not in {bits} bits, as the file says")
    if not packed:
        return stored.float()
    return from_levels(unpack(stored, shape[-1], bits), step, bits).view(shape)


def draw(count: int, size: int, seed: int, first: int = 0) -> Float[Tensor, "n p"]:
    """Standard normal noise, a generator of its own for each row from number `first` on."""
    generators = (torch.Generator().manual_seed(seed * 1_000_003 + row) for row in range(first, first + count))
    return torch.stack([torch.randn(size, generator=generator) for generator in generators])


def _parts(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """The tensors in groups below the limit of a file; one that is larger alone (at the `paper` preset) has its own."""
    parts, size = [{}], 0
    for name, tensor in state.items():
        own = tensor.numel() * tensor.element_size()
        if size and size + own > MAX_FILE_BYTES - 100_000:
            parts.append({})
            size = 0
        parts[-1][name] = tensor
        size += own
    return parts


def _file(path: Path, number: int) -> Path:
    return path if not number else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _path(name: str | Path) -> Path:
    path = Path(name)
    if there(path):
        return path
    folder = assets_dir() / "diffusion"
    named = folder / f"{path}.safetensors"
    if there(named):
        return named
    names = [file.stem for file in folder.glob("*.safetensors")]
    if not names:
        raise WsrError(f"There is no diffusion model at {str(name)!r}, and none in {str(folder)!r}: train one.")
    raise unknown_name("diffusion model", str(name), names)
