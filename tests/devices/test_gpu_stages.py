"""The stages of `sh tools/gpu_check.sh` as they run on a GPU, tested with the pretended one."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from wsr.bench import batches
from wsr.bench.gpu_stages import STAGES


@pytest.mark.parametrize("name", [name for name in STAGES if name != "tests"])
def test_a_stage_lines_up(name, gpu, monkeypatch):
    monkeypatch.setattr(Accelerator, "device", property(lambda self: torch.device("cuda")))
    about = SimpleNamespace(name="none", total_memory=1, major=0, minor=0)
    for asked, answer in (("empty_cache", None), ("reset_peak_memory_stats", None), ("max_memory_allocated", 1)):
        monkeypatch.setattr(torch.cuda, asked, lambda answer=answer: answer)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: about)
    monkeypatch.setattr(batches, "LARGE", (1, 64, 64))
    monkeypatch.setattr(batches, "compile_backend", lambda device: "eager")
    found = dict(STAGES[name].run("cuda", True))
    assert found and all(value is not None for key, value in found.items() if key != "compile_backend")
