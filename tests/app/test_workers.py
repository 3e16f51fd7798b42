"""What visitors compute, in child processes."""

import os
import time
from functools import partial

import numpy as np
import pytest

from app import jobs, workers
from wsr import fit_stream
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError


def noise():
    return np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def signal():
    return Signal("noise", "", "train", 2, noise)


def where():
    while True:
        yield os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)
        time.sleep(0.01)


def silent():
    yield os.getpid()
    time.sleep(600)


def broken():
    yield 1
    raise WsrError("The rank must lie between 1 and 16, not 99.")


def test_a_fit_in_a_child_is_the_fit_in_this_process(signal):
    fitting = workers.Job(jobs.fit, duration=60, what="The fit")
    *_, (name, there) = fitting(jobs.plain(signal), ("mlp",), 4, 20)
    items = Signals("yours", 2, [signal])
    every = jobs.every_for(20)
    records = list(fit_stream(items, "mlp", steps=20, every=every))
    here = records[-1].result
    assert name == "mlp" and there.done and there.status == here.status[0]
    # another number of threads may sum in another order: the quality is what is promised (`run_fit`)
    assert (there.weights - here.weights).norm() <= 1e-2 * here.weights.norm()
    assert there.quality == pytest.approx(here.quality, abs=0.05)


def test_two_fits_of_one_problem_in_turns(signal):
    names = [name for name, _ in jobs.fit(signal, ("mlp", "mlp-asym"), 4, 10)]
    assert names[:2] == ["mlp", "mlp-asym"] and names.count("mlp") == names.count("mlp-asym")


def test_work_is_done_elsewhere_and_gives_way():
    values = workers.Job(where, duration=60, what="This")()
    pid, nice = next(values)
    values.close()
    assert pid != os.getpid() and nice >= os.getpriority(os.PRIO_PROCESS, 0) + workers.NICE


def test_closing_keeps_the_child_for_the_next():
    job = workers.Job(where, duration=60, what="This")
    values = job()
    first, _ = next(values)
    begun = time.monotonic()
    values.close()
    assert time.monotonic() - begun < 3
    again = job()
    second, _ = next(again)
    again.close()
    assert first == second


def test_work_that_does_not_listen_is_ended_soon_after_stop():
    stopped = []
    values = workers.Job(silent, duration=60, what="This")(stopped=lambda: bool(stopped))
    pid = next(values)
    stopped.append(True)
    begun = time.monotonic()
    assert list(values) == []  # ends quietly: what there is stays
    assert time.monotonic() - begun < 10 * workers.COURTESY
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_errors_come_through_after_the_values_before_them():
    values = workers.Job(broken, duration=60, what="This")()
    assert next(values) == 1
    with pytest.raises(WsrError, match="not 99"):
        next(values)


def counting(count):
    for i in range(count):
        yield i, np.zeros(30_000)


def test_work_does_not_wait_for_who_draws_it():
    """A pipe holds two such values; a reader who draws the first one still finds all others when it comes back."""
    job = workers._Pumped(workers.FITTING, workers.Job(counting, duration=60, what="This"), (40,), lambda: False)
    values = job.values()
    next(values)
    until = time.monotonic() + 60
    while job.found.qsize() < 40 and time.monotonic() < until:  # 39 and the end
        time.sleep(0.02)
    assert job.found.qsize() == 40
    assert [i for i, _ in values] == list(range(1, 40))


def test_getting_ready_is_left_out_while_a_visitor_fits():
    values = workers.Job(where, duration=60, what="This")()
    next(values)
    workers.ahead(partial(pytest.fail, "this was done for nobody"))
    values.close()
