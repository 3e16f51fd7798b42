"""What an experiment is: a declaration that says what it needs, what it makes, and how one cell of its grid is done.

    from precompute.experiment import Experiment
    from precompute.tables import write_json
    from wsr.fields import registry

    EXPERIMENT = Experiment(
        name="norms",
        title="`reports/norms-*.json`: the mean norm of each zoo's weights",
        data=("emoji", "shapes10"),
        grid={"representation": registry.names},
        needs=("zoos/{zoo}",),
        run=lambda cell, context: float(context.open_zoo(cell).weights().norm(dim=1).mean()),
        report=lambda found, paths, context: write_json(paths[0], {cell.key: value for cell, value in found}),
        reports=("reports/norms{tag}.json",),
        size="1 kB", time="1 s a zoo",
    )

A file of `precompute/experiments/` with such an `EXPERIMENT` is listed, run and resumed (`precompute/runner.py`). The
order of experiments is not declared. It follows from the paths: a cell that needs a path is run after the cell that
makes it.

Paths are below assets/, and are patterns. `{data}` is the data set, followed by the preset's name unless that is `cpu`.
`{base}` is the base of the data set's adapters, `{zoo}` the zoo of the cell's data set and representation, and
`{large_zoo}` their large zoo. `{tag}` is empty for the usual data sets and preset, and otherwise names the data sets
and preset of the run. Any other name stands for the cell's value on that axis. A run at another preset therefore never
overwrites existing results.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from precompute.selection import base_data, modality_of, prepare
from wsr.data import Signals
from wsr.data.registry import large, slug
from wsr.devices import default_device
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.paths import assets_dir
from wsr.presets import PRESETS, PresetConfig, preset
from wsr.zoo import Zoo

REPORT = "report"  # marks the node of a report among the nodes of an experiment


@dataclass(frozen=True)
class Cell:
    """One point of an experiment's grid, the unit that is run, resumed and locked. values: the point's value on each
    axis. key: these values as they appear in file names."""

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
        """Whether this node stands for a report on the cells of its experiment instead of a cell."""
        return REPORT in self.values


Found = list[tuple[Cell, Any]]  # the cells that are done, each with the result of `run`
Axis = Iterable | Callable[[], Iterable]  # the values of an axis of a grid
Paths = tuple[str, ...] | Callable[[Cell, "Context"], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The declaration of an experiment.

    `run(cell, context)` computes one cell: it writes the files that `makes` names, or returns a result that JSON can
    hold, or both. `report(found, paths, context)` writes the results of the cells into the files `paths`, which
    `reports` names. It is called once for each combination of values of the axes `report_by`. After a kill, `run` is
    called again for the cells that had not finished.
    """

    name: str
    title: str
    """The files that it makes and what they are, for `python -m precompute list`."""
    run: Callable[[Cell, "Context"], Any]
    makes: Paths = ()
    """The paths that a cell writes."""
    needs: Paths = ()
    """The paths that a cell reads. Missing ones are made first, by the experiments that make them."""
    after: Paths = ()
    """Further paths that must exist, but of which a cell reads only a part. `settings` states that part, and a change
    of the rest does not make the cell stale."""
    uses: Paths = ()
    """The paths that a cell reads if they exist, and can do without."""
    data: tuple[str, ...] = ()
    """The data sets that it is usually run on, which are the grid's axis `data`. `--data` replaces them."""
    grid: Mapping[str, Axis] | Callable[["Context"], Iterable[Mapping[str, Any]]] = field(default_factory=dict)
    """Further axes, with a cell for each combination of their values; or a function that returns the values of every
    cell, data set included. An axis may be a function that is called in each run, as `registry.names` is."""
    signals: Callable[[str], Signals] | None = None
    """Loads the signals that cells fit, if they fit any. Their content is part of a cell's identity."""
    settings: Callable[[Cell, "Context"], Mapping[str, Any]] = lambda cell, context: {}
    """Everything else that the result of a cell depends on."""
    version: int = 1
    """To be increased by hand whenever the same settings would give another result."""
    report: Callable[[Found, list[Path], "Context"], None] | None = None
    reports: Paths = ()
    report_by: tuple[str, ...] = ()
    held: Callable[[Any, Cell, "Context"], bool] = lambda report, cell, context: True
    """Whether a report that is older than the records contains the result of a cell. report: its JSON."""
    changed: Callable[[Cell, "Context"], list[str]] = lambda cell, context: []
    """For files that are older than the records: the differences, in words, between the settings that they state and
    those of a run now. Raises a WsrError if an input is not at hand."""
    final: bool = False
    """Whether it makes a final table, which alone may read the test split (`precompute.final`). Nothing may be chosen
    by its results, so no other experiment reads them."""
    gathers: bool = False
    """Whether it only combines results of other experiments. It is then run again, even without `--again`, whenever
    these have changed."""
    work: Callable[[Cell, "Context"], Mapping[str, float]] = lambda cell, context: {}
    """What a cell consists of mostly, in units whose speed on a GPU was measured: "fits", "base steps" or "generator
    steps". From it the time at the preset `paper` is estimated (`precompute.durations`)."""
    presets: tuple[str, ...] = PRESETS
    """The presets at which it can be run."""
    threads: int | None = None
    """How many threads PyTorch uses; None for all cores. Two runners side by side, of one thread each, use two cores
    better than one runner of two."""
    by_hand: bool = False
    """Whether `run --all` leaves it out, because it needs a browser or a quiet machine, or is a search whose outcome is
    already in the code."""
    place: int = 99
    """Its place in the list. The order in which experiments run does not depend on it."""
    size: str = ""
    time: str = ""
    """The time of a run, measured on the machine that precompute/README.md names."""


def of_this_machine(**declared: Any) -> Experiment:
    """Declares an experiment whose result depends on the machine and on what else runs on it, such as a speed: it is
    run by hand, at the preset `cpu`."""
    return Experiment(presets=("cpu",), by_hand=True, **declared)


@dataclass
class Context:
    """The options of a run. preset: its name. given: data sets that replace those of the experiments. only: the one
    representation that the run is limited to, if any. The context fills in the patterns of paths, so that no
    experiment has to write a preset or a data set into a path."""

    preset: str = "cpu"
    given: tuple[str, ...] = ()
    only: str | None = None
    device: str = field(default_factory=default_device)
    memory: dict = field(default_factory=dict, repr=False)

    def data(self, experiment: Experiment) -> tuple[str, ...]:
        """The data sets of an experiment in this run."""
        return self.given if self.given and experiment.data else experiment.data

    def named(self, data: str) -> str:
        """`{data}`: a data set as it appears in file names, followed by the preset unless that is `cpu`."""
        return slug(data) + self._preset()

    def base(self, data: str) -> str:
        """`{base}`: the base of the adapters for this data set."""
        return self.named(base_data(data))

    def zoo(self, data: str, representation: str) -> str:
        """`{zoo}`: the zoo of a data set and a representation."""
        return f"{self.named(data)}-{representation}"

    def large(self, data: str) -> str:
        """What the large zoos of a data set are shown as: the beginning of their names."""
        return large(self.named(data))

    def large_zoo(self, data: str, representation: str) -> str:
        """`{large_zoo}`: the large zoo of a data set and a representation (`precompute.large`)."""
        return f"{self.large(data)}-{representation}"

    def tag(self, experiment: Experiment) -> str:
        """`{tag}`: empty for an experiment's usual data sets and preset, otherwise the names of those of this run."""
        other = self.data(experiment) != experiment.data
        return "".join(f"-{slug(data)}" for data in self.data(experiment) if other) + self._preset()

    def _preset(self) -> str:
        return "" if self.preset == "cpu" else f"-{self.preset}"

    def settings(self, data: str) -> PresetConfig:
        """The preset's settings for a data set."""
        return preset(self.preset, modality_of(data))

    def shared(self, key: Any, make: Callable[[], Any]) -> Any:
        """Returns the result of `make`, which is called once and shared by all cells of this run."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def cells(self, experiment: Experiment) -> list[Cell]:
        """All cells of an experiment's grid, whether `only` includes them or not."""
        known, cells = self.memory.get(key := ("cells", experiment.name, self.preset, self.given), (None, []))
        if known is not experiment:
            self.memory[key] = experiment, (cells := self._cells(experiment))
        return list(cells)

    def _cells(self, experiment: Experiment) -> list[Cell]:
        values = experiment.grid
        if not callable(values):
            axes = {"data": self.data(experiment)} if experiment.data else {}
            axes |= {name: tuple(given() if callable(given) else given) for name, given in values.items()}
            values = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
        else:
            values = list(values(self))
        return [Cell(experiment.name, point, self._key(point)) for point in values]

    def asked(self, experiment: Experiment) -> list[Cell]:
        """The cells that `only` includes."""
        return [cell for cell in self.cells(experiment) if self.is_asked(cell)]

    def is_asked(self, cell: Cell) -> bool:
        """Whether `only` includes a cell. It includes every cell that is about no representation, whatever the axis of
        representations is called."""
        about = [value for value in cell.values.values() if value in registry.names()]
        return self.only is None or not about or self.only in about

    def reports(self, experiment: Experiment) -> list[Cell]:
        """The reports of an experiment: one node for each combination of values of the axes `report_by`."""
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
        """The paths of a cell, with all patterns filled in and without repeats."""
        names = {**cell.values, "tag": self.tag(experiment), "preset": self.preset}
        if "data" in cell.values:
            names |= {"data": self.named(cell.data), "base": self.base(cell.data)}
            if "representation" in cell.values:
                names["zoo"] = self.zoo(cell.data, cell.representation)
                names["large_zoo"] = self.large_zoo(cell.data, cell.representation)
        found = paths(cell, self) if callable(paths) else paths
        return list(dict.fromkeys(path.format_map(names) for path in found))

    def path(self, asset: str) -> Path:
        return assets_dir() / asset

    def prepare(self, data: str) -> None:
        """Fetches or generates a data set, once in a run (`precompute.selection.prepare`)."""
        self.shared(("prepared", data), lambda: prepare(data))

    def open_zoo(self, cell: Cell) -> Zoo:
        """The zoo of the cell's data set and representation."""
        return Zoo.open(self.zoo(cell.data, cell.representation))

    def _key(self, values: Mapping[str, Any]) -> str:
        parts = [self.named(value) if name == "data" else slug(str(value)) for name, value in values.items()]
        return "-".join(parts if "data" in values else [*filter(None, [self._preset().strip("-")]), *parts])


def refuse_unfit(experiment: Experiment, context: Context) -> None:
    """Raises a WsrError if an experiment cannot be run at this preset or on these data sets."""
    if context.preset not in experiment.presets:
        valid = " or ".join(experiment.presets)
        raise WsrError(f"{experiment.name} is run at the preset {valid}, not at {context.preset}.")
    if context.given and not experiment.data:
        raise WsrError(f"{experiment.name} is not about one data set: leave out --data.")
