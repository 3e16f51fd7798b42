"""How encoders of weights are trained."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of the training that all networks share. Linear encoders need none of them."""

    seed: int = 0
    """Of the first parameters, the batches, dropout, and which training fits decide when to stop."""
    lr: float = 2e-3
    """Of Adam, at first; it decays with a cosine to zero."""
    batch: int | None = None
    epochs: int | None = None
    """None, here and for `batch`: as many as the encoder says."""
    patience: int = 10
    """Epochs without a lower loss on the fits that are set aside, after which training stops."""
    set_aside: float = 0.15
    """Share of the training fits that decide when to stop, and which epoch's parameters are kept."""
