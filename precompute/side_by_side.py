"""Runs several cells at once, each in a process of its own, as soon as what it needs is there.

A machine with a GPU and many cores has little to do with one cell: a small network's training waits for one core. The
processes are forks of this one, which has imported everything already; that saves each some seconds, on a slow core
half a minute. Forks cannot use a GPU that their parent has used, so that this process leaves it alone.
"""

import multiprocessing
import traceback
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection, wait
from typing import Any

from precompute.experiment import Cell, Context, Experiment
from precompute.runner import Runner


class SideBySide(Runner):
    """A runner of `jobs` processes. What cells of a run share is made in each process. options: as for `Runner`."""

    def __init__(self, experiments: Mapping[str, Experiment], context: Context, *, jobs: int, **options: Any):
        super().__init__(experiments, context, **options)
        self.jobs = jobs

    def run(self, names: Iterable[str]) -> list[str]:
        names, failed = list(names), []
        graph, waiting, running = self.graph(names, self.again), [], {}
        while graph.is_active():
            waiting += self.ready(graph)
            while waiting and len(running) < self.jobs:
                node = waiting.pop(0)
                running[self._started(node, self.again and node.experiment in names)] = node
            for ended in wait(list(running)):
                node = running.pop(ended)
                failed += filter(None, [self._told(ended, node)])
                graph.done(node)
        return failed

    def _started(self, node: Cell, again: bool) -> Connection:
        """Starts a process that runs a node. Returns where it will tell how that ended."""
        here, there = multiprocessing.Pipe(duplex=False)
        multiprocessing.get_context("fork").Process(target=self._child, args=(node, again, there)).start()
        there.close()
        return here

    def _child(self, node: Cell, again: bool, told: Connection) -> None:
        try:
            told.send(self.attempt(node, again))
        except BaseException as error:  # a fault of the experiment, which ends its own process alone
            traceback.print_exc()
            told.send(f"{node}: {type(error).__name__}: {error}")

    def _told(self, ended: Connection, node: Cell) -> str:
        """Returns what is wrong with a node that has ended, or ""."""
        try:
            return ended.recv()
        except EOFError:
            self.say(f"failed: {node}: its process was killed")
            return f"{node}: its process was killed. Run the same command again to go on."
        finally:
            ended.close()
