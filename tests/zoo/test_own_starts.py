"""Zoos each of whose fits has a start of its own."""

import pytest
import torch

from wsr.errors import WsrError
from wsr.zoo import Zoo, build_zoo, trajectories
from wsr.zoo.recipe import OwnStarts, zoo_start


def test_own_starts_are_the_same_in_every_batch_and_for_no_two_instances(made):
    create, signals = made
    whole, parts = create("whole", own_starts=True), create("parts", own_starts=True)
    list(build_zoo(whole, signals[:4]))
    for first in range(0, 4, 2):
        list(build_zoo(parts, signals[first : first + 2]))
    assert torch.equal(whole.weights(), parts.weights()) and Zoo.open(whole.path).meta["own_starts"]
    starts = OwnStarts.of(whole).draw(whole.representation, [signal.sha256() for signal in signals])
    noise = starts - whole.representation.initial_mean()
    cosine = torch.nn.functional.cosine_similarity(noise[:, None], noise[None], dim=2)
    assert (cosine - torch.eye(len(signals))).abs().max() < 0.5  # of few numbers; of equal starts it is 1
    moved = whole.weights() - starts[:4]
    assert (moved.norm(dim=1) < starts[:4].norm(dim=1)).all()  # each fit is near its own start
    assert OwnStarts.of(create("shared")) is None


def test_a_start_comes_from_one_place(made):
    create, signals = made
    with pytest.raises(WsrError, match="its first instance gives: choose one"):
        list(build_zoo(create(own_starts=True, init="first"), signals[:1]))


def test_what_begins_at_a_shared_start_refuses_such_a_zoo(made):
    create, signals = made
    zoo = create(own_starts=True)
    for begin in (lambda: zoo_start(zoo), lambda: list(trajectories.build_trajectories(zoo, signals[:1], [1, 2]))):
        with pytest.raises(WsrError, match="made without --own-starts"):
            begin()
    assert not len(zoo)
