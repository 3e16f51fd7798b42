"""The options of `wsr fit` and `wsr zoo build` that make weights easier to learn from."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(kw_only=True)
class LeverOptions:
    """Options that are fields of `wsr.fitting.settings.FitSettings` too. All are off by default."""

    protocol: Literal["paper-like", "structured"] = "paper-like"
    """paper-like: fits as the paper makes them; structured: fits whose weights are easier to learn from, which
    start where an encoder says."""
    lr: float | None = None
    """Learning rate of the first step; by default the preset's."""
    shared_points: bool = False
    """Draw each step's points at the same places for all instances."""
    pull: float | None = None
    """Strength of a pull of the weights towards their start; 0.1 is a weak one, 0.5 a strong one."""
    average: float | None = None
    """Average the weights of this share of the steps, at the end; 0.5 averages those of the last half."""

    def levers(self) -> dict[str, Any]:
        """Returns what was given, as keywords of `FitSettings`."""
        shared = self.shared_points or None  # what is not given is left to the protocol
        given = {"lr": self.lr, "shared_points": shared, "pull": self.pull, "average": self.average}
        return {"protocol": self.protocol, **given}
