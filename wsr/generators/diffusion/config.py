"""How a diffusion model over weights is built and trained (sections 3.5 and 8.2)."""

from dataclasses import dataclass, replace
from typing import Literal

from wsr.errors import unknown_name
from wsr.fields.registry import named

Predict = Literal["epsilon", "sample", "v_prediction", "flow"]
"""What the network predicts from noisy weights: the noise, the clean weights, a mix of both, or (flow matching) the
direction from the weights to the noise."""
PREDICTIONS: tuple[str, ...] = ("epsilon", "sample", "v_prediction", "flow")


@dataclass(frozen=True)
class DiffusionConfig:
    width: int
    """Hidden size: of each token after its linear projection or the layer encoder. What it cannot hold of a layer is
    lost, so at equal time width beats depth (the paper's is 2,880). Shapes, mLoRA-Asym, 1,000 steps, one run each: a
    validation loss of 0.807 at 256 and 0.776 at 320. `cpu` takes 320: assets/ holds twenty-five models
    (`precompute run diffusion_sizes` compares more sizes)."""
    depth: int
    """Transformer blocks."""
    heads: int
    """Attention heads of a block."""
    batch: int
    lr: float
    steps: int
    """Optimiser steps; `paper` counts in epochs instead."""
    epochs: int | None = None
    predict: Predict = "sample"
    encoder: bool = True
    """The hierarchical layer encoder of figure 2, for adapters; without it (table 5) each matrix is a token."""
    pair_width: int | None = None
    """Hidden size of a pair (a_i, b_i) in the layer encoder; None: width / rank. Below the pair's own size (256 at the
    `cpu` preset) some of it can be neither read nor written: 128 has a held-out loss of 0.818 where 256 has 0.801."""
    shared_modulation: bool = False
    """One network for the scales and shifts of all blocks instead of one each: a third fewer parameters."""
    timesteps: int = 500
    beta: tuple[float, float] = (1e-4, 2e-2)
    """First and last of the linear schedule. Its last step must hide what is large in weights. Standardised weights of
    our zoos have a variance of 140 to 310 along their first principal component; the paper's schedule leaves 0.0066 of
    it, up to 2 beside a noise of 1, so that samples start where no training weight ever was. Twice the last β leaves
    0.00004: on shapes, at equal time, 1-NNA from 0.73 to 0.62 (0.5 is best), mMD from 27.6 to 24.6 × 10⁻³."""
    final_noise: float = 0.0
    """Noise from which sampling goes straight to the weights. At lower noise fits of one target differ, which no
    network learns from 800 weights: it carries the noise into the sample instead. At 0.3, FD of 160 samples falls from
    0.152 to 0.141 (shapes) and from 0.833 to 0.826 (people); `precompute run sampling`."""
    guidance: float = 1.0
    """How much the class counts in sampling, where there are several: 1 as it was learnt, more exaggerates it.
    From 1 to 2.5, FD of 160 samples falls from 0.194 to 0.141 (shapes; at 4: 0.165) and from 0.917 to 0.826 (people; at
    4: 0.831), and 1 and 6 % are called copies, as are 5 % of new fits (`precompute run sampling`)."""
    clusters: int = 0
    """At most so many k-means clusters take the place of classes where all weights are of one class. A sample is of one
    cluster, drawn as often as it occurs among the training weights, and guidance exaggerates it. People, mLoRA-Asym: FD
    of 160 samples falls from 0.979 to 0.909 with ten clusters, and to 0.819 at guidance 2.5, where 6 % are called
    copies, as are of new fits; with five to 0.850, and none are (`precompute run clusters`)."""
    label_drop: float = 0.1
    """Share of a batch that is trained without its class, for guidance."""
    ema: float = 0.999
    warmup: int = 100
    """Steps over which the learning rate rises from 0."""
    patience: int = 0
    """Training ends after this many evaluations without a lower loss of the validation weights (a tenth of the training
    weights), and keeps the averaged network of the lowest; 0: it goes on to the last step. Longer training makes
    samples better and then copies: of one run on shapes, of 160 samples none after 600 steps, 1 after 1,200, 72 after
    3,787, when FD was lower than what unseen fits have in the span of the training weights (`precompute run spans`)."""
    eval_every: int = 100
    """Steps between two evaluations of the validation loss."""

    def steps_for(self, count: int) -> int:
        """Steps for `count` training weights."""
        return self.steps if self.epochs is None else self.epochs * max(1, count // self.batch)


_PRESETS = {
    "cpu": DiffusionConfig(
        320,
        1,
        8,
        64,
        2e-3,
        4000,
        pair_width=256,
        shared_modulation=True,
        beta=(1e-4, 4e-2),
        final_noise=0.3,
        guidance=2.5,
        patience=4,
        clusters=10,
    ),  # fmt: skip
    # A batch of 256, a learning rate of 2e-4 and 6,000 epochs.
    "paper": DiffusionConfig(2880, 12, 16, 256, 2e-4, 0, epochs=6000, predict="epsilon", ema=0.9999),
}


def diffusion_preset(name: str, representation: str = "mlora-asym") -> DiffusionConfig:
    """The preset's settings, with what the representation's own generators predict."""
    if name not in _PRESETS:
        raise unknown_name("preset", name, _PRESETS)
    own = named(representation).predict
    return replace(_PRESETS[name], predict=own) if own else _PRESETS[name]
