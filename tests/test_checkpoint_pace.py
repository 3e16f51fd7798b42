"""Checkpoints are written by their share of a run's time, measured with a pretend clock."""

import pytest
import torch

from wsr.fitting.resumable import ResumableTraining
from wsr.identity import Identity
from wsr.run_files import CheckpointPace

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


class Clock:
    """A pretend clock, which stands still until somebody lets time pass."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def paced(steps: int, step: float, write: float, **options) -> tuple[list[float], float]:
    """Returns when a run of such steps has written its checkpoints, and how long it took. step, write: seconds."""
    clock, written = Clock(), []
    pace = CheckpointPace(clock=clock, **options)
    for _ in range(steps):
        clock.now += step
        if pace.due:
            written.append(clock.now)
            with pace.writing():
                clock.now += write
    return written, clock.now


def test_small_checkpoints_are_written_every_minute():
    written, _ = paced(600, step=1.0, write=0.2)
    assert len(written) == 9 and all(b - a >= 60 for a, b in zip([0.0, *written], written, strict=False))
    assert paced(59, step=1.0, write=0.2)[0] == []


@pytest.mark.parametrize("write", [0.2, 3.0, 30.0, 300.0])
def test_writing_takes_a_hundredth_of_a_days_run_however_large_the_checkpoint_is(write):
    written, seconds = paced(43_200, step=2.0, write=write)
    assert written[0] == 60 and write * len(written) <= 0.01 * seconds
    assert len(written) >= min(0.004 * seconds / write, 2), "and is not put off for much longer than that"


def test_a_pace_of_seconds_does_not_care_how_long_writing_takes():
    options = {"every": 10.0, "share": float("inf")}
    assert len(paced(100, step=1.0, write=50.0, **options)[0]) == len(range(10, 101, 10))
    clock = CheckpointPace.at(0.0)
    with clock.writing():
        pass
    assert clock.due


def test_a_training_writes_at_its_pace(tmp_path, monkeypatch):
    """A step takes 2 s of pretended time, a checkpoint 60 s: of 20,000 s it may take 200 s, three checkpoints, and
    there is one at the end."""
    clock, written = Clock(), []

    class Pretended(ResumableTraining):
        parts, config, seed, device = (), None, 0, torch.device("cpu")
        steps = 10_000
        identity = Identity.of("pretended", 1)

        def _begin(self):
            self.step, self.seconds = 0, 0.0

        def _train_step(self):
            clock.now, self.step = clock.now + 2.0, self.step + 1
            return torch.tensor(0.0)

        def save(self, path):
            clock.now += 60.0
            written.append(self.step)

    training = Pretended()
    training._begin()
    list(training.run(record_every=1, checkpoint=tmp_path / "c", pace=CheckpointPace(clock=clock)))
    assert written == [30, 5970, 8940, 10_000]
