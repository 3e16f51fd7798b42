"""A transformer over tokens of layers, like SANE (Schürholt et al., 2024): each tensor is cut into tokens of equal
length, which keep their place. Unlike SANE's it is trained on the labels alone, not to reconstruct weights first."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.encoders.scaling import EntryScale
from wsr.fields.layout import ParameterLayout

TOKEN, WIDTH, HEADS, DEPTH = 128, 64, 4, 2


class TokenTransformer(NetworkEncoder):
    """Self-attention among the pieces of an instance's tensors."""

    epochs = 16

    def build(self, weights):
        return _Tokens(self.model.layout, weights)


class _Tokens(nn.Module):
    """No token contains entries of two tensors: the last one of each is padded with zeros."""

    def __init__(self, layout: ParameterLayout, weights: Float[Tensor, "n p"]):
        super().__init__()
        self.scale, starts, count = EntryScale(weights), [], 0
        for numel in layout.numels:
            starts.append(torch.arange(numel) + count * TOKEN)
            count += -(-numel // TOKEN)
        self.count, self.places = count, torch.cat(starts)[layout.trained]  # of the trained entries among all tokens'
        self.first = nn.Linear(TOKEN, WIDTH)
        self.position = nn.Parameter(0.1 * torch.randn(count, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, 0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, DEPTH, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.last = nn.Linear(WIDTH, FEATURES)

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        flat = weights.new_zeros(len(weights), self.count * TOKEN)
        flat = flat.index_copy(1, self.places, self.scale(weights))
        tokens = self.first(flat.unflatten(1, (self.count, TOKEN))) + self.position  # (n, t, w)
        return self.last(self.blocks(tokens).mean(1))
