"""`shapes10`: ten categories of procedural watertight shapes, 550 each, made from (category, seed)."""

from wsr.data.shapes10.dataset import build_cache, load_shapes10
from wsr.data.shapes10.generate import CATEGORIES, generate

__all__ = ["CATEGORIES", "build_cache", "generate", "load_shapes10"]
