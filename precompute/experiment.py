"""What an experiment is: a declaration that says what it needs, what it makes, and how one cell of its grid is done.

    from precompute.experiment import Experiment
    from precompute.tables import write_json

    EXPERIMENT = Experiment(
        name="norms",
        title="`reports/norms-*.json`: the mean norm of each zoo's weights",
        data=("emoji", "shapes10"),
        grid={"representation": representations},
        needs=("zoos/{zoo}",),
        run=lambda cell, context: float(context.open_zoo(cell).weights().norm(dim=1).mean()),
        report=lambda found, paths, context: write_json(paths[0], {cell.key: value for cell, value in found}),
        reports=("reports/norms{tag}.json",),
        size="1 kB", time="1 s a zoo",
    )

A file of `precompute/experiments/` with such an `EXPERIMENT` is listed, run and resumed (`precompute/runner.py`). The
order of experiments is not declared: it follows from the paths, as a zoo is needed by what reads its files and made by
the experiment that writes them.

Paths are below assets/, and are patterns: `{data}` is the data set with the preset's name behind it unless that is
`cpu`, `{base}` the base that the data set's adapters stand on, `{zoo}` the zoo of the cell's data set and
representation, `{tag}` what tells a report on another data set or preset from the usual one, and any other name the
cell's own value. So what is made at another preset never overwrites what is there.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from precompute.selection import base_data, modality_of, prepare, slug
from wsr.data import Signals
from wsr.devices import default_device
from wsr.errors import WsrError
from wsr.paths import assets_dir
from wsr.presets import PRESETS, PresetConfig, preset
from wsr.zoo import Zoo

REPORT = "report"  # the value that marks the node of a report, beside the cells that it gathers


@dataclass(frozen=True)
class Cell:
    """One point of an experiment's grid: what is done, resumed and locked as a whole. values: by the grid's names.
    key: those values as they stand in names of files."""

    experiment: str
    values: Mapping[str, Any]
    key: str

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __hash__(self) -> int:
        return hash((self.experiment, self.key))

    def __str__(self) -> str:
        return f"{self.experiment} {self.key}".strip()

    @property
    def data(self) -> str:
        """The data set, as `wsr.data.load_signals` takes it."""
        return self.values["data"]

    @property
    def representation(self) -> str:
        return self.values["representation"]

    @property
    def is_report(self) -> bool:
        """Whether this gathers the cells of its experiment, instead of being one."""
        return REPORT in self.values


Found = list[tuple[Cell, Any]]  # the cells that are done, with what `run` returned for each
Paths = tuple[str, ...] | Callable[[Cell, "Context"], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The declaration of an experiment.

    `run(cell, context)` does one cell: it writes the files that `makes` names, or returns what it found as JSON holds
    it, or both. `report(found, paths, context)` gathers what was returned into the files `paths`, those that `reports`
    names, once for each value of the axes `report_by`. A run that was killed calls `run` again for the cells that it
    had not finished.
    """

    name: str
    title: str
    """What it makes, for `python -m precompute list`."""
    run: Callable[[Cell, "Context"], Any]
    makes: Paths = ()
    """What a cell writes."""
    needs: Paths = ()
    """What a cell reads. What is missing is made first, by the experiment that makes it."""
    after: Paths = ()
    """What must be there as well, but is read in part only: that part is among the `settings`."""
    uses: Paths = ()
    """What a cell reads where it is there, and does without where it is not."""
    data: tuple[str, ...] = ()
    """The data sets that it is usually run on, the grid's axis `data`; `--data` gives others."""
    grid: Mapping[str, Iterable] | Callable[["Context"], Iterable[Mapping[str, Any]]] = field(default_factory=dict)
    """Further axes, with a cell for each combination; or the cells' values themselves, data set included."""
    signals: Callable[[str], Signals] | None = None
    """The signals of a data set that cells are fitted to, where they are: their content is part of the identity."""
    settings: Callable[[Cell, "Context"], Mapping[str, Any]] = lambda cell, context: {}
    """Whatever else the result depends on."""
    version: int = 1
    """Counted up by hand whenever the same settings would give another result."""
    report: Callable[[Found, list[Path], "Context"], None] | None = None
    reports: Paths = ()
    report_by: tuple[str, ...] = ()
    final: bool = False
    """Whether it makes a final table, which alone may read the test split (`precompute.final`). Nothing may be chosen
    by what it finds: no other experiment reads that."""
    gathers: bool = False
    """Whether it only puts together what others have made: it is made again by itself whenever that has changed."""
    presets: tuple[str, ...] = PRESETS
    """The presets that it can be run at."""
    threads: int | None = None
    """Threads of PyTorch, where all cores are too many: two runners side by side then share two cores better."""
    by_hand: bool = False
    """Whether `run --all` leaves it out: it needs a browser or a quiet machine, or is a search that is settled."""
    place: int = 99
    """Its place in the list, which says nothing of the order in which experiments run."""
    size: str = ""
    time: str = ""
    """Measured, on the machine that precompute/README.md names."""


@dataclass
class Context:
    """What a run was asked for: the preset, the data sets in place of an experiment's own, and one representation
    alone. It names what is made, so that no experiment writes a preset or a data set into a path."""

    preset: str = "cpu"
    given: tuple[str, ...] = ()
    only: str | None = None
    device: str = field(default_factory=default_device)
    memory: dict = field(default_factory=dict, repr=False)

    def data(self, experiment: Experiment) -> tuple[str, ...]:
        """The data sets of an experiment in this run."""
        return self.given if self.given and experiment.data else experiment.data

    def named(self, data: str) -> str:
        """`{data}`: a data set in names of files, with the preset unless that is `cpu`."""
        return slug(data) + self._preset()

    def base(self, data: str) -> str:
        """`{base}`: the base that adapters for this data set stand on."""
        return self.named(base_data(data))

    def zoo(self, data: str, representation: str) -> str:
        """`{zoo}`: the zoo of a data set and a representation."""
        return f"{self.named(data)}-{representation}"

    def tag(self, experiment: Experiment) -> str:
        """`{tag}`: what tells a report on other data sets, or at another preset, from the usual one."""
        other = self.data(experiment) != experiment.data
        return "".join(f"-{slug(data)}" for data in self.data(experiment) if other) + self._preset()

    def _preset(self) -> str:
        return "" if self.preset == "cpu" else f"-{self.preset}"

    def settings(self, data: str) -> PresetConfig:
        """The preset's settings for a data set."""
        return preset(self.preset, modality_of(data))

    def shared(self, key: Any, make: Callable[[], Any]) -> Any:
        """What several cells of this process need, made once."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def cells(self, experiment: Experiment) -> list[Cell]:
        """The cells of an experiment's whole grid in this run, whatever `only` says."""
        values = experiment.grid
        if not callable(values):
            axes = {"data": self.data(experiment)} if experiment.data else {}
            axes |= {name: tuple(given) for name, given in values.items()}
            values = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
        else:
            values = list(values(self))
        return [Cell(experiment.name, point, self._key(point)) for point in values]

    def asked(self, experiment: Experiment) -> list[Cell]:
        """The cells that `only` leaves."""
        return [cell for cell in self.cells(experiment) if self.is_asked(cell)]

    def is_asked(self, cell: Cell) -> bool:
        """Whether `only` leaves a cell: all that are about no representation stay."""
        return self.only is None or cell.values.get("representation", self.only) == self.only

    def reports(self, experiment: Experiment) -> list[Cell]:
        """The nodes of an experiment's reports, one for each value of the axes that it is reported by."""
        if experiment.report is None:
            return []
        groups = dict.fromkeys(tuple(c[name] for name in experiment.report_by) for c in self.cells(experiment))
        found = []
        for group in groups:
            values = dict(zip(experiment.report_by, group, strict=True))
            tag = "" if "data" in values else self.tag(experiment)
            key = "-".join(filter(None, [REPORT + tag, self._key(values) if values else ""]))
            found.append(Cell(experiment.name, {**values, REPORT: True}, key))
        return found

    def fill(self, paths: Paths, cell: Cell, experiment: Experiment) -> list[str]:
        """Patterns filled in for a cell, each once."""
        names = {**cell.values, "tag": self.tag(experiment), "preset": self.preset}
        if "data" in cell.values:
            names |= {"data": self.named(cell.data), "base": self.base(cell.data)}
            if "representation" in cell.values:
                names["zoo"] = self.zoo(cell.data, cell.representation)
        found = paths(cell, self) if callable(paths) else paths
        return list(dict.fromkeys(path.format_map(names) for path in found))

    def path(self, asset: str) -> Path:
        return assets_dir() / asset

    def prepare(self, data: str) -> None:
        """Makes a data set ready to be read, once in a run."""
        self.shared(("prepared", data), lambda: prepare(data))

    def open_zoo(self, cell: Cell) -> Zoo:
        """The zoo of the cell's data set and representation."""
        return Zoo.open(self.zoo(cell.data, cell.representation))

    def _key(self, values: Mapping[str, Any]) -> str:
        parts = [self.named(value) if name == "data" else slug(str(value)) for name, value in values.items()]
        return "-".join(parts if "data" in values else [*filter(None, [self._preset().strip("-")]), *parts])


def refuse_unfit(experiment: Experiment, context: Context) -> None:
    """WsrError where an experiment cannot be run at this preset or on these data sets."""
    if context.preset not in experiment.presets:
        valid = " or ".join(experiment.presets)
        raise WsrError(f"{experiment.name} is run at the preset {valid}, not at {context.preset}.")
    if context.given and not experiment.data:
        raise WsrError(f"{experiment.name} is not about one data set: leave out --data.")
