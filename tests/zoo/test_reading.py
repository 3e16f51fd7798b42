"""Each signal of a zoo is read only once, for its fit, its evaluation and its hash."""

from collections import Counter
from dataclasses import replace
from importlib import import_module

import pytest
import torch

from wsr.data import Signals
from wsr.fields.representation import make_representation
from wsr.render.decode import evaluate_in_chunks
from wsr.zoo import build_zoo

pytestmark = pytest.mark.once


@pytest.fixture
def reads(made):
    """Returns the pictures of `made`, and counts how often each is read."""
    create, signals = made
    count: Counter[str] = Counter()

    def counting(signal):
        def read():
            count[signal.id] += 1
            return signal.read()

        return replace(signal, reader=read)

    return create, Signals(signals.name, signals.dim, map(counting, signals)), count


def test_a_signal_is_read_once(reads):
    create, signals, count = reads
    list(build_zoo(create(), signals))
    assert count == Counter(signals.ids)


def test_what_is_held_is_the_same(reads):
    _, signals, count = reads
    held = signals[:2].held()
    assert [one.sha256() for one in held] == [one.sha256() for one in held] == [one.sha256() for one in signals[:2]]
    assert count[signals.ids[0]] == 2 and held[0].read() is held[0].read()
    assert held.ids == signals.ids[:2] and held.name == signals.name


def test_the_size_of_a_chunk_changes_no_value(base, points, monkeypatch):
    model = make_representation("mlora-asym", base, base.config, 2)
    weights = model.initial()[None].expand(3, -1) + 0.1 * torch.randn(3, model.size)
    many = points.repeat(1, 40, 1)
    whole = evaluate_in_chunks(model, weights, many)
    monkeypatch.setattr(import_module("wsr.render.decode"), "CPU_CHUNK", 900)
    assert torch.equal(evaluate_in_chunks(model, weights, many), whole)
