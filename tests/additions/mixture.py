"""A further generator: a mixture of two Gaussians."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from wsr.fields.representation import Representation
from wsr.generators import GeneratorKind
from wsr.generators.base import Generator, TrainingRun, TrainRecord
from wsr.generators.files import ModelFile
from wsr.generators.jobs import about_training, training_identity, training_weights


@dataclass
class Mixture(Generator):
    """A mixture of two Gaussians with a variance for each parameter, by scikit-learn."""

    kind: ClassVar[str] = "mixture"
    representation: Representation | None
    about: dict
    means: torch.Tensor
    std: torch.Tensor
    shares: torch.Tensor

    def __post_init__(self):
        self.classes = [""]

    @classmethod
    def training(cls, zoo, settings):
        weights, _ = training_weights(zoo, settings)
        size = zoo.representation.size
        about = about_training(zoo, settings, len(weights))
        made = cls(zoo.representation, about, torch.zeros(2, size), torch.ones(2, size), torch.ones(2) / 2)
        identity = training_identity(cls.kind, 1, zoo, weights, seed=settings.seed)
        return TrainingRun(made, identity, lambda _: made.fit(weights, settings.seed), 1)

    def fit(self, weights: torch.Tensor, seed: int) -> Iterator[TrainRecord]:
        from sklearn.mixture import GaussianMixture

        found = GaussianMixture(2, covariance_type="diag", reg_covar=1e-6, random_state=seed)
        found.fit(weights.double().numpy())
        self.means, self.shares = (torch.from_numpy(part).float() for part in (found.means_, found.weights_))
        self.std = torch.from_numpy(found.covariances_).float().sqrt()
        yield TrainRecord(1, 1, -float(found.lower_bound_), 0.0, 0.0, done=True)

    def draw(self, count, settings, first=0):
        rows = []
        for number in range(first, first + count):
            generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + number)
            part = int(self.shares.multinomial(1, generator=generator))
            rows.append(self.means[part] + self.std[part] * torch.randn(len(self.std[part]), generator=generator))
        return torch.stack(rows), [""] * count

    def contents(self):
        state = {"means": self.means, "std": self.std, "shares": self.shares}
        return ModelFile({}, self.classes, self.about, state)

    @classmethod
    def from_contents(cls, file, representation):
        size = representation.size
        return cls(
            representation, file.about, file.tensor("means", (2, size)), file.tensor("std", (2, size)),
            file.tensor("shares", (2,)),
        )  # fmt: skip


MIXTURE = GeneratorKind("mixture", "Mixture", Mixture)
