"""HyperDiffusion (Erkoç et al. 2023), the flat baseline: diffusion without the hierarchical layer encoder.

It is a configuration of our diffusion: each layer of an MLP, or each matrix of an adapter, is a token, and the network
predicts the clean weights. For MLPs our diffusion is the same already; for adapters this is the ablation of table 5.
"""

from dataclasses import replace
from typing import ClassVar

from wsr.generators.base import TrainSettings
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.jobs import Diffusion
from wsr.zoo.zoo import Zoo


class HyperDiffusion(Diffusion):
    """Diffusion with flat tokens that predicts the clean weights."""

    kind: ClassVar[str] = "hyperdiffusion"

    @classmethod
    def config_of(cls, zoo: Zoo, settings: TrainSettings) -> DiffusionConfig:
        return replace(super().config_of(zoo, settings), encoder=False, predict="sample")
