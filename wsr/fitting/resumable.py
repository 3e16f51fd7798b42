"""Training in steps that can be interrupted: the checkpoint holds the whole state and states to which run it
belongs."""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from wsr.first_process import is_first_process
from wsr.identity import Identity
from wsr.paths import atomic_path
from wsr.run_files import CheckpointPace

log = logging.getLogger("wsr")


@dataclass
class TrainingRecord:
    """A progress record of a training. loss: mean since the last record, NaN if nothing was left to train; kept: True
    if nothing was trained because the same run has already written its result."""

    step: int
    steps: int
    loss: float
    seconds: float
    done: bool = False
    kept: bool = False


class ResumableTraining(ABC):
    """A training of `steps` steps, of which `step` are done, after `seconds`. A subclass names in `parts` its
    attributes with a state that a checkpoint needs: networks, optimizers and moving averages. config: its settings, as
    a dataclass."""

    parts: tuple[str, ...]
    config: Any
    seed: int
    device: torch.device
    step: int
    seconds: float

    @abstractmethod
    def _begin(self) -> None:
        """Sets all parts, `step` and `seconds` to the beginning of the run."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """Identifies the run by everything that its result depends on."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """Total number of steps."""

    @abstractmethod
    def _train_step(self) -> Tensor:
        """Trains one step, counts it in `step`, and returns its loss."""

    def run(
        self, record_every: int = 50, checkpoint: Path | None = None, pace: CheckpointPace | None = None
    ) -> Iterator[TrainingRecord]:
        """Trains to the end, starting from `checkpoint` if it exists. Closing the generator between two records saves a
        checkpoint; a killed process loses what it has done since the last one, which `pace` decides. WsrError for the
        checkpoint of a different run. A checkpoint that cannot be read is ignored with a warning, and training starts
        from the beginning."""
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        try:
            yield from self._steps(record_every, checkpoint, pace or CheckpointPace())
        except GeneratorExit:
            if checkpoint is not None:
                self.save(checkpoint)
            raise

    def kept(self) -> TrainingRecord:
        """Returns the only record of a run whose result exists already."""
        return TrainingRecord(self.steps, self.steps, math.nan, 0.0, done=True, kept=True)

    def history(self, instances: int) -> dict[str, Any]:
        """Returns what the file of the result states about the training, as JSON values. instances: size of the
        training set."""
        return {
            "steps": self.step,
            "seconds": round(self.seconds),
            "seed": self.seed,
            "instances": instances,
            "threads": torch.get_num_threads(),
            "device": str(self.device),
            "schedule": asdict(self.config),
            "identity": self.identity.record(),
        }

    def _steps(self, record_every: int, checkpoint: Path | None, pace: CheckpointPace) -> Iterator[TrainingRecord]:
        losses = []
        if self.step >= self.steps:  # it was ended after its last checkpoint, before its result was written
            yield TrainingRecord(self.step, self.steps, math.nan, self.seconds, done=True)
        while self.step < self.steps:
            start = time.monotonic()
            losses.append(self._train_step())
            self.seconds += time.monotonic() - start
            if self.step % record_every == 0 or self.step == self.steps:
                mean = float(torch.stack(losses).mean())
                losses = []
                done = self.step == self.steps
                if checkpoint is not None and (done or pace.due):
                    with pace.writing():
                        self.save(checkpoint)
                yield TrainingRecord(self.step, self.steps, mean, self.seconds, done)

    def save(self, path: Path) -> None:
        """Writes a checkpoint, in the first of processes that train together."""
        if not is_first_process():
            return
        state = {name: getattr(self, name).state_dict() for name in self.parts}
        with atomic_path(path) as temporary:
            about = {"step": self.step, "seconds": self.seconds, "identity": self.identity.record()}
            torch.save(state | about, temporary)

    def load(self, path: Path) -> None:
        """Restores a checkpoint. WsrError if it belongs to a different run. If it is damaged or is not a checkpoint, it
        logs a warning and leaves the training at its beginning."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            begun = Identity.read(state.get("identity"))
        except Exception as error:  # torch.load raises many types for a damaged file
            self._warn(path, error)
            return
        self.identity.require_same(begun, path, "remove it to begin afresh")
        try:
            for name in self.parts:
                part, found = getattr(self, name), state[name]
                if isinstance(part, Optimizer):  # its options are those of this device (`wsr.captured.capturable`)
                    found = {**found, "param_groups": part.state_dict()["param_groups"]}
                part.load_state_dict(found)
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
        except Exception as error:
            self._begin()  # part of the state may have been loaded
            self._warn(path, error)

    @staticmethod
    def _warn(path: Path, error: Exception) -> None:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        log.warning("The checkpoint %r cannot be read (%s): training begins afresh.", str(path), reason)
