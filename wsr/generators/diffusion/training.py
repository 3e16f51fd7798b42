"""Training a diffusion model on the weights of a zoo (sections 3.5 and 8.2).

`accelerate` runs it on one CPU, one GPU or many. All randomness of a step comes from the seed and the step's number and
is drawn for the whole batch, of which each process takes its part: a run that was killed goes on exactly, and more
processes take the same path.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from jaxtyping import Float, Int
from torch import Tensor

from wsr.analysis.neighbours import nearest
from wsr.devices import upload
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.formats.tensors import open_tensors, save_tensors
from wsr.generators.diffusion.kept import Best, Kept
from wsr.generators.diffusion.model import WeightDiffusion
from wsr.generators.diffusion.process import make_process
from wsr.identity import Identity, content_hash

SEEDS = 1_000_003  # a step's seed is the run's times this, plus the step
WORTH = 1e-3  # the part of the validation loss that a longer run must gain
VERSION = 1  # counted up by hand whenever the same settings would train another model
LOOKS = 4  # times of each validation weight that its loss is a mean of

log = logging.getLogger("wsr")


@dataclass(frozen=True)
class Monitor:
    """Whether samples collapse: the mean cosine of pairs of samples (0 where they differ in every way), beside that of
    the training weights; and how many different training weights are nearest to one of them."""

    cosine: float
    cosine_train: float
    distinct: int
    samples: int


@dataclass(frozen=True)
class TrainRecord:
    """loss: the mean since the last record, over all processes; validation: the loss of the average network on the
    validation weights, at the last look; kept: nothing was trained, as the same run has written its model before."""

    step: int
    steps: int
    loss: float
    lr: float
    seconds: float
    monitor: Monitor | None = None
    validation: float | None = None
    done: bool = False
    kept: bool = False


class Training:
    """A diffusion model in training, with all that is needed to go on after a kill. The model is this run's own: it
    moves to the accelerator's device and is changed there. dtype: of the matrix products,
    float32 unless changed; bfloat16 takes three quarters of the time on two cores that have it. validation: weights
    (m, p) and their classes that are not trained on; with `DiffusionConfig.patience` they say when training ends."""

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
        kind = FieldDescription.of(model.representation).record() if model.representation else {}
        kind.pop("base", None)  # its hash says which it is, wherever it lies
        self._known = {"seed": seed, "decoder": kind}
        self._known |= {"classes": content_hash(classes), "weights": content_hash(weights)}
        self.steps = self.config.steps_for(len(weights))
        world = self.accelerator.num_processes
        if min(self.config.batch, len(weights)) < world:
            raise WsrError(f"A batch of {min(self.config.batch, len(weights))} cannot be shared by {world} processes.")
        device = self.accelerator.device
        model.to_(device)
        self.data = model.standardise(weights.float().to(device))
        found = Counter(classes)
        model.about["counts"] = [found[cls] for cls in model.classes]
        self.labels = torch.tensor([model.label(cls) for cls in classes], device=device)
        optimizer = torch.optim.AdamW(model.network.parameters(), lr=self.config.lr, weight_decay=0.0, fused=True)
        self.average = EMAModel(model.network.parameters(), decay=self.config.ema, foreach=True)
        self.network, self.optimizer = self.accelerator.prepare(model.network, optimizer)
        self.process = make_process(self.config)
        self.dtype = torch.float32  # of the matrix products
        self.validation: tuple[Tensor, list[str]] | None = None
        self.best: Best | None = None
        self.step, self.seconds, self.losses, self.looks = 0, 0.0, [], []  # looks: (step, validation loss)
        self.monitors: list[dict] = []

    @property
    def identity(self) -> Identity:
        """All that the trained network depends on. The validation weights are part of it: set them before."""
        unseen = None if self.validation is None else content_hash(*self.validation)
        return Identity.of("diffusion", VERSION, config=self.config, validation=unseen, **self._known)

    def run(
        self,
        record_every: int = 50,
        monitor_every: int = 250,
        checkpoint: Path | None = None,
        checkpoint_every: float = 60.0,
    ) -> Iterator[TrainRecord]:
        """Trains to the end, from `checkpoint` where it exists. Stoppable between records, when a checkpoint is left;
        afterwards the model's network is the average of the run so far, the best one where there is a validation part.
        WsrError, with the step and the last good checkpoint, for a loss that is not a number."""
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        try:
            yield from self._steps(record_every, monitor_every, checkpoint, checkpoint_every)
        except GeneratorExit:
            if checkpoint is not None:
                self.save(checkpoint)
            raise
        finally:
            self._settle()

    def _steps(
        self, record_every: int, monitor_every: int, checkpoint: Path | None, checkpoint_every: float
    ) -> Iterator[TrainRecord]:
        recent, saved, good = [], time.monotonic(), self.step
        while not self.done:
            begun = time.monotonic()
            recent.append(self._train_step())
            if self.validation is not None and (self.step % self.config.look == 0 or self.step == self.steps):
                self._look()
            self.seconds += time.monotonic() - begun
            if self.step % record_every and not self.done:
                continue
            self._check(recent, checkpoint, good)
            loss, recent = float(torch.stack(recent).mean()), []
            self.losses.append(loss)
            watch = self.monitor() if monitor_every and (self.done or not self.step % monitor_every) else None
            self.monitors += [{"step": self.step, **asdict(watch)}] if watch else []
            if checkpoint is not None and (self.done or time.monotonic() - saved > checkpoint_every):
                self.save(checkpoint)
                saved, good = time.monotonic(), self.step
            yield TrainRecord(
                self.step, self.steps, loss, self._rate(self.step - 1), self.seconds,
                watch, self.looks[-1][1] if self.looks else None, self.done,
            )  # fmt: skip

    @torch.no_grad()
    def _settle(self) -> None:
        """The model's network becomes the average, and the model says how it came to be."""
        kept = self.average.shadow_params if self.best is None else self.best.parameters
        for parameter, value in zip(self.model.network.parameters(), kept, strict=True):
            parameter.copy_(value)
        self.model.about |= {"losses": self.losses, "seconds": self.seconds, "steps": self.step, "looks": self.looks}
        self.model.about |= {"monitors": self.monitors, "identity": self.identity.record()}
        if self.best is not None:
            self.model.about["best"] = self.best.step

    @property
    def done(self) -> bool:
        return self.step >= self.steps or bool(
            self.best and self.config.patience and self.best.looks >= self.config.patience
        )

    def _look(self) -> None:
        """The validation loss of the average so far; the best one is kept."""
        with self._averaged():
            loss = self.score(*self.validation)
        # one number for all processes: a last digit must not end one of them before the others
        loss = float(self.accelerator.reduce(torch.tensor(loss, device=self.accelerator.device), "mean"))
        self.looks.append((self.step, loss))
        if self.best is None or loss < (1 - WORTH) * self.best.loss:
            self.best = Best(loss, self.step, [value.detach().clone() for value in self.average.shadow_params])
        else:
            self.best.looks += 1

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
        norm = self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.average.step(self.model.network.parameters())
        self.step += 1
        # a gradient that is not finite has spoilt the network, whatever the loss was: it counts as one that is not
        return self.accelerator.reduce(loss.detach() + 0.0 * norm, "mean")

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
        return tuple(upload(part[own], device) for part in (rows, times, noise, dropped))

    def _rate(self, step: int) -> float:
        return self.config.lr * min(1.0, (step + 1) / max(1, self.config.warmup))

    def _check(self, recent: list[Tensor], checkpoint: Path | None, good: int) -> None:
        wrong = (~torch.stack(recent).isfinite()).nonzero()
        if not len(wrong):
            return
        step = self.step - len(recent) + int(wrong[0]) + 1
        there = checkpoint is not None and checkpoint.exists()
        kept = f"the last good checkpoint is {str(checkpoint)!r}, of step {good}" if there else "no checkpoint was kept"
        raise WsrError(
            f"The loss is {float(recent[int(wrong[0])])} at step {step} of {self.steps}, at a learning rate of "
            f"{self._rate(step - 1):.2g}: {kept}. A lower rate would be next (`wsr diffuse --lr`)."
        )

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network as the average of the run, for as long as that."""
        parameters = list(self.model.network.parameters())
        self.average.store(parameters)
        self.average.copy_to(parameters)
        try:
            yield
        finally:
            self.average.restore(parameters)

    @torch.no_grad()
    def monitor(self, samples: int = 32, steps: int = 10) -> Monitor:
        """Samples of the average so far. A few steps of sampling: it is a warning, not a measurement."""
        with self._averaged():
            found = self.model.standardise(self.model.sample(samples, steps=steps))
        index, _ = nearest(found, self.data, 1, "l2")
        return Monitor(_cosine(found), _cosine(self.data[:256]), len(index.unique()), samples)

    @torch.no_grad()
    def score(self, weights: Float[Tensor, "m p"], classes: list[str]) -> float:
        """The loss of the network as it is on these weights (m, p), with times and noise that are always the same."""
        device, generator = self.accelerator.device, torch.Generator().manual_seed(0)
        data = self.model.standardise(weights.float().to(device)).repeat(LOOKS, 1)
        labels = torch.tensor([self.model.label(cls) for cls in classes], device=device).repeat(LOOKS)
        times = self.process.times(len(data), generator).to(device)
        noise = torch.randn(data.shape, generator=generator).to(device)
        self.network.eval()
        return float(self.process.loss(lambda x, time: self.network(x, time, labels), data, noise, times).mean())

    def save(self, path: Path) -> None:
        """Network, averages and optimiser; read by `load`, or by none but this class."""
        if not self.accelerator.is_main_process:
            return
        state = {f"network.{key}": value for key, value in self.model.network.state_dict().items()}
        state |= {f"average.{i}": value for i, value in enumerate(self.average.shadow_params)}
        for i, slots in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{i}.{key}": value for key, value in slots.items()}
        meta = {"step": self.step, "seconds": self.seconds, "identity": self.identity.record()}
        meta |= {"losses": self.losses, "looks": self.looks, "monitors": self.monitors}
        if self.best is not None:
            state |= {f"best.{i}": value for i, value in enumerate(self.best.parameters)}
            meta["best"] = [self.best.loss, self.best.step, self.best.looks]
        state = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
        save_tensors(path, state, {"wsr": json.dumps(meta)})

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint. WsrError for one of another run; where the file is damaged, or none of ours, a
        warning, and everything stays at its beginning."""
        try:
            kinds = ("F16", "BF16", "F32", "I64")
            with open_tensors(path, "a checkpoint of training") as file:
                meta = json.loads(file.metadata["wsr"])
                state = {key: file.tensor(key, dtypes=kinds, finite=False) for key in file.shapes}
            begun = Identity.read(meta["identity"])
        except Exception as error:  # whatever the reader meets in a damaged file
            self._warn(path, error)
            return
        self.identity.require_same(begun, path, "it is not a checkpoint of this run, remove it to begin afresh")
        network = {key: tuple(one.shape) for key, one in self.model.network.state_dict().items()}
        try:
            kept = Kept.read(state, meta, network, [tuple(one.shape) for one in self.model.network.parameters()])
        except Exception as error:
            self._warn(path, error)
            return
        self.model.network.load_state_dict(kept.network)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": kept.slots})
        self.average.shadow_params, self.average.optimization_step = self._here(kept.average), kept.step
        if kept.best is not None:
            self.best = replace(kept.best, parameters=self._here(kept.best.parameters))
        self.step, self.seconds, self.losses = kept.step, kept.seconds, kept.losses
        self.looks, self.monitors = kept.looks, kept.monitors

    def _here(self, found: list[Tensor]) -> list[Tensor]:
        return [one.to(self.accelerator.device) for one in found]

    @staticmethod
    def _warn(path: Path, error: Exception) -> None:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        log.warning("The checkpoint %r cannot be read (%s): training begins afresh.", str(path), reason)


def _cosine(x: Float[Tensor, "n p"]) -> float:
    """The mean cosine of pairs of different rows."""
    unit = torch.nn.functional.normalize(x)
    return float((unit.sum(0).square().sum() - len(x)) / (len(x) * (len(x) - 1)))
