"""Watches whether the host waits for the device between two records of a fit."""

from collections.abc import Callable, Iterator

import pytest

from wsr.fitting import loop
from wsr.fitting.loop import FitRecord


class WaitsOnlyForRecords:
    """Makes PyTorch raise an error wherever the host would wait for the device, except where a record is made.
    set_mode: `torch.cuda.set_sync_debug_mode`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, set_mode: Callable[[str], None]):
        self.set_mode = set_mode
        monkeypatch.setattr(loop._Recorder, "record", self._allowed(loop._Recorder.record))
        monkeypatch.setattr(loop, "synchronize", self._allowed(loop.synchronize))

    def _allowed(self, function: Callable) -> Callable:
        def call(*args, **options):
            self.set_mode("default")
            return function(*args, **options)

        return call

    def run(self, stream: Iterator[FitRecord]) -> None:
        """Makes the first record of a fit that has two, then the steps up to the second under watch."""
        next(stream)
        self.set_mode("error")
        try:
            assert next(stream).done
        finally:
            self.set_mode("default")
            stream.close()
