"""What child processes compute for visitors."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from functools import partial

import aside
import numpy as np
import pytest
import trimesh
from PIL import Image
from work_of_visitors import broken, counting, silent, slowly, where

from app.shared import work
from app.shell import workers
from wsr import fit_stream
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.isolation import Children, Limits
from wsr.memory import allowance


def noise():
    return np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def signal():
    return Signal("noise", "", "train", 2, noise)


def test_a_fit_in_a_child_is_the_fit_in_this_process(signal):
    fitting = workers.Task(work.fit, duration=60, what="The fit")
    *_, (name, there) = fitting(signal.carried(), ("mlp",), 4, 20)
    items = Signals("yours", 2, [signal])
    every = work.every_for(20)
    records = list(fit_stream(items, "mlp", steps=20, every=every))
    here = records[-1].result
    assert name == "mlp" and there.done and there.status == here.status[0]
    # With another number of threads, sums may be taken in another order, so only the quality is the same (`run_fit`).
    assert (there.weights - here.weights).norm() <= 1e-2 * here.weights.norm()
    assert there.quality == pytest.approx(here.quality, abs=0.05)


def test_two_fits_of_one_problem_in_turns(signal):
    names = [name for name, _ in work.fit(signal, ("mlp", "mlp-asym"), 4, 10)]
    assert names[:2] == ["mlp", "mlp-asym"] and names.count("mlp") == names.count("mlp-asym")


def test_work_is_done_elsewhere_and_gives_way():
    values = workers.Task(where, duration=60, what="This")()
    pid, nice = next(values)
    values.close()
    assert pid != os.getpid() and nice >= os.getpriority(os.PRIO_PROCESS, 0) + workers.NICE


def test_closing_keeps_the_child_for_the_next(monkeypatch):
    # Uses children of its own: otherwise a child that another test has left, and that is still ending, might be kept.
    monkeypatch.setattr(workers, "FITTING", Children(most=1))
    job = workers.Task(where, duration=60, what="This")

    def one_after_the_other():
        values = job()
        first, _ = next(values)
        begun = time.monotonic()
        values.close()
        assert time.monotonic() - begun < 3
        again = job()
        second, _ = next(again)
        again.close()
        return first, second

    # in the thread of an event loop, closing would not wait for the child
    first, second = aside.call(one_after_the_other)
    workers.FITTING.close()
    assert first == second


def test_work_that_does_not_listen_is_ended_soon_after_stop():
    stopped = []
    values = workers.Task(silent, duration=60, what="This")(stopped=lambda: bool(stopped))
    pid = next(values)
    stopped.append(True)
    begun = time.monotonic()
    assert list(values) == []  # ends without an error, so that the page keeps what it shows
    assert time.monotonic() - begun < 10 * workers.COURTESY
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_errors_come_through_after_the_values_before_them():
    values = workers.Task(broken, duration=60, what="This")()
    assert next(values) == 1
    with pytest.raises(WsrError, match="not 99"):
        next(values)


def test_work_does_not_wait_for_who_draws_it():
    """A pipe holds only two such values, but a reader that spends time on drawing the first one finds all others
    afterwards."""
    job = workers._Pumped(workers.FITTING, workers.Task(counting, duration=60, what="This"), (40,), lambda: False)
    values = job.values()
    next(values)
    until = time.monotonic() + 60
    while job.found.qsize() < 40 and time.monotonic() < until:  # 39 values and the mark of the end
        time.sleep(0.02)
    assert job.found.qsize() == 40
    assert [i for i, _ in values] == list(range(1, 40))


def test_getting_ready_is_left_out_while_a_visitor_fits():
    values = workers.Task(where, duration=60, what="This")()
    next(values)
    workers.ahead(partial(pytest.fail, "this was done for nobody"))
    values.close()


def test_a_visitor_waits_for_the_child_that_is_being_prepared(monkeypatch):
    """An earlier version ended that child, and the visitor had to wait for the imports of a new one."""
    monkeypatch.setattr(workers, "FITTING", Children())
    first = next(workers.FITTING.stream(slowly, limits=Limits(seconds=60, what="This")))
    ahead = threading.Thread(target=workers.ahead, args=(slowly,))
    ahead.start()
    while not workers._getting_ready.locked():
        time.sleep(0.01)
    second, _ = aside.call(next, workers.Task(where, duration=60, what="This")())
    ahead.join()
    workers.FITTING.close()
    assert first == second


def test_what_a_visitor_leaves_behind_does_not_stop_the_site():
    """gradio closes the generator on its event loop."""
    job = workers._Pumped(workers.FITTING, workers.Task(silent, duration=60, what="This"), (), lambda: False)
    values = job.values()
    next(values)

    async def leave():
        begun = time.monotonic()
        values.close()
        return time.monotonic() - begun

    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(leave())))
    thread.start()
    thread.join(30)
    assert found[0] < workers.COURTESY / 2
    until = time.monotonic() + 10 * workers.COURTESY
    while job in workers._at_work and time.monotonic() < until:
        time.sleep(0.02)
    assert job not in workers._at_work  # its child has been ended


READY = """
import importlib, sys
for name in sys.argv[3:]:
    importlib.import_module(name)
before = set(sys.modules)
from app.shared import work
target = work.read(sys.argv[1])
work.read(sys.argv[2])
work.measure(target.signal)
heavy = ("torch", "trimesh", "scipy", "igl", "skimage", "safetensors", "wsr", "app")
late = [name for name in set(sys.modules) - before if name.split(".")[0] in heavy]
print(*sorted(late))
"""


def test_a_child_that_is_ready_has_imported_what_reads_measures_and_draws(tmp_path):
    """An upload has a limit of 20 seconds, which should not be spent on imports."""
    trimesh.creation.box((1, 1, 1)).export(tmp_path / "cube.obj")
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "black.png")
    files = str(tmp_path / "cube.obj"), str(tmp_path / "black.png")
    command = [sys.executable, "-c", READY, *files, *workers.PREPARING.preload]
    environment = os.environ | {"WSR_CACHE": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and not done.stdout.split(), done.stdout + done.stderr[-2000:]


def test_children_keep_little_and_no_more_than_the_page_may(monkeypatch):
    first = {pool.preload[0] for pool in (workers.FITTING, workers.PREPARING)}
    for allowed, most in ((512, 128), (64, 64)):
        monkeypatch.setenv("WSR_MEMORY_MB", str(allowed))
        pool = Children(preload=tuple(first))
        assert pool.call(allowance, limits=Limits(seconds=120, what="This")) == most * 2**20
        assert allowance() == allowed * 2**20
        pool.close()
