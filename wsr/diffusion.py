"""The names of `wsr.generators.diffusion` that programs written for earlier versions import from here."""

from wsr.generators.diffusion import load_diffusion, train_diffusion

__all__ = ["load_diffusion", "train_diffusion"]
