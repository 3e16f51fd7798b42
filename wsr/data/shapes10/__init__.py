"""The data set `shapes10`: procedural watertight shapes of ten categories, 550 each, generated from (category,
seed)."""

from wsr.data.shapes10.dataset import build_cache, load_shapes10
from wsr.data.shapes10.generate import CATEGORIES, generate

__all__ = ["CATEGORIES", "build_cache", "generate", "load_shapes10"]
