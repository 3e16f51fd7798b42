"""How the instances of a zoo are fitted, apart from its folder: all that another thread, process or machine needs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.devices import compile_backend
from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.fitting.encoder import StartEncoder
from wsr.fitting.encoder_files import encoder_for
from wsr.fitting.loop import FitResult, run_fit
from wsr.fitting.problem import Problem, make_problem
from wsr.presets import FitConfig
from wsr.zoo.zoo import Zoo

FIRST = "first"  # the init of a zoo whose other fits start from its first one
RETRY = 0.25  # factor of the learning rate when a diverged fit is repeated


@dataclass
class Batch:
    """A fitted batch of n instances: weights (n, p) and quality (n,); of each instance its status, its steps and the
    hash of its target; and the seconds of all of them."""

    weights: Float[Tensor, "n p"]
    quality: Float[np.ndarray, "n"]
    status: list[str]
    steps: list[int]
    hashes: list[str]
    seconds: float = 0.0

    def put(self, rows: Sequence[int], found: FitResult) -> None:
        """Takes over the fits of some of the instances."""
        for i, row in enumerate(rows):
            self.weights[row], self.quality[row], self.status[row] = found.weights[i], found.quality[i], found.status[i]
            self.steps[row] = found.config.steps
        self.seconds += found.seconds


@dataclass(frozen=True)
class OwnStarts:
    """Starts of which each instance has one of its own, drawn from the zoo's seed and the hash of its target: the same
    in every batch, on every machine."""

    init: str
    sigma: float
    init_seed: int

    @classmethod
    def of(cls, zoo: Zoo) -> "OwnStarts | None":
        """Those of a zoo; None if all its instances share one start. WsrError if that is also where an encoder or
        another fit says that they begin."""
        if not zoo.meta.get("own_starts"):
            return None
        if zoo.meta["init"] == FIRST or zoo.meta.get("encoded"):
            raise WsrError(
                f"The zoo {str(zoo.path)!r} asks for a start of its own for each instance, and also for one that "
                f"{'an encoder predicts' if zoo.meta.get('encoded') else 'its first instance gives'}: choose one."
            )
        return cls(zoo.meta["init"], zoo.meta["sigma"], zoo.meta["init_seed"])

    def draw(self, model: Representation, hashes: Sequence[str]) -> Float[Tensor, "n p"]:
        return torch.stack([model.initial(self.init, self.sigma, self._seed(of)) for of in hashes])

    def _seed(self, of: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.init_seed} {of}".encode()).digest()[:7])


@dataclass(frozen=True)
class Recipe:
    """How a zoo's instances are fitted. start (p,): of all of them; None if each has one of its `own`; dtype: in which
    weights are stored and judged; resolution: at which they are judged; encoder: of their starts, if they have one;
    plain_steps: of instances that it does not know; seed: of the points that are drawn."""

    representation: Representation
    start: Float[Tensor, "p"] | None
    config: FitConfig
    dtype: torch.dtype
    resolution: int
    encoder: StartEncoder | None
    plain_steps: int
    seed: int
    device: str
    own: OwnStarts | None = None

    @staticmethod
    def of(zoo: Zoo, seed: int, device: str) -> "Recipe":
        """That of a zoo's next instances."""
        encoder, config = zoo_encoder(zoo), zoo_config(zoo)
        plain = zoo.meta["encoded"]["plain_steps"] if encoder else config.steps
        own, dtype = OwnStarts.of(zoo), getattr(torch, zoo.meta["dtype"])
        start = None if own else zoo_start(zoo)
        return Recipe(zoo.representation, start, config, dtype, zoo.resolution, encoder, plain, seed, device, own)

    def fit(self, items: Signals) -> Batch:
        """Fits a batch. The quality is that of the weights as stored. Instances that the encoder does not know are
        fitted from the plain start. Fits that diverge are tried once more, with a lower learning rate."""
        items, n, config = items.held(), len(items), self.config
        hashes = [signal.sha256() for signal in items]
        start = self.own.draw(self.representation, hashes) if self.own else self.start
        batch = Batch(torch.empty(n, self.representation.size), np.empty(n), [""] * n, [0] * n, hashes)
        everything = self._problem(items)
        known, starts, plain = range(n), start, []
        if self.encoder:
            found = self.encoder.on(self.device).starts(everything.targets, start.to(self.device))
            known, plain = (told.nonzero().flatten().tolist() for told in (found.encoded, ~found.encoded))
            starts = found.weights[found.encoded]
        if known:
            problem = everything if len(known) == n else self._problem(items, known)
            batch.put(known, self._fitted(problem, starts, config))
        if plain:
            slower = replace(config, steps=self.plain_steps)
            batch.put(plain, self._fitted(self._problem(items, plain), start, slower))
        for i, status in enumerate(batch.status):
            if status.startswith("diverged"):
                careful = replace(config, steps=batch.steps[i], lr=config.lr * RETRY)
                begin = start[i : i + 1] if self.own else start
                batch.put([i], self._fitted(self._problem(items, [i]), begin, careful))
        return batch

    def _problem(self, items: Signals, rows: Sequence[int] | None = None) -> Problem:
        part = items if rows is None else items.select(items[i].id for i in rows)
        shared = self.config.shared_points
        return make_problem(part, self.resolution, self.seed, self.device, shared_points=shared)

    def _fitted(self, problem: Problem, start: Float[Tensor, "..."], config: FitConfig) -> FitResult:
        judged = self.resolution, 0, self.dtype, compile_backend(self.device)
        *_, last = run_fit(problem, self.representation, start, config, *judged)
        return last.result


def zoo_encoder(zoo: Zoo) -> StartEncoder | None:
    """Returns the encoder that says where a zoo's fits start; None if they all start plainly. WsrError if it is not
    there any more, or is another one."""
    wanted = zoo.meta.get("encoded")
    if not wanted:
        return None
    encoder = encoder_for(zoo.representation)
    if encoder.sha256 != wanted["sha256"]:
        raise WsrError(
            f"The zoo {str(zoo.path)!r} was begun with another encoder than the one that is here: put its own in its "
            f"place (its SHA-256 begins with {wanted['sha256'][:12]}, that of the one here with "
            f"{encoder.sha256[:12]}), or choose another folder."
        )
    return encoder


def zoo_config(zoo: Zoo) -> FitConfig:
    """Returns the configuration of the zoo's fits, as its zoo.json records it, so that new instances are fitted like
    the existing ones. WsrError for settings that this version does not know."""
    if unknown := sorted(zoo.meta["fit"].keys() - FitConfig.__dataclass_fields__.keys()):
        raise WsrError(
            f"The zoo {str(zoo.path)!r} was fitted with a setting that this version of wsr does not know "
            f"({str(unknown[0])[:60]!r}): go on with the version that made it."
        )
    return FitConfig(steps=zoo.meta["steps"], **{**zoo.meta["fit"], "betas": tuple(zoo.meta["fit"]["betas"])})


def zoo_start(zoo: Zoo) -> Float[Tensor, "p"]:
    """Returns the start of all of a zoo's fits: the representation's shared start, or, if the zoo's init is `first`,
    its first instance, which is itself fitted from the shared start (HyperDiffusion's initialization of standalone
    MLPs, section 8.1). WsrError for a zoo whose fits have starts of their own."""
    if zoo.meta.get("own_starts"):
        raise WsrError(
            f"Each fit of the zoo {str(zoo.path)!r} has a start of its own, and what is asked for begins at one that "
            "all fits share: take a zoo that was made without --own-starts."
        )
    if zoo.meta["init"] == FIRST:
        if len(zoo):
            return zoo.weights(zoo.ids[:1])[0]
        return zoo.representation.initial("centered", zoo.meta["sigma"], zoo.meta["init_seed"])
    return zoo.representation.initial(zoo.meta["init"], zoo.meta["sigma"], zoo.meta["init_seed"])
