"""Training a diffusion model on the weights of a zoo (sections 3.5 and 8.2).

`accelerate` runs it on one CPU, one GPU or many. All randomness of a step comes from the seed and the step's number and
is drawn for the whole batch, of which each process takes its part: a run that was killed goes on exactly, and more
processes take the same path.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from jaxtyping import Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from wsr.analysis.neighbours import nearest
from wsr.diffusion.model import WeightDiffusion
from wsr.diffusion.process import make_process
from wsr.errors import WsrError
from wsr.paths import atomic_path

SEEDS = 1_000_003  # a step's seed is the run's times this, plus the step
LOOKS = 4  # times of each held-out weight that its loss is a mean of


@dataclass(frozen=True)
class Monitor:
    """Whether samples collapse: the mean cosine of pairs of samples (0 where they differ in every way), beside that of
    the training weights; how many different training weights are nearest to one of them; and, where there are held-out
    weights, the loss of the average network on them: it rises where training weights are learnt by heart."""

    cosine: float
    cosine_train: float
    distinct: int
    samples: int
    heldout_loss: float | None = None


@dataclass(frozen=True)
class TrainRecord:
    """loss: the mean since the last record, over all processes."""

    step: int
    steps: int
    loss: float
    lr: float
    seconds: float
    monitor: Monitor | None = None
    done: bool = False


class Training:
    """A diffusion model in training, with all that is needed to go on after a kill. dtype: of the matrix products,
    float32 unless changed; bfloat16 takes three quarters of the time on two cores that have it."""

    def __init__(
        self,
        model: WeightDiffusion,
        weights: Float[Tensor, "n p"],
        classes: list[str],
        seed: int = 0,
        accelerator: Accelerator | None = None,
    ):
        if len(weights) != len(classes) or len(weights) < 2:
            raise WsrError(f"Training takes two weights or more, each with its class, not {len(weights)}.")
        self.model, self.seed, self.config = model, seed, model.config
        self.accelerator = accelerator or Accelerator()
        self.steps = self.config.steps_for(len(weights))
        device = self.accelerator.device
        model.to(device)
        self.data = model.standardise(weights.float().to(device))
        found = Counter(classes)
        model.about["counts"] = [found[cls] for cls in model.classes]
        self.labels = torch.tensor([model.label(cls) for cls in classes], device=device)
        optimizer = torch.optim.AdamW(model.network.parameters(), lr=self.config.lr, weight_decay=0.0, fused=True)
        self.average = EMAModel(model.network.parameters(), decay=self.config.ema, foreach=True)
        self.network, self.optimizer = self.accelerator.prepare(model.network, optimizer)
        self.process = make_process(self.config)
        self.dtype = torch.float32  # of the matrix products
        self.heldout: tuple[Tensor, list[str]] | None = None  # weights and classes that the monitor looks at
        self.step, self.seconds, self.losses = 0, 0.0, []

    def run(
        self,
        record_every: int = 50,
        monitor_every: int = 1000,
        checkpoint: Path | None = None,
        checkpoint_every: float = 60.0,
    ) -> Iterator[TrainRecord]:
        """Trains to the end, from `checkpoint` where it exists; afterwards the model's network is the average of the
        run. Stoppable between records. WsrError, with the step and the last good checkpoint, for a loss that is not a
        number."""
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        recent, saved, good = [], time.monotonic(), self.step
        while self.step < self.steps:
            begun = time.monotonic()
            recent.append(self._train_step())
            self.seconds += time.monotonic() - begun
            done = self.step == self.steps
            if self.step % record_every and not done:
                continue
            self._check(recent, checkpoint, good)
            loss, recent = float(torch.stack(recent).mean()), []
            self.losses.append(loss)
            watch = monitor_every and (done or not self.step % monitor_every)
            if checkpoint is not None and (done or time.monotonic() - saved > checkpoint_every):
                self.save(checkpoint)
                saved, good = time.monotonic(), self.step
            yield TrainRecord(
                self.step, self.steps, loss, self._rate(self.step - 1), self.seconds,
                self.monitor() if watch else None, done,
            )  # fmt: skip
        self.average.copy_to(self.model.network.parameters())

    def _train_step(self) -> Tensor:
        """The step's loss over all processes."""
        rows, times, noise, dropped = self._draw()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        labels = torch.where(dropped, len(self.model.classes), self.labels[rows])
        self.network.train()
        with torch.autocast(self.data.device.type, self.dtype, enabled=self.dtype != torch.float32):
            found = self.process.loss(
                lambda x, time: self.network(x, time, labels).float(), self.data[rows], noise, times
            )
        loss = found.mean()
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.average.step(self.model.network.parameters())
        self.step += 1
        return self.accelerator.reduce(loss.detach(), "mean")

    def _draw(self) -> tuple[Int[Tensor, " b"], Tensor, Float[Tensor, "b p"], Tensor]:
        """This process's part of the step's batch: rows of the data, times, noise, and whose class is left out."""
        count, batch = len(self.data), min(self.config.batch, len(self.data))
        epoch, at = divmod(self.step, max(1, count // batch))
        order = torch.randperm(count, generator=torch.Generator().manual_seed(-1 - self.seed * SEEDS - epoch))
        generator = torch.Generator().manual_seed(self.seed * SEEDS + self.step)
        rows = order[at * batch : (at + 1) * batch]
        times, noise = self.process.times(batch, generator), torch.randn(batch, self.data.shape[1], generator=generator)
        dropped = torch.rand(batch, generator=generator) < self.config.label_drop
        world, device = self.accelerator.num_processes, self.accelerator.device
        own = slice(self.accelerator.process_index, batch - batch % world, world)
        return tuple(part[own].to(device) for part in (rows, times, noise, dropped))

    def _rate(self, step: int) -> float:
        return self.config.lr * min(1.0, (step + 1) / max(1, self.config.warmup))

    def _check(self, recent: list[Tensor], checkpoint: Path | None, good: int) -> None:
        wrong = (~torch.stack(recent).isfinite()).nonzero()
        if not len(wrong):
            return
        step = self.step - len(recent) + int(wrong[0]) + 1
        kept = f"the last good checkpoint is {str(checkpoint)!r}, of step {good}" if checkpoint else "none was kept"
        raise WsrError(
            f"The loss is {float(recent[int(wrong[0])])} at step {step} of {self.steps}, at a learning rate of "
            f"{self._rate(step - 1):.2g}: {kept}. A lower rate, or a longer warm-up, would be next."
        )

    @torch.no_grad()
    def monitor(self, samples: int = 32, steps: int = 10) -> Monitor:
        """Samples of the average so far. A few steps of sampling: it is a warning, not a measurement."""
        parameters = list(self.model.network.parameters())
        self.average.store(parameters)
        self.average.copy_to(parameters)
        found = self.model.standardise(self.model.sample(samples, steps=steps))
        heldout = None if self.heldout is None else self.score(*self.heldout)
        self.average.restore(parameters)
        index, _ = nearest(found, self.data, 1, "l2")
        return Monitor(_cosine(found), _cosine(self.data[:256]), len(index.unique()), samples, heldout)

    @torch.no_grad()
    def score(self, weights: Float[Tensor, "m p"], classes: list[str]) -> float:
        """The loss of the network as it is on these weights, with times and noise that are always the same."""
        device, generator = self.accelerator.device, torch.Generator().manual_seed(0)
        data = self.model.standardise(weights.float().to(device)).repeat(LOOKS, 1)
        labels = torch.tensor([self.model.label(cls) for cls in classes], device=device).repeat(LOOKS)
        times = self.process.times(len(data), generator).to(device)
        noise = torch.randn(data.shape, generator=generator).to(device)
        self.network.eval()
        return float(self.process.loss(lambda x, time: self.network(x, time, labels), data, noise, times).mean())

    def save(self, path: Path) -> None:
        """Network, average and optimiser; read by `load`, or by none but this class."""
        if not self.accelerator.is_main_process:
            return
        state = {f"network.{key}": value for key, value in self.model.network.state_dict().items()}
        state |= {f"average.{i}": value for i, value in enumerate(self.average.shadow_params)}
        for i, slots in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{i}.{key}": value for key, value in slots.items()}
        meta = {"step": self.step, "seconds": self.seconds, "losses": self.losses, "seed": self.seed}
        state = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
        with atomic_path(path) as temporary:
            save_file(state, temporary, {"wsr": json.dumps(meta)})

    def load(self, path: Path) -> None:
        """WsrError for a checkpoint of another run."""
        try:
            with safe_open(path, "pt") as file:
                meta = json.loads(file.metadata()["wsr"])
                state = {key: file.get_tensor(key) for key in file.keys()}
            if meta["seed"] != self.seed:
                raise ValueError(f"it was made with seed {meta['seed']}")
            self.model.network.load_state_dict(_below(state, "network."))
        except Exception as error:
            raise WsrError(f"{str(path)!r} is not a checkpoint of this run ({error}): remove it.") from None
        shadow, slots = _below(state, "average."), _below(state, "optimizer.")
        device = self.accelerator.device
        self.average.shadow_params = [shadow[str(i)].to(device) for i in range(len(shadow))]
        self.average.optimization_step = meta["step"]
        whole = self.optimizer.state_dict()
        for name, value in slots.items():
            number, _, key = name.partition(".")
            whole["state"].setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict(whole)
        self.step, self.seconds, self.losses = meta["step"], meta["seconds"], meta["losses"]


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _cosine(x: Float[Tensor, "n p"]) -> float:
    """The mean cosine of pairs of different rows."""
    unit = torch.nn.functional.normalize(x)
    return float((unit.sum(0).square().sum() - len(x)) / (len(x) * (len(x) - 1)))
