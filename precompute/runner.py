"""The runner of all experiments. It runs each experiment after those that it needs, continues after a kill, and refuses
to mix results of runs with different settings."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from precompute import records
from precompute.experiment import Cell, Context, Experiment
from precompute.plan import BEFORE, MADE, STALE, THERE, Plan, State
from wsr.errors import WsrError
from wsr.paths import assets_dir, cache_dir


class Runner(Plan):
    """Runs experiments in one context.

    again: make the cells of the named experiments anew, even if they are done. say: prints a line for the user.
    """

    def __init__(
        self,
        experiments: Mapping[str, Experiment],
        context: Context,
        *,
        again: bool = False,
        say: Callable[[str], None] = print,
    ):
        super().__init__(experiments, context)
        self.again, self.say = again, say

    def run(self, names: Iterable[str]) -> list[str]:
        """Runs the cells of these experiments that are not done, and those that they need. Returns a sentence for each
        cell that failed; all others are run nevertheless."""
        names, failed = list(names), []
        for node in self.order(names, self.again):
            if fault := self.attempt(node, self.again and node.experiment in names):
                failed.append(fault)
        return failed

    def attempt(self, node: Cell, again: bool) -> str:
        """Runs a cell or writes a report, unless it is done. Returns what is wrong if it fails, else ""."""
        try:
            with records.locked(node):
                self._do(node, again)
        except WsrError as error:
            self.say(f"failed: {node}: {error}")
            return f"{node}: {error}"
        return ""

    def _do(self, node: Cell, again: bool) -> None:
        experiment, state = self.of(node), self.state(node)
        if node.is_report:
            self._report(node, state)
            return
        if state.word in THERE and not again:
            self.say(f"{node}: {state}")
            return
        again = again or (experiment.gathers and state.word == STALE)
        _refuse_stale(state, again)
        if experiment.signals is not None:
            self.context.prepare(node.data)
            self.content(experiment.signals, node.data)  # raises if a signal cannot be read
            _refuse_stale(self.state(node), again)  # now with the content of the signals
        for path in self.needs(node):
            self._require(path)
        with _threads(experiment.threads), self._replacing(node) if again else nullcontext():
            self._measured(node)

    def _measured(self, node: Cell) -> None:
        """Runs a cell and records how long it took, including the seconds of interrupted runs."""
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
            raise WsrError(f"it ended without making {', '.join(lacking)}.")
        seconds = before + time.monotonic() - begun
        records.write(node, identity, done=True, seconds=seconds, found=found)
        self.say(f"{node}: made in {seconds:.1f} s")

    def _require(self, path: str) -> None:
        """Raises a WsrError unless an input is there and up to date."""
        if not (assets_dir() / path).exists():
            raise WsrError(f"it needs assets/{path}, which is not there{self._made_by(path)}.")
        for node in self.producers.get(path, []):
            state = self.state(node)
            if state.word not in THERE:
                state = f"being made by {records.maker(node)}" if records.is_locked(node) else state
                raise WsrError(f"it needs assets/{path}, which is {state}{self._made_by(path)}.")

    def _made_by(self, path: str) -> str:
        names = dict.fromkeys(node.experiment for node in self.producers.get(path, []))
        return f" (`python -m precompute run {' '.join(names)}` makes it)" if names else ""

    def _report(self, node: Cell, state: State) -> None:
        """Writes a report on the cells that are done, unless it is up to date."""
        cells = self.gathered(node)
        older = [cell for cell in cells if self.state(cell).word == BEFORE]
        if state.word == MADE or (state.word == BEFORE and (older or not any(map(self.done, cells)))):
            some = 0 < len(older) < len(cells)
            left = f", as were {len(older)} of its cells: it stays as it is" if some else ""
            self.say(f"{node}: {state}{left}")
            return
        found = [(cell, record["found"]) for cell in cells if (record := self.done(cell))]
        if not found:
            raise WsrError("none of the cells that it is about is done.")
        begun = time.monotonic()
        self.of(node).report(found, [assets_dir() / path for path in self.makes(node)], self.context)
        records.write(node, self.identity(node), done=True, seconds=time.monotonic() - begun)
        self.say(f"{node}: written from {len(found)} of {len(cells)} cells")

    @contextmanager
    def _replacing(self, node: Cell) -> Iterator[None]:
        """Sets the old results of a cell aside, and puts them back if the new run fails."""
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


def _refuse_stale(state: State, again: bool) -> None:
    if state.word == STALE and not again:
        raise WsrError(f"it was made by another run ({state.why}). Make it anew with --again, or keep it as it is.")


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
