"""Which cells a run has to compute, in which order, and which of them are made, stale or missing."""

import graphlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from precompute import records
from precompute.experiment import Cell, Context, Experiment, refuse_unfit
from wsr.data import Signals
from wsr.data.registry import slug
from wsr.errors import WsrError, unknown_name
from wsr.identity import Identity, content_hash, differences, in_words
from wsr.paths import assets_dir
from wsr.progress import bar

MADE, BEFORE, STALE, BEGUN, MISSING = "made", "made before records were kept", "stale", "begun", "missing"
THERE = (MADE, BEFORE)


@dataclass(frozen=True)
class State:
    """The state of a cell. word: one of the words above. why: the changes since the cell was made or begun, in
    words."""

    word: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.why}" if self.why else self.word


class Plan:
    """The cells and reports of all experiments in one context: what they need and make, their order, and their
    state."""

    def __init__(self, experiments: Mapping[str, Experiment], context: Context):
        self.experiments, self.context = experiments, context
        self.producers: dict[str, list[Cell]] = {}  # the nodes that make each path
        for experiment in experiments.values():
            if self._fits(experiment):
                for node in self.nodes(experiment):
                    for path in self.makes(node):
                        self.producers.setdefault(path, []).append(node)

    def _fits(self, experiment: Experiment) -> bool:
        try:
            refuse_unfit(experiment, self.context)
        except WsrError:
            return False
        return True

    def nodes(self, experiment: Experiment) -> list[Cell]:
        """All cells of the grid, followed by the reports on them."""
        return [*self.context.cells(experiment), *self.context.reports(experiment)]

    def of(self, node: Cell) -> Experiment:
        return self.experiments[node.experiment]

    def makes(self, node: Cell) -> list[str]:
        paths = self.of(node).reports if node.is_report else self.of(node).makes
        return self.context.fill(paths, node, self.of(node))

    def needs(self, node: Cell) -> list[str]:
        """The paths that must exist before a cell is run."""
        one = self.of(node)
        both = () if node.is_report else (one.needs, one.after)
        return [path for paths in both for path in self.context.fill(paths, node, one)]

    def uses(self, node: Cell) -> list[str]:
        return [] if node.is_report else self.context.fill(self.of(node).uses, node, self.of(node))

    def gathered(self, report: Cell) -> list[Cell]:
        """The cells that a report is about, whether they are done or not."""
        cells = self.context.cells(self.of(report))
        return [c for c in cells if all(c[name] == report[name] for name in self.of(report).report_by)]

    # the order in which cells are run

    def order(self, names: Iterable[str], again: bool = False) -> list[Cell]:
        """The cells and reports of these experiments, and all missing cells that they need, in an order in which each
        comes after those that it needs. again: finished cells of the named experiments are run again as well."""
        graph, found = self.graph(names, again), []
        while graph.is_active():
            found += (ready := self.ready(graph))
            graph.done(*ready)
        return found

    def ready(self, graph: graphlib.TopologicalSorter) -> list[Cell]:
        """The nodes of a graph that can be run now, in the order of the list."""
        position = {node: i for i, node in enumerate(n for e in self.experiments.values() for n in self.nodes(e))}
        return sorted(graph.get_ready(), key=position.__getitem__)

    def graph(self, names: Iterable[str], again: bool = False) -> graphlib.TopologicalSorter:
        """The nodes that `order` returns, prepared to be taken one after the other (`ready`)."""
        names, state = list(names), cache(self.state)
        asked = [node for name in names for node in self._asked(name)]
        included, edges = set(asked), {}
        while asked:
            node = asked.pop()
            before = self.gathered(node) if node.is_report else self._makers(self.needs(node))
            rests = node.is_report or (not (again and node.experiment in names) and state(node).word in THERE)
            missing = [] if rests else [other for other in before if state(other).word not in THERE]
            # a needed report is written again if cells that it is about are made
            missing += [one for one in before if one.is_report and missing and set(missing) & set(self.gathered(one))]
            asked += [other for other in missing if other not in included]
            included |= set(missing)
            edges[node] = [*before, *self._makers(self.uses(node))]
        order = graphlib.TopologicalSorter({node: [n for n in edges[node] if n in included] for node in edges})
        order.prepare()
        return order

    def _asked(self, name: str) -> list[Cell]:
        if name not in self.experiments:
            raise unknown_name("experiment", name, self.experiments)
        experiment = self.experiments[name]
        refuse_unfit(experiment, self.context)
        cells = self.context.asked(experiment)
        if not cells:
            raise WsrError(f"The experiment {name} has no cells for {self.context.only or self.context.given}.")
        return [*cells, *self.context.reports(experiment)]

    def _makers(self, paths: Iterable[str]) -> list[Cell]:
        """The nodes that make these paths. If a report is among them, the cells that it is about come before it."""
        found = [node for path in paths for node in self.producers.get(path, [])]
        cells = [cell for node in found if node.is_report for cell in self.gathered(node)]
        return [*(cell for cell in cells if self.context.is_asked(cell)), *found]

    # the state of cells

    def state(self, node: Cell) -> State:
        """The state of a cell or a report, by its record and its files. Inputs that are no longer at hand (its signals,
        or an asset that it read) are not compared."""
        record, files = records.read(node), [assets_dir() / path for path in self.makes(node)]
        if record is None:
            return self._state_without_record(node)
        begun, now = Identity.read(record["identity"]), self.identity(node)
        if now.parts.get("signals") is None:
            begun.parts.pop("signals", None)
            now.parts.pop("signals", None)
        if "inputs" in now.parts:
            read = begun.parts.get("inputs", {})
            begun.parts["inputs"] = {path: read[path] for path in read if path in now.parts["inputs"]}
        changed = now.differences(begun)
        if changed:
            return State(STALE, in_words(changed))
        return State(MADE if record["done"] and all(path.exists() for path in files) else BEGUN)

    def _state_without_record(self, node: Cell) -> State:
        """The state of a node that has no record, by the settings that its files state."""
        experiment, makes = self.of(node), self.makes(node)
        if makes:
            there = all((assets_dir() / path).exists() for path in makes)
            return self._before(partial(experiment.changed, node, self.context)) if there else State(MISSING)
        for report in self.context.reports(experiment):
            paths = [assets_dir() / path for path in self.makes(report)]
            # if the report has a record, its cells have records too, and this one has not been run
            if node in self.gathered(report) and records.read(report) is None and all(p.exists() for p in paths):
                told = next((records.parsed(path) for path in paths if path.suffix == ".json"), {})
                held = experiment.held(told, node, self.context)
                return self._before(partial(self._header_differences, told, node)) if held else State(MISSING)
        return State(MISSING)

    def _before(self, changed: Callable[[], list[str]]) -> State:
        try:
            found = changed()
        except WsrError:  # an input is not at hand
            found = []
        return State(STALE, in_words(found)) if found else State(BEFORE)

    def _header_differences(self, report: Mapping[str, Any], node: Cell) -> list[str]:
        """The differences, in words, between the settings that a report states and those of the cell now."""
        settings = {"preset": self.context.preset, **self.of(node).settings(node, self.context)}
        now = Identity.of(node.experiment, 1, **settings).parts
        common = [name for name in now if name in report]
        return differences({name: report[name] for name in common}, {name: now[name] for name in common})

    def identity(self, node: Cell) -> Identity:
        """Everything that the result of a cell depends on, except inputs that are not at hand."""
        experiment = self.of(node)
        if node.is_report:
            done = {c.key: record["identity"]["key"] for c in self.gathered(node) if (record := self.done(c))}
            return Identity.of(f"report {node.experiment}", experiment.version, cells=done)
        values = {name: slug(value) if name == "data" else value for name, value in node.values.items()}
        parts = {"cell": values, "preset": self.context.preset, **experiment.settings(node, self.context)}
        if experiment.signals is not None:
            try:
                parts["signals"] = self.content(experiment.signals, node.data)
            except WsrError:  # the signals are not at hand
                parts["signals"] = None
        inputs = [*self.context.fill(experiment.needs, node, experiment), *self.uses(node)]
        there = {path: assets_dir() / path for path in inputs if (assets_dir() / path).exists()}
        hashes = {path: records.asset_hash(file) for path, file in there.items()}
        return Identity.of(node.experiment, experiment.version, **parts, inputs=hashes)

    def content(self, load: Callable[[str], Signals], data: str) -> dict[str, str]:
        """Hashes of the ids and of the content of a data set's signals, which are read once in a run. Raises a WsrError
        if one cannot be read."""

        def hashes() -> dict[str, str]:
            signals, found = load(data), []
            with bar(f"read {data}") as update:
                for signal in signals:
                    found.append(signal.sha256())
                    update(len(found), len(signals))
            return {"ids": content_hash(signals.ids), "content": content_hash(found)}

        return self.context.shared(("content", load, data), hashes)

    def done(self, cell: Cell) -> dict | None:
        """The record of a cell that is done, otherwise None."""
        record = records.read(cell)
        return record if record and record["done"] else None
