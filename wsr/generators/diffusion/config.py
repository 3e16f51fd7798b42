"""How a diffusion model over weights is built and trained (sections 3.5 and 8.2)."""

from dataclasses import dataclass, replace
from typing import Literal

from wsr.errors import unknown_name
from wsr.fields.registry import named
from wsr.modalities import Modality, find
from wsr.presets import later

Predict = Literal["epsilon", "sample", "v_prediction", "flow"]
"""What the network predicts from noisy weights: the noise (as in the paper), the clean weights, a mix of both, or (flow
matching) the direction from the weights to the noise."""
PREDICTIONS: tuple[str, ...] = ("epsilon", "sample", "v_prediction", "flow")


@dataclass(frozen=True)
class DiffusionConfig:
    """The settings of a diffusion model, with the measurements that led to them."""

    width: int
    """Hidden size of each token, after its linear projection or the layer encoder. A token cannot represent more of a
    layer than fits into it, so at equal time width helps more than depth (the paper's is 2,880). Shapes, mLoRA-Asym,
    1,000 steps, one run each: a validation loss of 0.807 at 256 and 0.776 at 320. `cpu` uses 320, so that assets/ can
    hold twenty-five models (`precompute run diffusion_sizes` compares more sizes)."""
    depth: int
    """Transformer blocks."""
    heads: int
    """Attention heads of each block."""
    batch: int
    lr: float
    steps: int
    """Optimizer steps, at most: with `patience`, training ends before. `paper` states epochs instead."""
    epochs: int | None = None
    predict: Predict = "sample"
    encoder: bool = True
    """Whether adapters use the hierarchical layer encoder of figure 2; without it (table 5) each matrix is a token."""
    pair_width: int | None = None
    """Hidden size of a pair (a_i, b_i) in the layer encoder; None: width / rank. If it is smaller than the pair itself
    (256 numbers at the `cpu` preset), some of the pair is lost: a size of 128 has a held-out loss of 0.818, 256 has
    0.801."""
    shared_modulation: bool = False
    """Whether all blocks share the network that predicts their scales and shifts: a third fewer parameters."""
    token_size: int | None = None
    """Most entries of a flat token (of an MLP, or without `encoder`): longer layers become several tokens of equal
    sizes. None: each layer is one token, as in HyperDiffusion, and what does not fit into `width` numbers is lost."""
    skip: bool = later(False)
    """Whether noisy weights also pass by the transformer, with a gain for each layer and time that is learnt. A network
    that predicts noise, and is narrower than a layer has numbers, loses a part of it: scaled down to the paper's ratio
    in 3D (180 for 192 numbers), the clean weights that follow have an error of 9.3 at a noise level of 0.99 (1 is that
    of the mean), and with a skip of 0.97; samples have 5.1 times the weights' standard deviation, and 0.95
    (`precompute run noise_carried`)."""
    timesteps: int = 500
    beta: tuple[float, float] = (1e-4, 2e-2)
    """First and last β of the linear schedule. At its last step the noise must hide even the largest components of the
    weights. Standardised weights of our zoos have a variance of 140 to 310 along their first principal component; the
    paper's schedule leaves 0.0066 of it, a variance of up to 2 beside noise of variance 1, so that sampling would start
    where no training weight ever was. Twice the last β leaves 0.00004: on shapes, at equal time, 1-NNA improves from
    0.73 to 0.62 (0.5 is best) and mMD from 27.6 to 24.6 × 10⁻³."""
    flow_shift: float = 1.0
    """Only for `flow`: s moves its times t in [0, 1], from weights to noise, to s t / (1 + (s - 1) t), in training and
    in sampling. Above 1 more of them are near the noise, where the largest components of the weights are decided:
    a component of variance 300 disappears in the noise at t = 0.95. `precompute run processes` compares."""
    final_noise: float = 0.0
    """Noise level from which the last step of sampling leads directly to the weights. At lower noise levels fits of the
    same target differ; a network cannot learn these differences from 800 weights and leaves noise in the sample
    instead. At 0.3, FD of 160 samples falls from 0.152 to 0.141 (shapes) and from 0.833 to 0.826 (people); `precompute
    run sampling`."""
    guidance: float = 1.0
    """Scale of classifier-free guidance in sampling, if there are several classes: 1 samples a class as it was learnt,
    more exaggerates it. From 1 to 2.5, FD of 160 samples falls from 0.194 to 0.141 (shapes; at 4: 0.165) and from 0.917
    to 0.826 (people; at 4: 0.831); 1 and 6 % of them are called copies, compared to 5 % of new fits (`precompute run
    sampling`)."""
    clusters: int = 0
    """Maximal number of k-means clusters that replace the classes if all weights are of one class. Each sample is
    conditioned on a cluster, drawn with its frequency among the training weights, and guidance exaggerates it. People,
    mLoRA-Asym: FD of 160 samples falls from 0.979 to 0.909 with ten clusters, and to 0.819 with guidance 2.5, where 6 %
    are called copies, as many as of new fits; with five clusters and that guidance to 0.850, and none are called copies
    (`precompute run clusters`)."""
    conditional: bool = later(True)
    """Whether classes, or clusters instead of them, are learnt. False: samples are drawn without any, as in the
    paper's section 4.3."""
    label_drop: float = 0.1
    """Share of training samples whose class is dropped, for classifier-free guidance."""
    ema: float = 0.999
    """Decay of the exponential moving average of the parameters."""
    warmup: int = 100
    """Steps over which the learning rate rises from 0."""
    decay_steps: int | None = later(None)
    """Steps over which the learning rate falls to 0 along half a cosine; training ends with them, whatever `patience`
    says, and keeps the averaged network with the lowest validation loss. None: the rate stays."""
    patience: int = 0
    """Early stopping: training ends after this many evaluations without a lower loss on the validation weights (the
    zoo's validation split, or else a tenth of the training weights), and keeps the averaged network with the lowest; 0:
    train all steps. Longer training first improves samples and then copies: in one run on shapes, none of 160 samples
    was a copy after 600 steps, 1 after 1,200, and 72 after 3,787."""
    eval_every: int = 100
    """Steps between two evaluations of the validation loss."""

    def steps_for(self, count: int) -> int:
        """Returns the number of steps for `count` training weights."""
        if self.decay_steps is not None:
            return self.decay_steps
        return self.steps if self.epochs is None else self.epochs * max(1, count // self.batch)


_PRESETS = {
    "cpu": DiffusionConfig(
        320,
        1,
        8,
        64,
        2e-3,
        40_000,
        pair_width=256,
        shared_modulation=True,
        beta=(1e-4, 4e-2),
        final_noise=0.3,
        guidance=2.5,
        patience=4,
        clusters=10,
    ),  # fmt: skip
    "paper": DiffusionConfig(2880, 12, 16, 256, 2e-4, 0, epochs=6000, predict="epsilon", ema=0.9999),
}


# What the preset of a modality has of its own, for networks that predict noise. `python -m precompute run
# noise_carried`: in 3D the paper's network is too narrow for the noise that it predicts.
_OF_MODALITY = {("paper", "occupancy"): {"skip": True}}


def diffusion_preset(
    name: str, representation: str = "mlora-asym", modality: Modality | str | int | None = None
) -> DiffusionConfig:  # fmt: skip
    """Returns the preset's settings with the representation's own choice of prediction, if it has one, and what the
    preset needs for weights of fields of a modality. WsrError for an unknown preset, representation or modality."""
    if name not in _PRESETS:
        raise unknown_name("preset", name, _PRESETS)
    own = named(representation).predict
    config = replace(_PRESETS[name], predict=own) if own else _PRESETS[name]
    more = {} if modality is None else _OF_MODALITY.get((name, find(modality).name), {})
    return replace(config, **more) if config.predict == "epsilon" else config


def without_patience(config: DiffusionConfig) -> DiffusionConfig:
    """Returns the settings for a training that sets no validation weights aside: of all its steps, but fewer of them
    than patience would allow."""
    return replace(config, patience=0, steps=min(config.steps, 4000))
