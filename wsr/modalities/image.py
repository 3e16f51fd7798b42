"""Images: RGB at points of the plane, fitted with the squared error and judged by PSNR. Why methods import what they
call: see `wsr.modalities`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image as pictures

from wsr.errors import WsrError
from wsr.modalities.base import Live, Measured, Modality, Resolutions
from wsr.paths import atomic_path
from wsr.picture_formats import SUFFIXES

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.data.signals import Signals
    from wsr.fields.representation import Representation
    from wsr.metrics.features import Extractor
    from wsr.modalities.image_targets import ImageEvaluator, ImageTargets


class Image(Modality):
    """A content is an array (h, w, 3) of float32 in [0, 1]; the values of a field are RGB in [-1, 1]."""

    name, dim, channels, noun, plural = "image", 2, 3, "image", "images"
    measure, unit, title, decimals = "psnr", "dB", "PSNR (dB)", 1
    poor, tolerance, negligible = 15.0, 0.05, 0.2
    default_base, folder, files, suffix = "emoji", "images", SUFFIXES, ".png"
    saves = (".png", ".jpg", ".jpeg", ".webp")
    zoomable = True
    resolutions = Resolutions(
        final=128, large=256, opened=256, beside=96, sample=96, settled=128, judged=128, thumbnail=64,
        live=Live(128, 0.25), live_six=Live(96, 0.7), live_samples=Live(48, 0.3),
    )  # fmt: skip

    def recognises(self, given):
        if isinstance(given, (str, Path)):
            return Path(given).suffix.lower() in SUFFIXES
        return isinstance(given, pictures.Image) or getattr(given, "ndim", 0) in (2, 3)

    def read(self, given: Any, longest: int | None = None) -> Float[np.ndarray, "h w 3"]:
        """Keeps an array as it is; reduces files and PIL images so that no side is longer than `longest` pixels."""
        from wsr.data.images import read_image

        if hasattr(given, "ndim"):
            return read_image(np.asarray(given))
        return read_image(given, longest)

    def unbatched(self, array):
        if array.ndim == 3 and array.shape[-1] == 3:
            return [array]
        return list(array) if array.ndim == 4 and array.shape[-1] == 3 else None

    def content_parts(self, content):
        return [np.round(content * 255).astype("u1")]

    def load_folder(self, folder):
        from wsr.data.images import load_image_folder

        return load_image_folder(folder)

    def report(self, path, resolution):
        from wsr.data.picture_report import describe_picture

        return describe_picture(path).sentences(resolution)

    def aspect(self, content):
        return tuple(content.shape[:2])

    def samples(self, signals: Signals) -> UInt8[Tensor, "n h w 3"]:
        from wsr.modalities.image_targets import stack_images

        return stack_images(signal.read() for signal in signals)

    def targets(self, samples, device="cpu", seed=0) -> ImageTargets:
        from wsr.modalities.image_targets import ImageTargets

        return ImageTargets(samples, device, seed)

    def evaluator(self, signals, samples, points) -> ImageEvaluator:
        from wsr.modalities.image_targets import ImageEvaluator

        return ImageEvaluator(samples)

    def encoder(self, features):
        from wsr.modalities.image_encoder import ImageEncoder

        return ImageEncoder(features)

    def coarse(self, signals, size):
        """Returns the means over size × size parts of each image."""
        from torch.nn.functional import adaptive_avg_pool2d

        images = self.samples(signals)  # (n, h, w, 3) of bytes
        return adaptive_avg_pool2d(images.permute(0, 3, 1, 2).float() / 255, size).flatten(1)

    def shown(self, values):
        """Converts values to RGB in [0, 1], without clamping."""
        return (values + 1) / 2

    def places(self, resolution):
        from wsr.fields.coordinates import pixel_grid

        return pixel_grid(resolution, resolution)[None]

    def decode(
        self, model: Representation, weights: Float[Tensor, "n p"], resolution: int, aspect: tuple[int, int]
    ) -> Float[np.ndarray, "n h w 3"]:
        """Decodes images in [0, 1] whose longer side is `resolution` pixels."""
        from wsr.render.decode import render_images

        longest = max(aspect)
        height, width = (max(round(resolution * side / longest), 1) for side in aspect)
        if not len(weights):
            return np.zeros((0, height, width, 3), np.float32)
        return render_images(model, weights, height, width)

    def picture(self, decoded, size=None):
        """Returns the image itself, whatever `size` is."""
        return np.uint8(np.round(np.clip(decoded, 0, 1) * 255))

    def save(self, decoded, path):
        """Writes a PNG, or the format of the path's ending if Pillow can write it."""
        with atomic_path(path) as temporary:
            kind = pictures.registered_extensions().get(path.suffix.lower(), "PNG")
            pictures.fromarray(np.round(decoded * 255).astype(np.uint8)).save(temporary, kind)

    def extractor(self) -> Extractor:
        """Returns CLIP if its weights are available, else EfficientNet-Lite0."""
        from wsr.metrics.features import default_extractor

        return default_extractor("images")

    def measured(self, decoded, first=0):
        return Measured(np.clip(decoded, 0, 1))

    def refuse(self, array: np.ndarray) -> WsrError:
        """Returns the error for an array that is neither a batch of images nor of anything else."""
        return WsrError(f"An array of images has shape (n, h, w, 3), this one has {array.shape}.")


IMAGE = Image()
