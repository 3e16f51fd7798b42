"""What a checkpoint of a training run holds, checked whole before anything of the run is changed."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

Shape = tuple[int, ...]


@dataclass
class Best:
    """The average network (its parameters) with the lowest validation loss, but for what is not worth a longer run,
    and the looks since."""

    loss: float
    step: int
    parameters: list[Tensor]
    looks: int = 0


@dataclass
class Kept:
    """A run at `step`. network: its tensors by name; average: of its parameters, in order; slots: what the optimiser
    keeps of each parameter, by its number; looks: (step, validation loss)."""

    step: int
    seconds: float
    network: dict[str, Tensor]
    average: list[Tensor]
    slots: dict[int, dict[str, Tensor]]
    losses: list[float]
    looks: list[tuple[int, float]]
    monitors: list[dict] = field(default_factory=list)
    best: Best | None = None

    @classmethod
    def read(cls, state: dict[str, Tensor], meta: dict[str, Any], network: dict[str, Shape], parameters: list[Shape]):
        """From the tensors and the metadata of a file. network, parameters: the shapes that the run has. ValueError,
        KeyError or TypeError where something is missing or of another kind or shape."""
        found = _below(state, "network.")
        if {key: tuple(one.shape) for key, one in found.items()} != network:
            raise ValueError("its network is of other sizes")
        best = None
        if "best" in meta:
            loss, step, looks = meta["best"]
            best = Best(float(loss), int(step), _listed(_below(state, "best."), parameters), int(looks))
        return cls(
            int(meta["step"]), float(meta["seconds"]), found, _listed(_below(state, "average."), parameters),
            _slots(_below(state, "optimizer."), parameters), [float(loss) for loss in meta["losses"]],
            [(int(at), float(loss)) for at, loss in meta["looks"]], [dict(one) for one in meta["monitors"]], best,
        )  # fmt: skip


def _listed(found: dict[str, Tensor], shapes: list[Shape]) -> list[Tensor]:
    if {key: tuple(one.shape) for key, one in found.items()} != {str(i): shape for i, shape in enumerate(shapes)}:
        raise ValueError("its averages are of other sizes")
    return [found[str(i)] for i in range(len(shapes))]


def _slots(found: dict[str, Tensor], shapes: list[Shape]) -> dict[int, dict[str, Tensor]]:
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in found.items():
        number, _, key = name.partition(".")
        slots.setdefault(int(number), {})[key] = value
    # a run of no step has none, and a parameter without a gradient neither
    if not set(slots) <= set(range(len(shapes))):
        raise ValueError("what its optimiser keeps is of other parameters")
    for number, slot in slots.items():
        wanted = {"step": (), "exp_avg": shapes[number], "exp_avg_sq": shapes[number]}
        if {key: tuple(value.shape) for key, value in slot.items()} != wanted:
            raise ValueError(f"what its optimiser keeps of parameter {number} is of other sizes")
    return slots


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
