"""An encoder of starts looks at an instance once and predicts where its fit starts. A fit from there takes a tenth of
the steps.

The prediction is an offset of the trained entries from the plain start, in units of the fit's learning rates
(`Representation.lr_multipliers`), in which steps of Adam have the same length in all entries.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wsr.fields.base import compute_dtype
from wsr.fields.representation import Representation
from wsr.modalities.targets import Targets
from wsr.randomness import drawing_from

# Factor of the head's output. With it, a step of Adam moves the predictions about as far as a step of a fit moves the
# weights.
SCALE = 0.1
POINTS = 1024  # on which a predicted start is compared with the plain one


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The sizes of an encoder, how it is trained, and the steps of the fits that start where it says."""

    features: int = 384
    """What the head sees of an instance."""
    steps: int = 20_000
    instances: int = 32
    """Per step."""
    points: int = 256
    """Per instance and step. More instances with fewer points teach more in the same time."""
    lr: float = 1e-3
    """After a warm-up; it decays with a cosine to zero."""
    warmup: int = 200
    ema: float = 0.999
    """Decay of the moving average of the parameters."""
    a_rate: float = 1.0
    """Learning rate of an adapter's A in units of B's, in the fits and so in the predictions."""
    fit_steps: int = 30


class StartEncoder(nn.Module):
    """A network that the modality chooses (`Modality.encoder`), and a linear head. The head is zero at first: an
    untrained encoder predicts the plain start.

    model: the representation of the fits; known: largest ratio of the losses at the predicted and at the plain start
    for which an instance counts as one that the encoder knows; sha256: of its file, "" if it has none; history: how it
    was trained, as its file states it. WsrError if the modality has no encoder.
    """

    def __init__(self, model: Representation, config: EncoderConfig):
        super().__init__()
        self.config, self.model, self.known, self.sha256 = config, model, 1.0, ""
        self.history: dict[str, Any] = {}
        self.network, self.norm = model.modality.encoder(config.features), nn.LayerNorm(config.features)
        self.head = nn.Linear(config.features, model.size)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @classmethod
    def new(cls, model: Representation, config: EncoderConfig, seed: int = 0) -> "StartEncoder":
        """Builds an untrained encoder with parameters drawn from a seed."""
        with drawing_from(seed):
            return cls(model, config)

    def forward(self, seen: Float[Tensor, "n ..."]) -> Float[Tensor, "n p"]:
        """Returns the offset of the start from the plain one."""
        rates = self.model.lr_multipliers(self.config.a_rate).to(seen.device)
        return SCALE * self.head(F.silu(self.norm(self.network(seen)))) * rates

    def on(self, device: torch.device | str) -> "StartEncoder":
        """Returns a copy on the device, or the encoder itself if it is there already."""
        if self.head.weight.device == torch.device(device):
            return self
        moved = deepcopy(self).to(device)
        moved.model = self.model.to(device)
        return moved

    @torch.no_grad()
    def starts(self, targets: Targets, plain: Float[Tensor, "p"]) -> "Starts":
        """Returns where the fits of all instances start: at the prediction, or at the plain start if the encoder does
        not know the instance."""
        predicted = plain + self(targets.seen())
        ratio = self.ratios(targets, predicted, plain)
        known = ratio <= self.known  # False for NaN
        return Starts(torch.where(known[:, None], predicted, plain), known)

    def ratios(
        self, targets: Targets, predicted: Float[Tensor, "n p"], plain: Float[Tensor, "p"],
        rows: Tensor | slice = slice(None),
    ) -> Float[Tensor, "n"]:  # fmt: skip
        """Returns the loss of each instance at its predicted start, in units of that at the plain start. rows: those of
        the instances, if they are not all."""
        batch = targets.batch(0, POINTS, rows)
        loss = loss_of(self.model, targets)
        return loss(predicted, batch) / loss(plain.expand_as(predicted), batch)


@dataclass(frozen=True)
class Starts:
    """Where the fits of n instances start. encoded: which of them start where the encoder says."""

    weights: Float[Tensor, "n p"]
    encoded: Bool[Tensor, "n"]


def loss_of(model: Representation, targets: Targets) -> Callable:
    """Returns the function from weights (n, p) and a batch to the loss of each instance (n,)."""
    dtype = compute_dtype(targets.device)
    return lambda weights, batch: targets.loss(model.evaluate(weights, batch.points, dtype), batch)
