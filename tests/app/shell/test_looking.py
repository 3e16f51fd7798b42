"""Decoded pictures are kept for the next visitor, and details may be delivered later."""

import threading
import time
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from app.shell import looking, session


def test_a_detail_that_nobody_waits_for_any_more_is_left_out():
    """The visitor asks for another detail while the machine is busy with that of another visitor."""
    hold = threading.Event()
    looking.ahead(hold.wait, 30)
    made = []

    def answer(name):
        yield (f"{name} small",)
        yield (looking.detail(name, lambda: made.append(name) or f"{name} sharp"),)

    ann = SimpleNamespace(session_hash="ann")
    older = session.newest(ann, answer("older"))
    assert next(older) == ("older small",)
    rest = []
    thread = threading.Thread(target=lambda: rest.extend(older))
    thread.start()
    newer = session.newest(ann, answer("newer"))
    assert next(newer) == ("newer small",)
    thread.join(20)
    assert rest == [gr.skip()]
    hold.set()
    assert list(newer) == [("newer sharp",), gr.skip()] and made == ["newer"]


def test_a_detail_is_left_out_where_many_wait_already():
    """The picture on screen stays as it is; the details of twenty visitors would delay all their clicks."""
    hold = threading.Event()
    looking.ahead(hold.wait, 30)
    waiting = [looking._details.submit(hold.wait, 30) for _ in range(looking.WAITING + 1)]
    with pytest.raises(looking.Stale):
        looking.detail("nobody has this", lambda: "sharp")
    hold.set()
    for one in waiting:
        one.result(10)
    assert looking.detail("nobody has this", lambda: "sharp") == "sharp"


def test_weights_are_told_apart_by_what_they_are():
    a, b = torch.zeros(2, 3), torch.ones(2, 3)
    assert looking.digest(a) == looking.digest(a.clone()) != looking.digest(b)


def test_few_are_made_at_once_and_one_may_need_another():
    kept, now, most = looking.Seen(), [], []

    def make(i):
        now.append(i)
        most.append(len(now))
        time.sleep(0.05)
        found = kept.get(("inner", i), lambda: i)
        now.remove(i)
        return found

    threads = [threading.Thread(target=kept.get, args=(i, lambda i=i: make(i))) for i in range(3 * looking.AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert max(most) <= looking.AT_ONCE and all(i in kept for i in range(3 * looking.AT_ONCE))
