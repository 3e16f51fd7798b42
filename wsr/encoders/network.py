"""Encoders that are neural networks: they differ in what they make of the weights, and share how they are trained."""

from abc import abstractmethod
from copy import deepcopy

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from wsr.encoders.base import Encoder
from wsr.randomness import drawing_from

FEATURES = 64  # of an instance
DROPOUT = 0.2
AT_ONCE = 100  # instances that are read together


class NetworkEncoder(Encoder):
    """A network from stored vectors to FEATURES numbers, and a linear head. A subclass builds the network (`build`).

    epochs, batch: of its training, if the settings name none; trained_epochs: after how many training stopped.
    """

    epochs, batch = 40, 32
    trained_epochs = 0

    @abstractmethod
    def build(self, weights: Float[Tensor, "n p"]) -> nn.Module:
        """Makes the untrained network. weights: those that it will be trained on, which say how to standardise them."""

    def learn(self, weights, wanted):
        with drawing_from(self.settings.seed):
            aside = torch.randperm(len(weights)) < max(1, round(self.settings.set_aside * len(weights)))
            head = (nn.LayerNorm(FEATURES), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(FEATURES, self.target.outputs))
            self.network = nn.Sequential(self.build(weights[~aside]), *head)
            self._train(weights[~aside], wanted[~aside], weights[aside], wanted[aside])
        self.network.eval().requires_grad_(False)

    def _train(
        self, weights: Float[Tensor, "n p"], wanted: Shaped[Tensor, "n"],
        unseen: Float[Tensor, "m p"], wanted_of_unseen: Shaped[Tensor, "m"],
    ) -> None:  # fmt: skip
        """Trains until the loss on unseen fits has not fallen for long, and keeps the parameters that had the
        lowest."""
        settings, epochs = self.settings, self.settings.epochs or self.epochs
        batch = settings.batch or self.batch
        optimizer = torch.optim.Adam(self.network.parameters(), settings.lr)
        steps = epochs * -(-len(weights) // batch)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        best, kept, since = float("inf"), {}, 0
        for self.trained_epochs in range(1, epochs + 1):  # noqa: B020
            self.network.train()
            for rows in torch.randperm(len(weights)).split(batch):
                if len(rows) == 1 < len(weights):  # means over a batch of one say nothing
                    continue
                optimizer.zero_grad()
                self.target.loss(self.network(weights[rows]), wanted[rows]).backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimizer.step()
                decay.step()
            loss = float(self.target.loss(self.scores(unseen), wanted_of_unseen))
            since += 1
            if loss < best:
                best, kept, since = loss, deepcopy(self.network.state_dict()), 0
            if since >= settings.patience:
                break
        self.network.load_state_dict(kept)

    def scores(self, weights):
        return self._in_parts(self.network, weights)

    def features(self, weights):
        return self._in_parts(self.network[:2], weights)

    @torch.no_grad()
    def _in_parts(self, network: nn.Module, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        self.network.eval()
        return torch.cat([network(rows) for rows in weights.split(AT_ONCE)])

    @property
    def parameters(self):
        return sum(one.numel() for one in self.network.parameters())
