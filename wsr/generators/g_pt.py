"""G.pt: weights from other weights of the same fit, its loss there, and the loss that is wanted (Peebles et al. 2022).

Trained on the snapshots of a trajectory zoo; the audit of weight generators found it to copy. It stands here for the
comparison, on our tokens and with the process of our other models: the network predicts the wanted weights, as their
change from those that are given.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from diffusers.models.embeddings import TimestepEmbedding
from jaxtyping import Float, Int
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.model import WeightDiffusion, draw
from wsr.generators.diffusion.tokens import Tokens, make_tokens
from wsr.generators.diffusion.training import Training, TrainRecord
from wsr.generators.diffusion.transformer import FREQUENCIES, WeightTransformer
from wsr.randomness import drawing_from
from wsr.zoo.build import zoo_start
from wsr.zoo.zoo import Zoo

WANTED = 0.05  # quantile of the final losses that samples are asked for
SAMPLING = 100  # DDIM steps


@dataclass
class Pairs:
    """k pairs of snapshots of one fit each: `start` and a later `end` (k, p), and the losses (k, 2) at both."""

    start: Float[Tensor, "k p"]
    end: Float[Tensor, "k p"]
    losses: Float[Tensor, "k 2"]


def pairs_of(zoo: Zoo) -> Pairs:
    """All pairs of the training split's snapshots, the start that all fits share among them: of it the largest loss is
    said that any fit has at its first snapshot. WsrError for a zoo that has no snapshots."""
    if "snapshots" not in zoo.meta or "loss" not in zoo.index:
        raise WsrError(f"The zoo {str(zoo.path)!r} has no snapshots: G.pt learns from a trajectory zoo.")
    index = zoo.good("train")
    index = index.assign(instance=index["id"].str.rpartition("@")[0])
    if not len(index):
        raise WsrError(f"The zoo {str(zoo.path)!r} has no snapshots of its training split.")
    weights, begin = zoo.weights(index["id"].tolist()), zoo_start(zoo)
    worst = float(index[index["steps"] == min(zoo.meta["snapshots"])]["loss"].max())
    starts, ends, losses = [], [], []
    for rows in index.assign(row=range(len(index))).sort_values("steps").groupby("instance")["row"]:
        at = rows[1].tolist()
        vectors = torch.cat([begin[None], weights[at]])
        known = torch.tensor([worst, *index["loss"].iloc[at]])
        i, j = torch.triu_indices(len(vectors), len(vectors), 1)
        starts.append(vectors[i])
        ends.append(vectors[j])
        losses.append(torch.stack([known[i], known[j]], 1))
    return Pairs(torch.cat(starts), torch.cat(ends), torch.cat(losses).float())


class CheckpointTransformer(WeightTransformer):
    """Reads the given weights as tokens of their own and both losses with the time. A label is the row of a pair, of
    which the network has standardised `starts` (k, p) and `losses` (k, 2)."""

    def __init__(
        self, tokens: Tokens, given: Tokens, config: DiffusionConfig, starts: Tensor, losses: Float[Tensor, "k 2"]
    ):  # fmt: skip
        super().__init__(tokens, config, 0)
        self.given, self.loss = given, nn.ModuleList(TimestepEmbedding(FREQUENCIES, config.width) for _ in range(2))
        self.given_position = nn.Parameter(0.02 * torch.randn(given.count, config.width))
        self.register_buffer("starts", starts, persistent=False)
        self.register_buffer("losses", losses, persistent=False)

    def forward(self, x, time, label):
        return self.starts[label] + super().forward(x, time, label)

    def read(self, x: Tensor, time: Tensor, label: Int[Tensor, " n"]) -> tuple[Tensor, Tensor]:
        h = self.tokens.encode(x) + self.position
        about = self.time(self.frequencies(time))
        for number, embedding in enumerate(self.loss):
            about = about + embedding(self.frequencies(self.losses[label, number]))
        return torch.cat([h, self.given.encode(self.starts[label]) + self.given_position], 1), about


class CheckpointGenerator:
    """G.pt on a trajectory zoo. `sample` prompts it with the shared start and a loss that the best fits end with."""

    def __init__(self, zoo: Zoo, config: DiffusionConfig, seed: int = 0):
        pairs, self.seed = pairs_of(zoo), seed
        final = zoo.good("train")
        final = final[final["steps"] == max(zoo.meta["snapshots"])]
        prompt = torch.stack([pairs.losses[:, 0].max(), torch.tensor(final["loss"].quantile(WANTED)).float()])
        losses = torch.cat([pairs.losses, prompt[None]]).clamp_min(1e-8).log()
        low, high = losses.min(), losses.max()
        config = replace(config, predict="sample", label_drop=0.0)  # a label is a pair: none can be left out
        names = [str(i) for i in range(len(pairs.end))]
        self.model = WeightDiffusion.new(zoo.representation, pairs.end, config, names, seed=seed)
        starts = self.model.standardise(torch.cat([pairs.start, zoo_start(zoo)[None]]))  # the last is the prompt's
        with drawing_from(seed):
            tokens = [make_tokens(zoo.representation, config) for _ in range(2)]
            scaled = (losses - low) / (high - low).clamp_min(1e-6) * config.timesteps
            self.model.network = CheckpointTransformer(*tokens, config, starts, scaled)
        self.data, self.names = pairs.end, names

    def train_stream(self) -> Iterator[TrainRecord]:
        yield from Training(self.model, self.data, self.names, self.seed).run(monitor_every=0)

    def sample(self, count: int, seed: int = 0) -> Float[Tensor, "n p"]:
        """New weights, as a zoo stores them."""
        steps = min(SAMPLING, self.model.config.timesteps)
        # no class is the row after the last pair's: the prompt
        noise = draw(count, self.data.shape[1], seed)
        return self.model.sample(count, cls=[None] * count, noise=noise, steps=steps)
