"""The diffusion transformer over the tokens of a field's layers (section 3.5)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wsr.generators.diffusers_parts import TimestepEmbedding, Timesteps
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.tokens import Tokens

FREQUENCIES = 256  # size of the sinusoidal time embedding


class WeightTransformer(nn.Module):
    """Predicts what `DiffusionConfig.predict` names from noisy weights, a time in [0, timesteps) and a class label.

    Its blocks are those of DiT: time and class determine the scales, shifts and gates of each block. These are
    initialized to zero, so that the untrained network consists of the linear maps in and out. The label `classes` means
    no class.
    """

    def __init__(self, tokens: Tokens, config: DiffusionConfig, classes: int):
        super().__init__()
        width = config.width
        self.tokens, self.classes = tokens, classes
        self.position = nn.Parameter(0.02 * torch.randn(tokens.count, width))
        self.frequencies = Timesteps(FREQUENCIES, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time = TimestepEmbedding(FREQUENCIES, width)
        self.label = nn.Embedding(classes + 1, width)
        shared = Modulation(width, 6) if config.shared_modulation else None
        self.shared = shared
        self.blocks = nn.ModuleList(Block(width, config.heads, own=shared is None) for _ in range(config.depth))
        self.last = Modulation(width, 2)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.skip = Skip(tokens, width) if config.skip else None
        nn.init.normal_(self.label.weight, std=0.02)

    def forward(
        self, x: Float[Tensor, "n p"], time: Float[Tensor, " n"], label: Int[Tensor, " n"]
    ) -> Float[Tensor, "n p"]:
        """Returns the prediction for noisy weights x."""
        h, about = self.read(x, time, label)
        shared = self.shared(about) if self.shared is not None else None
        for block in self.blocks:
            h = block(h, about, shared)
        shift, scale = self.last(about)
        found = self.tokens.decode(self.norm(h[:, : self.tokens.count]) * (1 + scale) + shift)
        return found if self.skip is None else found + self.skip(about) * x

    def read(
        self, x: Float[Tensor, "n p"], time: Float[Tensor, " n"], label: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n t w"], Float[Tensor, "n w"]]:
        """Returns the tokens, and the vector that modulates the blocks. The blocks attend to tokens after the first
        `tokens.count`, but these are not decoded."""
        return self.tokens.encode(x) + self.position, self.time(self.frequencies(time)) + self.label(label)


class Skip(nn.Module):
    """Computes with which gain noisy weights pass by the transformer (`DiffusionConfig.skip`): one for each token's
    entries, from the embedding of time and class; 1 before training."""

    def __init__(self, tokens: Tokens, width: int):
        super().__init__()
        self.linear = nn.Linear(width, tokens.count)
        self.register_buffer("owner", tokens.owner, persistent=False)
        nn.init.zeros_(self.linear.weight)
        nn.init.ones_(self.linear.bias)

    def forward(self, about: Float[Tensor, "n w"]) -> Float[Tensor, "n p"]:
        return self.linear(nn.functional.silu(about))[:, self.owner]


class Block(nn.Module):
    """A transformer block: attention and a feed-forward network, both modulated. own: whether the block has its own
    modulation; otherwise it adds offsets to the one that all blocks share."""

    def __init__(self, width: int, heads: int, own: bool):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.modulation = Modulation(width, 6) if own else None
        self.offset = None if own else nn.Parameter(torch.zeros(6, 1, width))

    def forward(
        self, h: Float[Tensor, "n t w"], about: Float[Tensor, "n w"], shared: list[Float[Tensor, "n 1 w"]] | None
    ) -> Float[Tensor, "n t w"]:
        if self.modulation is not None:
            parts = self.modulation(about)
        else:
            parts = [part + offset for part, offset in zip(shared, self.offset, strict=True)]
        shift, scale, gate, shift_feed, scale_feed, gate_feed = parts  # (n, 1, w) each
        rows = self.norms[0](h) * (1 + scale) + shift
        h = h + gate * self.attention(rows, rows, rows, need_weights=False)[0]
        return h + gate_feed * self.feed(self.norms[1](h) * (1 + scale_feed) + shift_feed)


class Modulation(nn.Module):
    """Computes scales, shifts and gates: `count` vectors (n, 1, w) from the embedding of time and class; zero before
    training.

    `diffusers.models.normalization.AdaLayerNormZero` would embed time and class in each block separately, and blocks
    could not share it.
    """

    def __init__(self, width: int, count: int):
        super().__init__()
        self.linear = nn.Linear(width, count * width)
        self.count = count
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, about: Float[Tensor, "n w"]) -> list[Float[Tensor, "n 1 w"]]:
        return list(self.linear(nn.functional.silu(about))[:, None].chunk(self.count, dim=2))
