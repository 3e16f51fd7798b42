"""An MLP on flat weights, which knows nothing about layers or symmetries."""

from torch import nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.encoders.scaling import EntryScale

WIDTH = 128


class FlatMLP(NetworkEncoder):
    """Two layers on standardised stored vectors."""

    def build(self, weights):
        return nn.Sequential(
            EntryScale(weights), nn.Dropout(0.5), nn.Linear(self.model.size, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU(),
            nn.Dropout(0.5), nn.Linear(WIDTH, FEATURES),
        )  # fmt: skip
