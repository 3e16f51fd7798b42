"""What a step does on a CPU, where nothing is captured. tests/devices/test_cuda.py captures steps on a GPU."""

import pytest
import torch

from wsr.captured import CapturedStep, capturable, set_rate


def test_on_a_cpu_every_call_runs_the_step():
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter], fused=True, **capturable(0.1, "cpu"))

    def step(x):
        optimizer.zero_grad(set_to_none=True)
        loss = (x * parameter).sum()
        loss.backward()
        optimizer.step()
        return loss.detach()

    captured = CapturedStep(step)
    seen = [float(captured(x)) for x in torch.eye(3).repeat(4, 1)]
    assert seen[:3] == [1.0, 1.0, 1.0] and all(later < 1 for later in seen[3:])
    total = float(parameter.detach().sum())
    assert float(captured(torch.ones(5, 3))) == pytest.approx(5 * total)  # arguments of another shape


def test_a_rate_is_set_where_the_optimizer_keeps_it():
    """As a number, or in the tensor that a captured step reads."""
    parameter = torch.nn.Parameter(torch.ones(1))
    kept = torch.tensor(0.5)
    for rate in (0.5, kept):
        optimizer = torch.optim.Adam([parameter], lr=rate, fused=True)
        set_rate(optimizer, 0.25)
        assert float(optimizer.param_groups[0]["lr"]) == 0.25
    assert float(kept) == 0.25 and "capturable" not in capturable(0.1, "cpu")
