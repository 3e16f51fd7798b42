"""A GPU compiles one graph, once. It is traced without generating code, in a process without shape checks, which the
compiler would trace too."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wsr.fields.synthesis import Modulation, composed, synthesize

SCRIPT = """
import numpy as np, torch
from torch._dynamo.testing import CompileCounterWithBackend
from wsr.fields.base import BaseField
from wsr.fields.representation import make_representation
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.presets import FieldConfig, FitConfig

config = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2)
for name in ("mlora-asym", "mlp-asym"):
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    for batch in range(3):  # like the batches of a zoo: each has other pictures and its own model
        model = make_representation(name, BaseField(config).requires_grad_(False), config)
        problem = make_problem(np.random.rand(3, 16, 16, 3).astype(np.float32), None)
        *_, last = run_fit(problem, model, model.initial(), FitConfig(3, 64, 8), 16, 0, backend=counter)
    print(name, counter.frame_count)
"""


def test_a_step_is_one_graph_and_is_compiled_once_for_all_batches():
    run = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=250)
    assert done.stdout.split() == ["mlora-asym", "1", "mlp-asym", "1"], done.stderr[-2000:]


@pytest.mark.parametrize("additive", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_operations_that_are_compiled_are_those_with_the_written_gradient(additive, dtype):
    layers, n, p, c, r = 4, 2, 8, 6, 2
    generator = torch.Generator().manual_seed(0)
    weight, a, b, bias = (
        torch.randn(*shape, generator=generator)
        for shape in ((layers, c, c), (layers, n, r, c), (layers, n, c, r), (layers, c))
    )  # fmt: skip
    h = torch.randn(n, p, c, generator=generator).to(dtype)
    a, b = a.requires_grad_(), b.requires_grad_()
    found = []
    for of in (synthesize, composed):
        out = of(h, Modulation(weight, a, b, additive), bias)
        found.append((out, *torch.autograd.grad(out.float().square().sum(), (a, b))))
    tolerance = 1e-4 if dtype == torch.float32 else 5e-2
    for one, other in zip(*found, strict=True):
        assert (one - other).norm() <= tolerance * other.norm()
