"""What there is to do in a run, in which order, and how it stands with each cell."""

import graphlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from precompute import records
from precompute.experiment import Cell, Context, Experiment, refuse_unfit
from precompute.selection import slug
from wsr.data import Signals
from wsr.errors import WsrError, unknown_name
from wsr.identity import Identity, content_hash, in_words
from wsr.paths import assets_dir
from wsr.progress import bar

MADE, BEFORE, STALE, BEGUN, MISSING = "made", "made before records were kept", "stale", "begun", "missing"
THERE = (MADE, BEFORE)


@dataclass(frozen=True)
class State:
    """How it stands with a cell. why: what has changed since it was made or begun, in words."""

    word: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.why}" if self.why else self.word


class Plan:
    """The cells and reports of experiments in one context: what they need and make, their order, and how they stand."""

    def __init__(self, experiments: Mapping[str, Experiment], context: Context):
        self.experiments, self.context = experiments, context
        self.producers: dict[str, list[Cell]] = {}  # of each path that this context can make
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
        """The cells of the whole grid, then the reports on them."""
        return [*self.context.cells(experiment), *self.context.reports(experiment)]

    def of(self, node: Cell) -> Experiment:
        return self.experiments[node.experiment]

    def makes(self, node: Cell) -> list[str]:
        paths = self.of(node).reports if node.is_report else self.of(node).makes
        return self.context.fill(paths, node, self.of(node))

    def needs(self, node: Cell) -> list[str]:
        """What must be there before a cell is done."""
        one = self.of(node)
        both = () if node.is_report else (one.needs, one.after)
        return [path for paths in both for path in self.context.fill(paths, node, one)]

    def uses(self, node: Cell) -> list[str]:
        return [] if node.is_report else self.context.fill(self.of(node).uses, node, self.of(node))

    def gathered(self, report: Cell) -> list[Cell]:
        """The cells that a report gathers, whether they are done or not."""
        cells = self.context.cells(self.of(report))
        return [c for c in cells if all(c[name] == report[name] for name in self.of(report).report_by)]

    # the order

    def order(self, names: Iterable[str], again: bool = False) -> list[Cell]:
        """The cells of these experiments, with whatever else is missing for those that are to be done, each after what
        it needs. again: those that are there are to be done as well."""
        names = list(names)
        asked = [node for name in names for node in self._asked(name)]
        included, edges = set(asked), {}
        while asked:
            node = asked.pop()
            before = self.gathered(node) if node.is_report else self._makers(self.needs(node))
            rests = node.is_report or (not (again and node.experiment in names) and self.state(node).word in THERE)
            missing = [] if rests else [other for other in before if self.state(other).word not in THERE]
            # a report that is needed gathers the cells that are done for it now
            missing += [one for one in before if one.is_report and missing and set(missing) & set(self.gathered(one))]
            asked += [other for other in missing if other not in included]
            included |= set(missing)
            edges[node] = [*before, *self._makers(self.uses(node))]
        order = graphlib.TopologicalSorter({node: [n for n in edges[node] if n in included] for node in edges})
        position = {node: i for i, node in enumerate(n for e in self.experiments.values() for n in self.nodes(e))}
        order.prepare()
        found: list[Cell] = []
        while order.is_active():  # of those that wait for nothing, in the order of the declarations
            ready = sorted(order.get_ready(), key=position.__getitem__)
            found += ready
            order.done(*ready)
        return found

    def _asked(self, name: str) -> list[Cell]:
        if name not in self.experiments:
            raise unknown_name("experiment", name, self.experiments)
        experiment = self.experiments[name]
        refuse_unfit(experiment, self.context)
        cells = self.context.asked(experiment)
        if not cells:
            raise WsrError(f"{name} has nothing to do for {self.context.only or self.context.given}.")
        return [*cells, *self.context.reports(experiment)]

    def _makers(self, paths: Iterable[str]) -> list[Cell]:
        """Who makes these paths: a report, where it is one, with the cells that it gathers."""
        found = [node for path in paths for node in self.producers.get(path, [])]
        cells = [cell for node in found if node.is_report for cell in self.gathered(node)]
        return [*(cell for cell in cells if self.context.is_asked(cell)), *found]

    # how it stands

    def state(self, node: Cell) -> State:
        """How a cell or a report stands, by its record and its files. What is not at hand any more (its signals, or an
        asset that it read) is not compared."""
        record, files = records.read(node), [assets_dir() / path for path in self.makes(node)]
        if record is None:
            return State(BEFORE if self._is_older(node) else MISSING)
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

    def _is_older(self, node: Cell) -> bool:
        """Whether what a cell without a record makes is there. For a cell that writes no files it is in the report,
        unless that has a record: then it is of other cells."""
        makes = self.makes(node)
        if not makes:
            reports = [r for r in self.context.reports(self.of(node)) if node in self.gathered(r)]
            makes = [path for report in reports if records.read(report) is None for path in self.makes(report)]
        return bool(makes) and all((assets_dir() / path).exists() for path in makes)

    def identity(self, node: Cell) -> Identity:
        """Everything that the result of a cell depends on, as far as it is there."""
        experiment = self.of(node)
        if node.is_report:
            done = {c.key: record["identity"]["key"] for c in self.gathered(node) if (record := self.done(c))}
            return Identity.of(f"report {node.experiment}", experiment.version, cells=done)
        values = {name: slug(value) if name == "data" else value for name, value in node.values.items()}
        parts = {"cell": values, "preset": self.context.preset, **experiment.settings(node, self.context)}
        if experiment.signals is not None:
            try:
                parts["signals"] = self.content(experiment.signals, node.data)
            except WsrError:  # they are not at hand
                parts["signals"] = None
        inputs = [*self.context.fill(experiment.needs, node, experiment), *self.uses(node)]
        there = {path: assets_dir() / path for path in inputs if (assets_dir() / path).exists()}
        hashes = {path: records.asset_hash(file) for path, file in there.items()}
        return Identity.of(node.experiment, experiment.version, **parts, inputs=hashes)

    def content(self, load: Callable[[str], Signals], data: str) -> dict[str, str]:
        """Hashes of the ids and of the content of signals, which are read once in a run. WsrError where one cannot."""

        def hashes() -> dict[str, str]:
            signals, found = load(data), []
            with bar(f"read {data}") as update:
                for signal in signals:
                    found.append(signal.sha256())
                    update(len(found), len(signals))
            return {"ids": content_hash(signals.ids), "content": content_hash(found)}

        return self.context.shared(("content", load, data), hashes)

    def done(self, cell: Cell) -> dict | None:
        """The record of a cell that is done."""
        record = records.read(cell)
        return record if record and record["done"] else None
