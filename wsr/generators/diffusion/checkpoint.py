"""The checkpoint of a training run. It is validated completely before the run is changed."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from wsr.formats.generators import identity_with_current_names
from wsr.formats.tensors import open_tensors, save_tensors
from wsr.identity import Identity

Shape = tuple[int, ...]
DTYPES = ("F16", "BF16", "F32", "I64")


@dataclass
class Best:
    """The parameters of the averaged network with the lowest validation loss so far, reached at `step`. Improvements
    below `MIN_DELTA` do not count. waited: number of evaluations since."""

    loss: float
    step: int
    parameters: list[Tensor]
    waited: int = 0


@dataclass
class Checkpoint:
    """The state of a run at `step`. network: its tensors by name; average: averaged parameters, in order; slots: the
    optimizer's state of each parameter, by the parameter's number; evaluations: (step, validation loss)."""

    step: int
    seconds: float
    network: dict[str, Tensor]
    average: list[Tensor]
    slots: dict[int, dict[str, Tensor]]
    losses: list[float]
    evaluations: list[tuple[int, float]]
    monitors: list[dict] = field(default_factory=list)
    best: Best | None = None

    def write(self, path: Path, identity: Identity) -> None:
        """Writes the checkpoint. identity: that of the run, the only one that may continue from this file."""
        state = {f"network.{key}": value for key, value in self.network.items()}
        state |= {f"average.{i}": value for i, value in enumerate(self.average)}
        for i, slots in self.slots.items():
            state |= {f"optimizer.{i}.{key}": value for key, value in slots.items()}
        meta = {"step": self.step, "seconds": self.seconds, "identity": identity.record(), "losses": self.losses}
        meta |= {"evaluations": self.evaluations, "monitors": self.monitors}
        if self.best is not None:
            state |= {f"best.{i}": value for i, value in enumerate(self.best.parameters)}
            meta["best"] = [self.best.loss, self.best.step, self.best.waited]
        save_tensors(path, state, {"wsr": json.dumps(meta)})

    @classmethod
    def read(cls, state: dict[str, Tensor], meta: dict[str, Any], network: dict[str, Shape], parameters: list[Shape]):
        """Reads a checkpoint from the tensors and metadata of a file. network, parameters: the shapes that the run has.
        ValueError, KeyError or TypeError if something is missing, or is of another type or shape."""
        found = _below(state, "network.")
        if {key: tuple(one.shape) for key, one in found.items()} != network:
            raise ValueError("its network is of other sizes")
        best = None
        if "best" in meta:
            loss, step, waited = meta["best"]
            best = Best(float(loss), int(step), _listed(_below(state, "best."), parameters), int(waited))
        evaluations = meta["evaluations"] if "evaluations" in meta else meta["looks"]  # the old key
        return cls(
            int(meta["step"]), float(meta["seconds"]), found, _listed(_below(state, "average."), parameters),
            _slots(_below(state, "optimizer."), parameters), [float(loss) for loss in meta["losses"]],
            [(int(at), float(loss)) for at, loss in evaluations], [dict(one) for one in meta["monitors"]], best,
        )  # fmt: skip


@dataclass(frozen=True)
class CheckpointFile:
    """The file of a checkpoint before it is validated. begun: identity of the run that has written it, None if the file
    does not state it."""

    begun: Identity | None
    state: dict[str, Tensor]
    meta: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> "CheckpointFile":
        """Reads the file. Raises whatever the reader raises if it is damaged or is not a checkpoint."""
        with open_tensors(path, "a checkpoint of training") as file:
            meta = json.loads(file.metadata["wsr"])
            state = {key: file.tensor(key, dtypes=DTYPES, finite=False) for key in file.shapes}
        return cls(Identity.read(identity_with_current_names(meta["identity"])), state, meta)


def _listed(found: dict[str, Tensor], shapes: list[Shape]) -> list[Tensor]:
    if {key: tuple(one.shape) for key, one in found.items()} != {str(i): shape for i, shape in enumerate(shapes)}:
        raise ValueError("its averages are of other sizes")
    return [found[str(i)] for i in range(len(shapes))]


def _slots(found: dict[str, Tensor], shapes: list[Shape]) -> dict[int, dict[str, Tensor]]:
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in found.items():
        number, _, key = name.partition(".")
        slots.setdefault(int(number), {})[key] = value
    # before the first step there is no state, and none ever for a parameter without a gradient
    if not set(slots) <= set(range(len(shapes))):
        raise ValueError("what its optimiser keeps is of other parameters")
    for number, slot in slots.items():
        wanted = {"step": (), "exp_avg": shapes[number], "exp_avg_sq": shapes[number]}
        if {key: tuple(value.shape) for key, value in slot.items()} != wanted:
            raise ValueError(f"what its optimiser keeps of parameter {number} is of other sizes")
    return slots


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
