"""The targets of images and shapes under the names that callers have known; they live in `wsr.modalities`."""

from wsr.modalities.image_targets import ImageTargets, stack_images, to_signed, to_unit
from wsr.modalities.occupancy_targets import ShapeTargets
from wsr.modalities.targets import Batch, Targets

__all__ = ["Batch", "ImageTargets", "ShapeTargets", "Targets", "stack_images", "to_signed", "to_unit"]
