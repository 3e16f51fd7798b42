"""The runner of experiments: order, resuming, outdated results, locks, refusals, and what it leaves if a run fails."""

import dataclasses
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from precompute import records
from precompute.experiment import Context, Experiment
from precompute.fits import base_needed, fitted
from precompute.plan import BEFORE, BEGUN, MADE, MISSING, STALE
from precompute.runner import Runner
from precompute.tables import write_json
from wsr import presets
from wsr.data import Signal, Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, save_base
from wsr.paths import atomic_path

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
ROOT = Path(__file__).resolve().parents[2]


class Laboratory:
    """Two toy experiments over a folder of assets: `numbers` writes files; `squares` reads them, returns what it finds
    and gathers it into a report. done: the cells that were actually run."""

    def __init__(self, assets: Path):
        self.assets, self.done, self.said, self.factor, self.broken = assets, [], [], 1, set()

    def experiments(self, **changed) -> dict[str, Experiment]:
        numbers = {
            "name": "numbers", "title": "files of a number", "grid": {"n": (1, 2, 3)}, "makes": ("toy/{n}{tag}.txt",),
            "run": self.number, "settings": lambda cell, context: {"factor": self.factor},
        }  # fmt: skip
        squares = Experiment(
            name="squares", title="their squares", grid={"n": (1, 2, 3)}, needs=("toy/{n}{tag}.txt",), run=self.square,
            report=self.report, reports=("reports/squares{tag}.json",),
        )  # fmt: skip
        return {"squares": squares, "numbers": Experiment(**(numbers | changed))}

    def number(self, cell, context):
        self.done.append(str(cell))
        if cell["n"] in self.broken:
            raise WsrError(f"{cell['n']} is broken.")
        with atomic_path(context.path(f"toy/{cell['n']}{context.tag(self.experiments()['numbers'])}.txt")) as temporary:
            temporary.write_text(str(self.factor * cell["n"]))

    def square(self, cell, context):
        self.done.append(str(cell))
        return int(context.path(f"toy/{cell['n']}{context.tag(self.experiments()['squares'])}.txt").read_text()) ** 2

    def report(self, found, paths, context):
        write_json(paths[0], {str(cell["n"]): value for cell, value in found})

    def runner(self, again: bool = False, preset: str = "cpu", **changed) -> Runner:
        return Runner(self.experiments(**changed), Context(preset), again=again, say=self.said.append)

    def run(self, *names: str, **options) -> list[str]:
        self.done.clear()
        return self.runner(**options).run(names)

    def states(self, name: str, **options) -> list[str]:
        runner = self.runner(**options)
        return [runner.state(node).word for node in runner.nodes(runner.experiments[name])]

    def squares(self, tag: str = "") -> dict:
        return json.loads((self.assets / f"reports/squares{tag}.json").read_text())


@pytest.fixture
def lab(nothing):
    return Laboratory(nothing)


def test_what_is_needed_comes_first_whatever_the_order_of_declaration(lab):
    assert lab.states("squares") == [MISSING] * 4
    assert lab.run("squares") == []
    assert lab.done[:3] == ["numbers 1", "numbers 2", "numbers 3"] and len(lab.done) == 6
    assert lab.squares() == {"1": 1, "2": 4, "3": 9}
    assert lab.states("squares") == [MADE] * 4


def test_what_is_made_is_not_made_again_unless_that_is_asked_for(lab):
    lab.run("squares")
    assert lab.run("squares") == [] and lab.done == []
    assert lab.run("squares", again=True) == [] and lab.done == ["squares 1", "squares 2", "squares 3"]


def test_a_failure_is_one_line_and_the_others_are_done(lab):
    lab.broken = {2}
    failed = lab.run("squares")
    assert failed[0] == "numbers 2: 2 is broken." and "it needs assets/toy/2.txt, which is not there" in failed[1]
    assert "`python -m precompute run numbers` makes it" in failed[1]
    assert lab.squares() == {"1": 1, "3": 9}
    lab.broken = set()
    assert lab.run("squares") == [] and lab.done == ["numbers 2", "squares 2"]
    assert lab.squares() == {"1": 1, "2": 4, "3": 9}


def test_other_settings_are_refused_with_what_differs_or_made_anew(lab):
    lab.run("squares")
    lab.factor = 5
    assert lab.states("numbers") == [STALE] * 3
    failed = lab.run("numbers")
    assert "factor was 1 and is now 5" in failed[0] and "--again" in failed[0] and lab.done == []
    assert lab.run("numbers", again=True) == [] and len(lab.done) == 3
    assert lab.states("numbers") == [MADE] * 3
    assert lab.states("squares") == [STALE] * 3 + [MADE]  # the files that they read have changed
    assert all("inputs.toy/" in line for line in lab.run("squares"))
    assert lab.run("squares", again=True) == [] and lab.squares() == {"1": 25, "2": 100, "3": 225}


def test_nothing_is_made_of_what_is_stale(lab):
    lab.run("numbers")
    lab.factor = 2
    failed = lab.run("squares")
    assert len(failed) == 7 and lab.done == []  # three cells of each of two experiments, and one report
    assert "which is stale: factor was 1 and is now 2" in failed[-2] or "which is stale" in failed[3]


def test_what_only_gathers_is_made_again_by_itself(lab):
    lab.run("numbers")
    for gathers in (False, True):
        lab.factor += 1
        failed = lab.run("numbers", gathers=gathers)
        assert bool(failed) is not gathers and len(lab.done) == 3 * gathers


def test_a_report_that_is_needed_gathers_what_is_made_for_it(lab):
    """The report has three squares. A fourth is computed for an experiment that needs the report, and is then in it.
    """
    def total(cell, context):
        return sum(json.loads(context.path("reports/squares.json").read_text()).values())

    lab.run("squares")
    known = lab.experiments(grid={"n": (1, 2, 3, 4)})
    known["squares"] = dataclasses.replace(known["squares"], grid={"n": (1, 2, 3, 4)})
    known["total"] = Experiment(name="total", title="", run=total, needs=("reports/squares.json",))
    runner = Runner(known, Context(), say=lab.said.append)
    assert runner.run(["total"]) == []
    assert records.read(runner.nodes(known["total"])[0])["found"] == 1 + 4 + 9 + 16


def test_another_version_of_the_experiment_is_another_run(lab):
    lab.run("numbers")
    assert lab.states("numbers", version=2) == [STALE] * 3


def test_a_run_that_fails_leaves_what_was_there(lab):
    lab.run("squares")
    lab.broken = {1, 2, 3}
    assert len(lab.run("numbers", again=True)) == 3
    assert lab.states("numbers") == [MADE] * 3 and (lab.assets / "toy/2.txt").read_text() == "2"
    assert not [path for path in lab.assets.rglob("*") if path.name.endswith(".tmp")]


def test_a_killed_run_goes_on_with_what_it_had_kept(lab):
    def stopped(cell, context):
        found = records.kept(cell) or []
        while len(found) < 4:
            found.append(len(found))
            records.keep(cell, found)
            lab.done.append(str(cell))
            if len(found) == stop:
                raise KeyboardInterrupt
        return found

    options = {"run": stopped, "makes": (), "grid": {"n": (1,)}}
    stop = 3
    with pytest.raises(KeyboardInterrupt):
        lab.run("numbers", **options)
    assert lab.states("numbers", **options) == [BEGUN]
    lab.factor = 2
    assert "factor was 1" in lab.run("numbers", **options)[0]  # a run does not continue with the state of another one
    lab.factor, stop = 1, 0
    assert lab.run("numbers", **options) == [] and lab.done == ["numbers 1"]
    runner = lab.runner(**options)
    record = records.read(runner.nodes(runner.experiments["numbers"])[0])
    assert record["done"] and record["found"] == [0, 1, 2, 3] and record["seconds"] > 0 and "by" not in record


def test_results_older_than_the_records_are_kept_and_reported_as_such(lab):
    (lab.assets / "toy").mkdir(parents=True)
    (lab.assets / "toy/1.txt").write_text("10")
    assert lab.states("numbers") == [BEFORE, MISSING, MISSING]
    assert lab.run("squares") == [] and lab.squares() == {"1": 100, "2": 4, "3": 9}
    assert "numbers 1" not in lab.done
    lab.factor = 7
    assert lab.states("numbers")[0] == BEFORE and lab.states("squares")[0] == MADE


def test_a_report_that_is_older_than_records_is_not_replaced_by_a_part_of_it(lab):
    (lab.assets / "reports").mkdir(parents=True)
    (lab.assets / "reports/squares.json").write_text('{"1": 0, "2": 0, "3": 0}')
    assert lab.states("squares") == [BEFORE] * 4
    assert lab.run("squares") == [] and lab.done == []  # nothing that it needs is made, either
    lab.broken = {3}
    lab.run("squares", again=True)
    assert lab.squares() == {"1": 0, "2": 0, "3": 0} and lab.states("squares") == [MADE, MADE, BEFORE, BEFORE]
    assert "1 of its cells: it stays as it is" in lab.said[-1]
    lab.broken = set()
    assert lab.run("squares", again=True) == [] and lab.squares() == {"1": 1, "2": 4, "3": 9}


def test_a_cell_that_does_not_make_what_it_says_is_not_done(lab):
    failed = lab.run("numbers", run=lambda cell, context: None)
    assert "without making toy/1.txt" in failed[0] and lab.states("numbers") == [BEGUN] * 3


def test_another_preset_gets_names_of_its_own(lab):
    lab.run("squares")
    lab.factor = 3
    assert lab.run("squares", preset="paper") == []
    assert lab.squares("-paper") == {"1": 9, "2": 36, "3": 81} and lab.squares() == {"1": 1, "2": 4, "3": 9}
    assert sorted(path.name for path in (lab.assets / "toy").iterdir())[:2] == ["1-paper.txt", "1.txt"]


HOLD = """
import sys, time
from precompute import records
from precompute.experiment import Cell
from wsr.identity import Identity
cell = Cell("numbers", {"n": 2}, "2")
with records.locked(cell):
    records.write(cell, Identity.of("numbers", 1), done=False, seconds=0.0)
    print("here", flush=True)
    time.sleep(60)
"""


def test_a_cell_is_done_by_one_runner_at_a_time(lab):
    other = subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "here\n"
        failed = lab.run("numbers")
        assert len(failed) == 1 and "numbers 2 is being made by process" in failed[0] and str(other.pid) in failed[0]
        assert lab.done == ["numbers 1", "numbers 3"]
        runner = lab.runner()
        assert [records.is_locked(node) for node in runner.nodes(runner.experiments["numbers"])] == [False, True, False]
        assert "toy/2.txt, which is not there" in lab.run("squares")[-1]
    finally:
        other.kill()
        other.wait()
    deadline = time.monotonic() + 10
    while records.is_locked(runner.nodes(runner.experiments["numbers"])[1]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert lab.run("numbers", again=True) == [] and "numbers 2" in lab.done  # the process that held the lock has ended


def test_fits_of_other_targets_another_base_or_preset_are_another_run(base, lab, monkeypatch):
    """Zoos, figure 3, the learning rates and the ablation of the barrier resume by these identities."""
    value = 0.5

    def signals(data: str) -> Signals:
        return Signals("x", 2, [Signal("a", "", "train", 2, partial(np.full, (4, 4, 3), value, np.float32))])

    toy = Experiment(
        name="toy", title="", data=("emoji",), signals=signals, settings=fitted, needs=base_needed,
        run=lambda cell, context: 1,
    )  # fmt: skip

    def save(seed: int | None = None):
        field = base if seed is None else BaseField(base.config, seed)
        save_base(lab.assets / "bases/emoji.safetensors", field, BaseInfo("emoji", "cpu", 3))

    def state(prepared: bool = True):
        context = Context()
        context.memory["prepared", "emoji"] = None  # these signals need no preparation
        return Runner({"toy": toy}, context, say=lab.said.append)

    def why() -> str:
        runner = state()
        return str(runner.state(runner.nodes(toy)[0]))

    save()
    assert state().run(["toy"]) == [] and why() == MADE
    value = 0.7
    assert "signals.content is another" in why() and "signals.content is another" in state().run(["toy"])[0]
    value = 0.5
    save(5)
    assert "inputs.bases/emoji.safetensors is another" in why()
    save()
    old = presets._PRESETS["cpu", "image"]
    edited = presets.PresetConfig(16, old.field, presets.FitConfig(300, 99, 8), old.base)
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), edited)
    assert "fit.points was 512 and is now 99" in why()
