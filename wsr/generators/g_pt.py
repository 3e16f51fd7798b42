"""G.pt (Peebles et al. 2022): predicts weights from earlier weights of the same fit, their loss, and the loss that is
wanted.

It is trained on the snapshots of a trajectory zoo. The audit of weight generators found that it copies. We implement it
for comparison, with our tokens and the process of our other models; the network predicts the later weights as their
difference from the earlier ones.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.generators.base import Generator, SampleSettings, TrainingRun, TrainRecord, TrainSettings
from wsr.generators.diffusers_parts import TimestepEmbedding
from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset, without_patience
from wsr.generators.diffusion.model import WeightDiffusion, draw, positions, read_config
from wsr.generators.diffusion.tokens import Tokens, make_tokens
from wsr.generators.diffusion.training import Training
from wsr.generators.diffusion.transformer import FREQUENCIES, WeightTransformer
from wsr.generators.files import ModelFile
from wsr.generators.jobs import about_training, training_identity
from wsr.randomness import drawing_from
from wsr.zoo.recipe import zoo_start
from wsr.zoo.zoo import Zoo

VERSION = 1  # to be incremented when a code change makes the same settings train a different generator
WANTED = 0.05  # quantile of the final losses that samples are prompted with


@dataclass
class Pairs:
    """k pairs of snapshots, each of one fit: weights `start` and later ones `end`, (k, p), and the losses at both, (k,
    2)."""

    start: Float[Tensor, "k p"]
    end: Float[Tensor, "k p"]
    losses: Float[Tensor, "k 2"]


def pairs_of(zoo: Zoo) -> Pairs:
    """Returns all pairs of snapshots of the training split. The start that all fits share counts as a snapshot, with
    the largest loss that any fit has at its first snapshot. WsrError for a zoo without snapshots."""
    if "snapshots" not in zoo.meta or "loss" not in zoo.index:
        raise WsrError(f"The zoo {str(zoo.path)!r} has no snapshots: G.pt learns from a trajectory zoo.")
    index = zoo.good("train")
    index = index.assign(instance=zoo.instances(index["id"]))
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
    """A transformer that reads the earlier weights as additional tokens, and embeds both losses together with the time.
    A label is the index of a pair; the standardised `starts` (k, p) and the `losses` (k, 2) of all pairs are buffers of
    the network."""

    def __init__(
        self, tokens: Tokens, given: Tokens, config: DiffusionConfig, starts: Float[Tensor, "k p"],
        losses: Float[Tensor, "k 2"],
    ):  # fmt: skip
        super().__init__(tokens, config, 0)
        self.given, self.loss = given, nn.ModuleList(TimestepEmbedding(FREQUENCIES, config.width) for _ in range(2))
        self.given_position = nn.Parameter(0.02 * torch.randn(given.count, config.width))
        self.register_buffer("starts", starts, persistent=False)
        self.register_buffer("losses", losses, persistent=False)

    def forward(self, x, time, label):
        return self.starts[label] + super().forward(x, time, label)

    def read(
        self, x: Float[Tensor, "n p"], time: Float[Tensor, " n"], label: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n t w"], Float[Tensor, "n w"]]:
        h = self.tokens.encode(x) + self.position
        about = self.time(self.frequencies(time))
        for number, embedding in enumerate(self.loss):
            about = about + embedding(self.frequencies(self.losses[label, number]))
        return torch.cat([h, self.given.encode(self.starts[label]) + self.given_position], 1), about


class CheckpointGenerator(Generator):
    """G.pt as a generator. Samples are prompted with the start that all fits share and with a loss that only the best
    fits reach.

    model: predicts later weights from earlier ones; prompt: the standardised start, without constant parameters;
    losses: that of the start and the wanted one, as inputs of the network; data: the later weights, during training.
    """

    kind: ClassVar[str] = "gpt"

    def __init__(self, model: WeightDiffusion, prompt: Float[Tensor, " q"], losses: Float[Tensor, " 2"], seed: int = 0):
        self.model, self.prompt, self.losses, self.seed = model, prompt, losses, seed
        self.representation, self.classes, self.about = model.representation, [""], {}
        self.data: Float[Tensor, "k p"] | None = None

    @classmethod
    def new(cls, zoo: Zoo, config: DiffusionConfig, seed: int = 0) -> "CheckpointGenerator":
        """Builds an untrained generator with the pairs of a trajectory zoo. WsrError for a zoo without snapshots."""
        pairs = pairs_of(zoo)
        final = zoo.good("train")
        final = final[final["steps"] == max(zoo.meta["snapshots"])]
        prompt = torch.stack([pairs.losses[:, 0].max(), torch.tensor(final["loss"].quantile(WANTED)).float()])
        losses = torch.cat([pairs.losses, prompt[None]]).clamp_min(1e-8).log()
        low, high = losses.min(), losses.max()
        config = replace(config, predict="sample", label_drop=0.0)  # labels are indices of pairs and cannot be dropped
        names = [str(i) for i in range(len(pairs.end))]
        model = WeightDiffusion.new(zoo.representation, pairs.end, config, names, seed=seed)
        starts = model.standardise(torch.cat([pairs.start, zoo_start(zoo)[None]]))  # the last one is the prompt
        scaled = (losses - low) / (high - low).clamp_min(1e-6) * config.timesteps
        with drawing_from(seed):
            model.network = _network(zoo.representation, config, model.varying, starts, scaled)
        made = cls(model, starts[-1], scaled[-1], seed)
        made.data = pairs.end
        return made

    @classmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        if settings.cls is not None or settings.copies != 1:
            raise WsrError("G.pt learns all pairs of snapshots as they are: it takes neither a class nor copies.")
        config = settings.config or without_patience(diffusion_preset(settings.preset or zoo.meta["preset"]))
        if settings.steps is not None:
            config = replace(config, steps=settings.steps, epochs=None)
        config = replace(config, lr=settings.lr or config.lr)
        made = cls.new(zoo, config, settings.seed)
        made.about = about_training(zoo, settings, len(made.data))
        identity = training_identity(cls.kind, VERSION, zoo, made.data, config=config, seed=settings.seed)
        return TrainingRun(made, identity, lambda _: made.train_stream(), config.steps_for(len(made.data)))

    def train_stream(self) -> Iterator[TrainRecord]:
        """Trains on the pairs and yields records."""
        for record in Training(self.model, self.data, self.model.classes, self.seed).run(monitor_every=0):
            yield record
            self.about |= {"steps": record.step, "seconds": record.seconds}

    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        steps = min(settings.steps, self.model.config.timesteps)
        noise = draw(count, len(self.model.mean), settings.seed, first)
        # the label of no class is the index after the last pair, which is the prompt
        return self.model.sample(count, classes=[None] * count, noise=noise, steps=steps), [""] * count

    def contents(self) -> ModelFile:
        """Returns everything that `from_contents` needs; sampling does not need the pairs."""
        state = {**self.model.contents().state, "prompt": self.prompt, "losses": self.losses}
        return ModelFile(asdict(self.model.config), self.classes, self.about, state)

    @classmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "CheckpointGenerator":
        config, size = read_config(file.config, file.fault), representation.size
        mean, std = (file.tensor(name, (size,)) for name in ("mean", "spread"))
        varying = positions(std)
        prompt, losses = file.tensor("prompt", (len(varying),)), file.tensor("losses", (2,))
        with torch.device("meta"):  # shapes only: the file must match them before anything is allocated
            known = _network(representation, config, varying, prompt[None], losses[None]).state_dict()
        state = file.network({name: tensor.shape for name, tensor in known.items()})
        with drawing_from(0):  # initial values do not matter; keeps the global generator as it is
            network = _network(representation, config, varying, prompt[None], losses[None])
        network.load_state_dict(state)
        made = cls(WeightDiffusion(network.eval(), config, representation, mean, std, []), prompt, losses)
        made.about, made.classes = file.about, file.classes
        return made


def _network(
    representation: Representation, config: DiffusionConfig, varying: Int[Tensor, " q"],
    starts: Float[Tensor, "k q"], losses: Float[Tensor, "k 2"],
) -> CheckpointTransformer:  # fmt: skip
    tokens = [make_tokens(representation, config, varying) for _ in range(2)]
    return CheckpointTransformer(*tokens, config, starts, losses)
