"""The cache is bounded by the bytes of its values; memory that values share counts once; a value that several threads
request is made once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from wsr.memory import DEFAULT_MB, Memory, allowance, footprint, remembered

KB, MB = 2**10, 2**20


@dataclass
class Box:
    inside: object


def bytes_of(value):
    return sum(footprint(value).values())


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(MB, np.uint8), np.zeros((4, MB), np.uint8)[:, : MB // 4], np.zeros(MB)[:1], torch.zeros(MB // 4),
        torch.zeros(4, MB)[0, :1], b"x" * MB, "x" * MB, [b"x" * (MB // 2), "y" * (MB // 2)], {"a": [np.zeros(MB // 8)]},
        (Box(Box({1: np.zeros(MB // 8)})),), pd.DataFrame({"a": np.zeros(MB // 8), "b": ["text"] * (MB // 8)}),
        torch.nn.Linear(512, 512),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_bytes_are_found_wherever_they_are(value):
    assert bytes_of(value) >= MB
    # two references to the same values count once
    assert bytes_of([value, value]) == pytest.approx(bytes_of(value), abs=200)


def test_views_keep_all_of_what_they_look_at_and_cycles_end():
    whole = np.zeros(MB, np.uint8)
    assert bytes_of(whole[:10]) >= MB and bytes_of([whole[:10], whole[5:]]) < 1.01 * MB
    box = Box(None)
    box.inside = [box, whole]
    assert MB <= bytes_of(box) < 1.01 * MB
    assert bytes_of(None) == bytes_of(3.5) == bytes_of(Memory) == 0


def test_the_bytes_of_all_values_stay_within_the_limit_and_the_oldest_go_first():
    memory, made = Memory(MB), []

    @remembered(memory=memory)
    def part(number):
        made.append(number)
        return np.full(100 * KB, number, np.uint8)

    for number in range(100):
        assert part(number)[0] == number
        assert memory.bytes <= MB
        part(0)  # used after each new value, so that it is never the oldest
    assert made == list(range(100)) and 9 <= len(memory) <= 10
    part(99), part(92)
    assert len(made) == 100
    part(50)
    assert made[-1] == 50
    part.cache_clear()
    assert (memory.bytes, len(memory)) == (0, 0)


def test_several_functions_share_one_allowance_and_are_cleared_apart():
    memory = Memory(MB)

    @remembered(memory=memory)
    def zeros(size, *, fill=0):
        return np.full(size, fill, np.uint8)

    @remembered(memory=memory)
    def ones(size, *, fill=0):
        return np.full(size, 1 + fill, np.uint8)

    assert zeros(300 * KB) is zeros(300 * KB) and zeros(300 * KB, fill=3)[0] == 3 and ones(300 * KB)[0] == 1
    assert (zeros.cache_len(), ones.cache_len()) == (2, 1)
    ones(400 * KB)
    assert zeros.cache_len() + ones.cache_len() <= 3 and memory.bytes <= MB
    zeros.cache_clear()
    assert zeros.cache_len() == 0 and ones.cache_len() >= 1


def test_a_function_tells_whether_its_result_is_there_and_still_current():
    state = [0]
    doubled = remembered(lambda number: 2 * number, stamp=lambda number: state[0], memory=Memory(MB))
    assert not doubled.is_cached(3)
    doubled(3)
    assert doubled.is_cached(3) and not doubled.is_cached(4)
    state[0] = 1  # what it was made from has changed
    assert not doubled.is_cached(3)


def test_an_array_that_several_values_share_is_counted_once():
    memory, common = Memory(4 * MB), np.zeros(MB, np.uint8)
    for name in "abc":
        memory.get(name, lambda name=name: (name, common))
    assert MB <= memory.bytes < 1.1 * MB
    memory.drop(lambda key: key != "b")
    assert MB <= memory.bytes < 1.1 * MB
    memory.drop()
    assert memory.bytes == 0


def test_a_value_larger_than_the_limit_is_returned_and_not_kept():
    memory = Memory(MB)
    small = memory.get("small", lambda: b"x" * KB)
    assert len(memory.get("large", lambda: b"x" * (2 * MB))) == 2 * MB
    assert len(memory) == 1 and memory.get("small", lambda: None) is small
    assert Memory(0).get("any", lambda: b"x") == b"x"


def test_values_that_grow_are_measured_again(monkeypatch):
    monkeypatch.setattr("wsr.memory.GROWS", 0.0)
    memory = Memory(MB)
    box = memory.get("box", lambda: Box(None))
    memory.get("other", lambda: b"x" * (300 * KB))
    box.inside = np.zeros(900 * KB, np.uint8)  # like a zoo, which reads its weights when they are first needed
    time.sleep(0.01)
    memory.get("box", lambda: pytest.fail("it is kept"))
    assert memory.bytes <= MB and len(memory) == 1


def test_a_changed_stamp_makes_it_again(tmp_path):
    path = tmp_path / "weights"
    memory = Memory(MB)

    @remembered(stamp=lambda name: path.stat().st_mtime_ns, memory=memory)
    def content(name):
        return path.read_text()

    path.write_text("one")
    assert content("x") == content("x") == "one"
    path.write_text("two")
    import os

    os.utime(path, ns=(1, 1))
    assert content("x") == "two" and content.cache_len() == 1  # the older version of the file is dropped


def test_a_function_can_be_bounded_by_number_too():
    memory = Memory(MB)

    @remembered(most=3, memory=memory)
    def name(number):
        return str(number)

    for number in range(9):
        name(number)
    assert name.cache_len() == 3


def test_of_threads_that_ask_at_once_one_makes_the_value():
    memory, made = Memory(MB), []

    def make():
        made.append(threading.get_ident())
        time.sleep(0.1)
        return b"x" * KB

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: memory.get("one", make), range(16)))
    assert len(made) == 1 and all(value is found[0] for value in found)


def test_after_an_error_every_waiting_thread_tries_itself():
    memory, tried, lock = Memory(MB), [], threading.Lock()

    def make():
        with lock:
            tried.append(1)
        time.sleep(0.02)
        if len(tried) < 4:
            raise ValueError("not yet")
        return b"here"

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(memory.get, "one", make) for _ in range(8)]
        failed = sum(one.exception() is not None for one in asked)
    assert failed == 3 and len(tried) == 4 and memory.get("one", make) == b"here"


def test_threads_cannot_make_the_books_wrong():
    memory = Memory(64 * KB)

    def ask(seed):
        order = np.random.default_rng(seed)
        for number in order.integers(0, 40, 300).tolist():
            assert len(memory.get(number, lambda number=number: b"x" * (number * 200 + 5000))) == number * 200 + 5000
            if number == 7:
                memory.drop(lambda key: key % 5 == 0)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    assert 0 < memory.bytes <= 64 * KB
    memory.drop()
    assert memory.bytes == 0 and not memory._parts and not memory._making


@pytest.mark.parametrize(("text", "megabytes"), [("64", 64), ("0", 0), ("1.5", 1.5), ("-3", 0), ("much", DEFAULT_MB),
                                                 ("inf", DEFAULT_MB), ("nan", DEFAULT_MB)])  # fmt: skip
def test_the_allowance_is_the_environments(monkeypatch, text, megabytes):
    monkeypatch.setenv("WSR_MEMORY_MB", text)
    assert allowance() == megabytes * MB


class Restless(dict):
    """A dict that another thread changes whenever it is read."""

    def __init__(self, times):
        self.times = times

    def keys(self):
        if self.times:
            self.times -= 1
            raise RuntimeError("dictionary changed size during iteration")
        return super().keys()


def test_values_that_change_while_they_are_measured_are_counted_as_before(monkeypatch):
    monkeypatch.setattr("wsr.memory.GROWS", -1.0)
    memory = Memory(MB)
    box = memory.get("box", lambda: Box(np.zeros(100 * KB, np.uint8)))
    before = memory.bytes
    box.inside = Restless(times=10**6)
    assert memory.get("box", lambda: pytest.fail("it is kept")) is box and memory.bytes == before
    box.inside = Restless(times=1)  # fails once, and succeeds at the second try
    assert memory.get("box", lambda: pytest.fail("it is kept")) is box and memory.bytes < KB
    memory.drop()
    assert memory.bytes == 0 and not memory._parts
    assert memory.get("new", lambda: Restless(times=10**6)) == {} and "new" not in memory


def test_nobody_waits_while_a_value_is_measured(monkeypatch):
    monkeypatch.setattr("wsr.memory.GROWS", -1.0)
    memory, begun, end = Memory(MB), threading.Event(), threading.Event()

    class Slow(Box):
        def memory_usage(self, deep):
            if self.inside:
                begun.set()
                end.wait(30)
            return 10

    slow = memory.get("slow", lambda: Slow(False))
    memory.get("other", lambda: "other")
    slow.inside = True
    thread = threading.Thread(target=memory.get, args=("slow", lambda: None))
    thread.start()
    assert begun.wait(30)
    answers = []
    other = threading.Thread(target=lambda: answers.append(memory.get("other", lambda: "made again")))
    other.start()
    other.join(10)
    assert answers == ["other"]
    end.set()
    thread.join(30)
