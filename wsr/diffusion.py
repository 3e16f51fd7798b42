"""Names of `wsr.generators.diffusion` under the module that earlier versions had, for programs that import them from
here."""

from wsr.generators.diffusion import load_diffusion, train_diffusion

__all__ = ["load_diffusion", "train_diffusion"]
