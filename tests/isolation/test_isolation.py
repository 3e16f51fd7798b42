"""Whatever happens in a child process, the caller gets a result or an error of one sentence, and the next caller a
working child."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import children_work as work

from wsr.errors import WsrError
from wsr.isolation import Children, Limits, Stopped, _Child


@pytest.fixture(scope="module")
def children():
    pool = Children(most=2, keep=1, nice=3)
    yield pool
    pool.close()


def limits(seconds=20.0, **more):
    return Limits(seconds=seconds, what="'x.png'", **more)


def test_results_come_back_and_the_same_child_serves_again(children):
    data = np.arange(1000.0)
    assert np.array_equal(children.call(work.double, data, limits=limits()), data * 2)
    first, second = (children.call(work.where, limits=limits()) for _ in range(2))
    assert first == second
    assert first[1] == os.getpid() and first[2:] == (3, "1")


def test_own_errors_come_as_they_are_and_others_as_a_sentence(children):
    with pytest.raises(WsrError, match="^Refused: it is the wrong colour.$"):
        children.call(work.refuse, limits=limits())
    with pytest.raises(WsrError, match="'x.png' failed: KeyError: 'no such thing'"):
        children.call(work.fail, limits=limits())


@pytest.mark.parametrize(
    ("function", "args", "bounds", "says"),
    [
        (work.sleep, (60,), {"seconds": 0.3}, "more than 0.3 s"),
        (work.crash, (), {}, "SIGABRT"),
        (work.allocate, (400,), {"memory": 100 * 2**20}, "more than 100 MB of memory"),
    ],
)
def test_what_hangs_crashes_or_takes_too_much_is_a_sentence_and_the_next_call_works(
    children, function, args, bounds, says
):
    begun = time.monotonic()
    with pytest.raises(WsrError, match=says):
        children.call(function, *args, limits=limits(**bounds))
    assert time.monotonic() - begun < 15
    assert children.call(work.double, 4, limits=limits()) == 8


def test_what_came_too_late_is_refused_however_late_the_caller_looks(children, monkeypatch):
    """On a busy machine the caller may stand still between sending work and looking for the result."""
    send = _Child._send

    def send_and_stand_still(child, message):
        send(child, message)
        time.sleep(0.4)

    children.call(work.double, 1, limits=limits())
    monkeypatch.setattr(_Child, "_send", send_and_stand_still)
    with pytest.raises(WsrError, match="took more than 0.05 s and was given up"):
        children.call(work.sleep, 0.2, limits=limits(seconds=0.05))
    assert children.call(work.double, 4, limits=limits(seconds=0.3)) == 8  # in time, and seen too late


def test_the_memory_limit_is_of_one_piece_of_work(children):
    with pytest.raises(WsrError, match="memory"):
        children.call(work.allocate, 200, limits=limits(memory=50 * 2**20))
    assert children.call(work.allocate, 200, limits=limits(memory=400 * 2**20)) == 1
    assert children.call(work.allocate, 200, limits=limits()) == 1


def test_stop_ends_work_at_once(children):
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    children.call(work.double, 1, limits=limits())
    begun = time.monotonic()
    with pytest.raises(Stopped):
        children.call(work.sleep, 30, limits=limits(stopped=stop.is_set))
    assert time.monotonic() - begun < 2


def test_a_stream_gives_all_values_and_closing_it_closes_the_generator(children, tmp_path):
    assert list(children.stream(work.count, 20, str(tmp_path / "a"), limits=limits())) == list(range(20))
    stream = children.stream(work.count, 10_000, str(tmp_path / "b"), limits=limits())
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    pid = children.call(work.where, limits=limits())[0]
    stream.close()
    assert (tmp_path / "b").exists()  # the `finally` of the stopped work has run
    assert pid != os.getpid()
    assert children.call(work.double, 2, limits=limits()) == 4


def test_a_stream_that_does_not_close_is_ended(children):
    stream = children.stream(work.stuck, limits=limits())
    next(stream)
    begun = time.monotonic()
    stream.close()
    assert time.monotonic() - begun < 3
    assert children.call(work.double, 2, limits=limits()) == 4


def test_work_in_a_child_does_not_start_another(children):
    doubled, pid = children.call(work.nested, 3, limits=limits())
    assert doubled == 6 and pid != os.getpid()


def test_a_part_of_a_childs_work_keeps_its_own_limit_of_memory(children):
    """A visitor's file is read as a part of preparing a target, in the same child."""
    said, after = children.call(work.nested_memory, 600, 100, limits=limits())
    assert said.startswith("'inner.png' needs more than 100 MB") and after == 1


def test_a_module_in_the_callers_folder_is_not_taken_for_ours(tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit('this is not Python')")
    monkeypatch.chdir(tmp_path)
    pool = Children()
    assert pool.call(work.double, 2, limits=limits()) == 4
    pool.close()


def test_who_waits_for_a_place_can_be_stopped():
    pool, stop = Children(most=1), threading.Event()
    first = pool.stream(work.stuck, limits=limits())
    next(first)
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        pool.call(work.double, 1, limits=Limits(seconds=None, stopped=stop.is_set))
    first.close()
    pool.close()


def test_children_at_work_end_with_their_process_also_when_it_is_asked_to_end(tmp_path):
    code = (
        "import threading, time, children_work as work\n"
        "from wsr.cleanup import end_on_sigterm\n"
        "from wsr.isolation import Children, Limits\n"
        "end_on_sigterm()\n"
        "pool = Children()\n"
        "print(pool.call(work.where, limits=Limits(seconds=20))[0], flush=True)\n"
        "threading.Thread(target=lambda: pool.call(work.sleep, 60, limits=Limits(seconds=99)), daemon=True).start()\n"
        "time.sleep(1); print('at work', flush=True); time.sleep(60)\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": paths}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        child = int(process.stdout.readline())
        assert process.stdout.readline() == "at work\n"
        process.terminate()
        process.wait(20)
    for _ in range(50):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()


def test_what_is_printed_there_does_not_come_between(children):
    assert children.call(work.shout, 5, limits=limits()) == 5


def test_who_finds_no_place_is_told_so():
    pool = Children(most=1)
    first = pool.stream(work.stuck, limits=limits())
    next(first)
    with pytest.raises(WsrError, match="waited"):
        pool.call(work.double, 1, limits=limits(seconds=0.2))
    first.close()
    assert pool.call(work.double, 1, limits=limits()) == 2
    pool.close()


def test_no_child_outlives_its_pool(children):
    pool = Children()
    pid = pool.call(work.where, limits=limits())[0]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
