"""Hyper-Representations (Schürholt et al. 2022): decodes latents that are drawn from a kernel density estimate.

The audit of weight generators found that it copies. As in the original, each component of a latent has a density of its
own, from which torch draws with the seed of the samples. (scikit-learn's `KernelDensity` estimates the joint density of
all components.)
"""

from dataclasses import asdict, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.fields.representation import Representation
from wsr.generators.base import TrainSettings
from wsr.generators.files import ModelFile
from wsr.generators.latent import LatentConfig, LatentGenerator
from wsr.generators.sampling import rows_of_blocks
from wsr.zoo.zoo import Zoo


class HyperRepresentations(LatentGenerator):
    """Draws each component of a latent independently, from a Gaussian kernel density estimate over the training latents
    (`known`) with Scott's bandwidth (`width`, per component)."""

    kind: ClassVar[str] = "hyper-representations"
    known: Float[Tensor, "n k"]
    width: Float[Tensor, " k"]

    @classmethod
    def config_of(cls, zoo: Zoo, settings: TrainSettings) -> LatentConfig:
        config = settings.config or LatentConfig()
        return replace(config, steps=settings.steps or config.steps, lr=settings.lr or config.lr)

    def fit_latents(self, latents):
        self.known = latents
        self.width = latents.std(0) * len(latents) ** (-1 / 5)
        return iter(())

    def draw_latents(self, count, settings, first):
        return rows_of_blocks(self._block, count, settings.seed, first)

    def _block(self, count: int, generator: torch.Generator) -> Float[Tensor, "n k"]:
        rows = torch.randint(0, len(self.known), (count, self.known.shape[1]), generator=generator)
        centres = self.known.gather(0, rows.to(self.known.device))
        return centres + self.width * torch.randn(centres.shape, generator=generator).to(centres)

    def contents(self) -> ModelFile:
        state = {**self.autoencoder_contents(), "known": self.known, "width": self.width}
        return ModelFile(asdict(self.config), self.classes, self.about, state)

    @classmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "HyperRepresentations":
        config = LatentConfig(**file.config)
        made = cls.read_autoencoder(file, config)
        made.known = file.tensor("known", (None, config.latent))
        made.width = file.tensor("width", (config.latent,))
        made.representation, made.about, made.classes = representation, file.about, file.classes
        return made
