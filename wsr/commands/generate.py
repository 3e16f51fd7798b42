"""The sub-commands of generation: `wsr diffuse`, `wsr sample`, `wsr evaluate`, `wsr audit`."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Column, Table
from tyro.conf import Positional

from wsr.commands import OK, PresetName, console
from wsr.errors import WsrError
from wsr.paths import atomic_path
from wsr.progress import bar


@dataclass
class Diffuse:
    """Train a diffusion model on the weights of a zoo. Goes on where a killed run stopped.

    Example: `wsr diffuse emoji-mlora-asym --steps 2000 --out faces.safetensors`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    out: Path | None = None
    """The model to write; by default assets/diffusion/<zoo>.safetensors, with the class, copies and seed in its name
    where they are not the default."""
    preset: PresetName | None = None
    """cpu: minutes to an hour on two cores. paper: width 2880, 12 layers, 6,000 epochs. By default the zoo's."""
    steps: int | None = None
    """Optimiser steps, all of them; by default until the loss of weights that are kept back for it no longer falls."""
    cls: str | None = None
    """Only weights of this class."""
    lr: float | None = None
    """Learning rate; by default the preset's."""
    seed: int = 0
    """Of the network's start and of everything that is drawn."""
    copies: int = 1
    """How often each weight is there, all but once with its ranks or neurons in another order; masks forbid it."""
    overwrite: bool = False
    """Replace a model that another run has made."""

    def run(self) -> int:
        from wsr.generators.diffusion import diffusion_preset
        from wsr.generators.diffusion.jobs import train_diffusion
        from wsr.paths import assets_dir
        from wsr.zoo import Zoo

        zoo = Zoo.open(self.zoo)
        parts = [zoo.path.name, self.cls, f"x{self.copies}" * (self.copies > 1), f"s{self.seed}" * (self.seed > 0)]
        out = self.out or assets_dir() / "diffusion" / f"{'-'.join(filter(None, parts))}.safetensors"
        config = diffusion_preset(self.preset or zoo.meta["preset"], zoo.meta["representation"])
        config = replace(config, lr=self.lr) if self.lr else config
        with bar(f"diffusion {zoo.path.name}") as update:
            for record in train_diffusion(
                zoo, out, config=config, steps=self.steps, cls=self.cls, seed=self.seed, copies=self.copies,
                overwrite=self.overwrite,
            ):  # fmt: skip
                note = f"loss {record.loss:.4f}"
                note += f", of unseen weights {record.validation:.4f}" if record.validation is not None else ""
                if record.monitor:
                    watch = record.monitor
                    note += f", cosine of samples {watch.cosine:.2f} (training {watch.cosine_train:.2f}), "
                    note += f"near {watch.distinct} different weights of {watch.samples}"
                update(record.step, record.steps, note)
        console.print(f"{out} is there already: the same run has written it." if record.kept else f"Wrote {out}.")
        return OK


@dataclass
class Sample:
    """Draw new weights from a diffusion model, as a zoo that every other command can open.

    Example: `wsr sample emoji-mlora-asym --count 16 --out new`, then `wsr render new --out pictures`.
    """

    model: Positional[str]
    """A model's file, or its name in assets/diffusion."""
    count: int = 16
    """How many."""
    cls: str | None = None
    """Of this class; by default of any."""
    guidance: float | None = None
    """How much the class counts: 1 as trained, 2 or 3 exaggerates it; by default the preset's."""
    steps: int = 100
    """DDIM steps."""
    seed: int = 0
    """Of the noise they begin with."""
    end: float | None = None
    """Noise from which the last step leads straight to the weights, from 0 to below 1; by default the preset's."""
    out: Path = Path("samples")
    """The zoo's folder."""

    def run(self) -> int:
        from wsr.fitting.fit import default_device
        from wsr.generators.diffusion import load_diffusion
        from wsr.generators.diffusion.jobs import sample_zoo

        if self.count < 1:
            raise WsrError(f"--count must be at least 1, not {self.count}.")
        with bar("sample") as update:
            model = load_diffusion(self.model).to(default_device())
            for done in sample_zoo(
                model, self.out, self.count, cls=self.cls, guidance=self.guidance,
                steps=self.steps, seed=self.seed, end=self.end,
            ):  # fmt: skip
                update(done, self.count)
        console.print(f"Wrote {self.out}.")
        return OK


@dataclass
class Evaluate:
    """How near sampled weights are to a zoo's fits: FD, MMD, and for shapes mMD, COV and 1-NNA, beside what copies of
    training weights and held-out fits get.

    Example: `wsr evaluate new emoji-mlora-asym --count 100`.
    """

    samples: Positional[str]
    """The zoo of samples."""
    zoo: Positional[str]
    """The zoo that the generator was trained on."""
    count: int = 200
    """Weights of either side in a comparison."""
    repeats: int = 5
    """Random subsets: their standard deviation is given."""
    extractor: str | None = None
    """clip, efficientnet-lite0 or pointnet++; by default what is there for images or shapes."""
    out: Path | None = None
    """Also write the table to this .csv."""

    def run(self) -> int:
        from wsr.analysis.evaluation import UNITS, evaluate, shown_as
        from wsr.metrics.features import extractor
        from wsr.zoo import Zoo, require_alike

        samples, zoo = Zoo.open(self.samples), Zoo.open(self.zoo)
        require_alike(samples, zoo)
        of = extractor(self.extractor, zoo.meta["dim"])
        with bar("evaluate") as update:
            found = evaluate(
                samples.weights(), zoo, of, count=self.count, repeats=self.repeats, progress=update
            )
        measures = [name for name in found if f"{name} sd" in found]
        table = Table("of", "against", *map(shown_as, measures))
        for row in found.to_dict("records"):
            pairs = ((row[name] / UNITS.get(name, 1), row[f"{name} sd"] / UNITS.get(name, 1)) for name in measures)
            table.add_row(row["set"], row["against"], *(f"{value:.4g} ± {spread:.2g}" for value, spread in pairs))
        console.print(table, f"Features: {of.name}. {self.count} weights of either side, {self.repeats} subsets.")
        if self.out:
            with atomic_path(self.out) as temporary:
                found.assign(extractor=of.name).to_csv(temporary, index=False)
        return OK


@dataclass
class AuditCommand:
    """Say of each sampled weight whether it is a replica of a training weight, a blend of two, or novel.

    Thresholds come from half of the zoo's held-out fits; the false-alarm rate is measured on the other half, and the
    other way round.
    Example: `wsr audit new emoji-mlora-asym`.
    """

    samples: Positional[str]
    """The zoo of samples."""
    zoo: Positional[str]
    """The zoo that the generator was trained on."""
    alarm: float = 0.05
    """The share of new weights that may be called copies."""
    show: int = 20
    """How many to list one by one."""

    def run(self) -> int:
        from wsr.analysis.novelty import audit_of
        from wsr.zoo import Zoo, require_alike

        samples, zoo = Zoo.open(self.samples), Zoo.open(self.zoo)
        require_alike(samples, zoo)
        audit, training, tested = audit_of(zoo, self.alarm)
        verdicts = audit.judge(samples.weights())
        first = (Column(name, no_wrap=True) for name in ("sample", "verdict"))
        table = Table(*first, "nearest training weight", "distance", "line between", "distance")
        for item, verdict in list(zip(samples.ids, verdicts, strict=True))[: self.show]:
            pair = " + ".join(training[i] for i in verdict.pair)
            table.add_row(
                item, verdict.word, training[verdict.nearest], f"{verdict.distance:.2f} ({verdict.replica:.2f})",
                pair, f"{verdict.line:.2f} ({verdict.blend:.2f})",
            )  # fmt: skip
        console.print(table)
        counts = Counter(verdict.word for verdict in verdicts)
        console.print(", ".join(f"{counts[word]} {word}" for word in ("replica", "blend", "novel")) + ".")
        console.print(
            "Distances are in units of the training weights' spread, and (in brackets) of the distance to the next "
            f"weights or lines: far below 1 one stands out. Of {len(tested)} held-out fits, judged by thresholds that "
            f"the other half sets, {sum(v.word != 'novel' for v in tested)} are called copies (stated rate "
            f"{self.alarm:.0%})."
        )
        return OK
