"""Cells that run in processes side by side: the same results, the same order where one needs another, and failures."""

import os
import signal
import time

import pytest

from precompute.__main__ import main
from precompute.experiment import Context
from precompute.plan import MADE
from precompute.side_by_side import SideBySide
from tests.precompute.test_runner import Laboratory

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


class Processes(Laboratory):
    """The laboratory of the runner's tests, whose numbers write down their process. killed: the number whose process is
    killed; together: how many numbers wait for each other before they go on."""

    killed, together = 0, 0

    def runner(self, again=False, preset="cpu", **changed):
        return SideBySide(self.experiments(**changed), Context(preset), again=again, say=self.said.append, jobs=3)

    def number(self, cell, context):
        if cell["n"] == self.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        (self.assets / f"{cell['n']}.process").write_text(f"{os.getpid()}")
        until = time.monotonic() + 60
        while len([*self.assets.glob("*.process")]) < self.together:
            assert time.monotonic() < until, "the others wait for this one to end"
            time.sleep(0.02)
        super().number(cell, context)


@pytest.fixture
def lab(nothing):
    return Processes(nothing)


def test_cells_that_need_nothing_of_each_other_run_at_once(lab):
    lab.together = 3
    assert lab.run("squares") == []
    assert lab.squares() == {"1": 1, "2": 4, "3": 9} and lab.states("squares") == [MADE] * 4
    assert len({path.read_text() for path in lab.assets.glob("*.process")} | {str(os.getpid())}) == 4
    assert lab.run("squares") == [] and not lab.done


def test_a_failure_is_a_sentence_and_the_others_are_done(lab):
    lab.broken, lab.killed = {2}, 3
    failed = lab.run("squares")
    assert {"numbers 2: 2 is broken.", "numbers 3: its process was killed. Run the same command again to go on."} <= {
        *failed
    }
    assert sum("which is not there" in one or "which is begun" in one for one in failed) == 2, failed
    assert lab.squares() == {"1": 1}
    lab.broken, lab.killed = set(), 0
    assert lab.run("squares") == [] and lab.squares() == {"1": 1, "2": 4, "3": 9}


def test_a_number_of_processes_is_at_least_one(capsys):
    assert main(["run", "table4", "--jobs", "0"]) == 2
    assert "--jobs is a number of processes, one or more, not 0" in capsys.readouterr().err
