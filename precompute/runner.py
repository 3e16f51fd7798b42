"""The one runner of all experiments: it orders them by what they need, goes on where a run was killed, and refuses what
belongs to another run."""

import graphlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from precompute import records
from precompute.experiment import Cell, Context, Experiment, refuse_unfit
from precompute.selection import prepare, slug
from wsr.data import Signals
from wsr.errors import WsrError, unknown_name
from wsr.identity import Identity, content_hash, in_words
from wsr.paths import assets_dir, cache_dir
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


class Runner:
    """Runs experiments in one context, and tells how their cells stand.

    again: make the cells that are asked for anew, whatever is there. say: where lines for the user go.
    """

    def __init__(
        self,
        experiments: Mapping[str, Experiment],
        context: Context,
        *,
        again: bool = False,
        say: Callable[[str], None] = print,
    ):
        self.experiments, self.context, self.again, self.say = experiments, context, again, say
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
        return [] if node.is_report else self.context.fill(self.of(node).needs, node, self.of(node))

    def uses(self, node: Cell) -> list[str]:
        return [] if node.is_report else self.context.fill(self.of(node).uses, node, self.of(node))

    def gathered(self, report: Cell) -> list[Cell]:
        """The cells that a report gathers, whether they are done or not."""
        cells = self.context.cells(self.of(report))
        return [c for c in cells if all(c[name] == report[name] for name in self.of(report).report_by)]

    # the order

    def plan(self, names: Iterable[str]) -> list[Cell]:
        """The cells of these experiments, with whatever else is missing for them, each after what it needs."""
        asked = [node for name in names for node in self._asked(name)]
        included, edges = set(asked), {}
        while asked:
            node = asked.pop()
            before = self.gathered(node) if node.is_report else self._makers(self.needs(node))
            missing = [] if node.is_report else [n for n in before if self.state(n).word not in THERE]
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
        """How a cell or a report stands, by its record and its files. Where its signals are not at hand, their content
        is not compared."""
        record, files = records.read(node), [assets_dir() / path for path in self.makes(node)]
        if record is None:
            return State(BEFORE if self._is_older(node) else MISSING)
        begun, now = Identity.read(record["identity"]), self.identity(node)
        if now.parts.get("signals") is None:
            begun.parts.pop("signals", None)
            now.parts.pop("signals", None)
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
            done = {c.key: record["identity"]["key"] for c in self.gathered(node) if (record := self._done(c))}
            return Identity.of(f"report {node.experiment}", experiment.version, cells=done)
        values = {name: slug(value) if name == "data" else value for name, value in node.values.items()}
        parts = {"cell": values, "preset": self.context.preset, **experiment.settings(node, self.context)}
        if experiment.signals is not None:
            parts["signals"] = self._content(experiment.signals, node.data)
        inputs = [*self.needs(node), *self.uses(node)]
        there = {path: assets_dir() / path for path in inputs if (assets_dir() / path).exists()}
        hashes = {path: records.asset_hash(file) for path, file in there.items()}
        return Identity.of(node.experiment, experiment.version, **parts, inputs=hashes)

    def _content(self, load: Callable[[str], Signals], data: str) -> dict[str, str] | None:
        """Hashes of the ids and of the content of signals, which are read once in a run; None where they cannot be."""

        def hashes() -> dict[str, str]:
            signals, found = load(data), []
            with bar(f"read {data}") as update:
                for signal in signals:
                    found.append(signal.sha256())
                    update(len(found), len(signals))
            return {"ids": content_hash(signals.ids), "content": content_hash(found)}

        try:
            return self.context.shared(("content", load, data), hashes)
        except WsrError:
            return None

    def _done(self, cell: Cell) -> dict | None:
        record = records.read(cell)
        return record if record and record["done"] else None

    # doing it

    def run(self, names: Iterable[str]) -> list[str]:
        """Does what is not done of these experiments and of what they need. Returns a sentence for each cell that
        could not be done; the others are done nevertheless."""
        names, failed = list(names), []
        for node in self.plan(names):
            try:
                with records.locked(node):
                    self._do(node, self.again and node.experiment in names)
            except WsrError as error:
                failed.append(f"{node}: {error}")
                self.say(f"failed: {failed[-1]}")
        return failed

    def _do(self, node: Cell, again: bool) -> None:
        experiment, state = self.of(node), self.state(node)
        if node.is_report:
            self._report(node, state)
            return
        if state.word in THERE and not again:
            self.say(f"{node}: {state}")
            return
        if experiment.signals is not None:
            self.context.shared(("prepared", node.data), lambda: prepare(node.data))
            experiment.signals(node.data)  # raises where there are none
            state = self.state(node)  # their content is known now
        if state.word == STALE and not again:
            raise WsrError(f"it is of another run ({state.why}). Make it anew with --again, or keep it as it is.")
        for path in self.needs(node):
            self._require(path)
        with _threads(experiment.threads), self._replacing(node) if again else nullcontext():
            self._measured(node)

    def _measured(self, node: Cell) -> None:
        """Runs a cell, and keeps how long it took, with the seconds of the runs that were interrupted."""
        identity, begun = self.identity(node), time.monotonic()
        before = (records.read(node) or {"seconds": 0.0})["seconds"]
        records.write(node, identity, done=False, seconds=before, found=records.kept(node))
        try:
            found = self.of(node).run(node, self.context)
        except BaseException:
            spent = before + time.monotonic() - begun
            records.write(node, identity, done=False, seconds=spent, found=records.kept(node))
            raise
        lacking = [path for path in self.makes(node) if not (assets_dir() / path).exists()]
        if lacking:
            raise WsrError(f"it has ended, and has not made {', '.join(lacking)}.")
        seconds = before + time.monotonic() - begun
        records.write(node, identity, done=True, seconds=seconds, found=found)
        self.say(f"{node}: made in {seconds:.1f} s")

    def _require(self, path: str) -> None:
        """WsrError unless an input is there, and is what its experiment would make."""
        if not (assets_dir() / path).exists():
            raise WsrError(f"it needs assets/{path}, which is not there{self._made_by(path)}.")
        for node in self.producers.get(path, []):
            state = self.state(node)
            if state.word not in THERE:
                raise WsrError(f"it needs assets/{path}, which is {state}{self._made_by(path)}.")

    def _made_by(self, path: str) -> str:
        names = dict.fromkeys(node.experiment for node in self.producers.get(path, []))
        return f" (`python -m precompute run {' '.join(names)}` makes it)" if names else ""

    def _report(self, node: Cell, state: State) -> None:
        """Gathers the cells that are done, unless that is what the report has."""
        cells = self.gathered(node)
        older = [cell for cell in cells if self.state(cell).word == BEFORE]
        if state.word == MADE or (state.word == BEFORE and (older or not any(map(self._done, cells)))):
            self.say(f"{node}: {state}")
            return
        found = [(cell, record["found"]) for cell in cells if (record := self._done(cell))]
        if not found:
            raise WsrError("none of the cells that it gathers is done.")
        begun = time.monotonic()
        self.of(node).report(found, [assets_dir() / path for path in self.makes(node)], self.context)
        records.write(node, self.identity(node), done=True, seconds=time.monotonic() - begun)
        self.say(f"{node}: {len(found)} of {len(cells)} cells gathered")

    @contextmanager
    def _replacing(self, node: Cell) -> Iterator[None]:
        """Sets aside what a cell has made before, and puts it back where the new run fails."""
        kept = cache_dir() / "replaced" / node.experiment / (node.key or "all")
        shutil.rmtree(kept, ignore_errors=True)
        record = records.record_path(node)
        places = [assets_dir() / path for path in self.makes(node)]
        moved = {place: kept / str(i) for i, place in enumerate([*places, record]) if place.exists()}
        kept.mkdir(parents=True)
        for place, aside in moved.items():
            shutil.move(place, aside)
        try:
            yield
        except BaseException:
            for place, aside in moved.items():
                _remove(place)
                shutil.move(aside, place)
            raise
        finally:
            shutil.rmtree(kept, ignore_errors=True)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
