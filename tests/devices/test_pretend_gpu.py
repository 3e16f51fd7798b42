"""The stand-in refuses what CUDA refuses, allows what it allows, and counts what makes its host wait."""

import numpy as np
import pytest
import torch
from pretend_gpu import GPU, pretend_gpu
from torch import nn


def test_tensors_say_where_they_are():
    with pretend_gpu():
        made = torch.zeros(3, device="cuda")
        for there in (made, made + 1, made[1:], torch.ones(3).to("cuda"), torch.ones(3).cuda(), made.new_ones(2),
                      torch.zeros_like(made), torch.tensor([1.0], device="cuda"), torch.cat([made, made]),
                      made.double(), made.to(torch.float16)):  # fmt: skip
            assert there.device == GPU and there.is_cuda
        for here in (torch.zeros(3), made.cpu(), made.to("cpu"), torch.zeros_like(made, device="cpu")):
            assert here.device.type == "cpu" and not here.is_cuda
        assert made.to("cuda") is made and made.to(GPU) is made


@pytest.mark.parametrize("mixed", [
    lambda a, b: a + b, lambda a, b: a @ b.T, lambda a, b: torch.cat([a, b]), lambda a, b: a.add_(b),
    lambda a, b: torch.stack([a, b]), lambda a, b: torch.cdist(a, b), lambda a, b: nn.functional.linear(a, b),
    lambda a, b: b.index_select(0, torch.zeros(2, dtype=torch.long, device="cuda")),
])  # fmt: skip
def test_both_sides_in_one_operation_are_refused(mixed):
    with pretend_gpu():
        with pytest.raises(RuntimeError, match="same device"):
            mixed(torch.ones(2, 2, device="cuda"), torch.ones(2, 2))


@pytest.mark.parametrize("drawn", [
    lambda a, g: a.normal_(generator=g), lambda a, g: nn.init.uniform_(a, generator=g),
    lambda a, g: torch.bernoulli(a, generator=g), lambda a, g: torch.randn(2, device="cuda", generator=g),
])  # fmt: skip
def test_a_generator_of_the_cpu_draws_nothing_there(drawn):
    with pretend_gpu():
        with pytest.raises(RuntimeError, match="generator"):
            drawn(torch.ones(2, device="cuda"), torch.Generator())
        assert torch.randn(2, generator=torch.Generator()).to("cuda").device == GPU
        assert torch.ones(2, device="cuda").normal_().device == GPU, "its own generator draws"


def test_single_numbers_copies_and_indices_are_allowed():
    with pretend_gpu() as gpu:
        a = torch.arange(4.0, device="cuda")
        assert (a * torch.tensor(2.0)).device == GPU and (a * 2).device == GPU
        assert not gpu.syncs["cpu"]
        a.copy_(torch.ones(4))
        assert a[torch.tensor([0, 2])].device == GPU
        assert gpu.syncs["copy_"] == 1 and gpu.syncs["upload of an index"] == 1


def test_what_makes_the_host_wait_is_counted():
    with pretend_gpu() as gpu:
        a = torch.arange(4.0, device="cuda")
        a.add(1).sum().mul(2)
        assert not sum(gpu.syncs.values())
        for number, wait in enumerate([
            lambda: a[0].item(), lambda: float(a[1]), lambda: bool(a[0] == 0), lambda: a.cpu(), lambda: a[a > 1],
            lambda: a.tolist(), lambda: a.nonzero(), lambda: torch.ones(3).to("cuda"), lambda: torch.equal(a, a),
        ]):  # fmt: skip
            wait()
            assert sum(gpu.syncs.values()) == number + 1, (number, gpu.syncs)
        torch.ones(3).pin_memory().to("cuda", non_blocking=True)
        assert sum(gpu.syncs.values()) == 9


def test_numpy_takes_nothing_from_a_gpu():
    with pretend_gpu():
        a = torch.ones(3, device="cuda")
        for taken in (a.numpy, lambda: np.asarray(a)):
            with pytest.raises(TypeError, match="numpy"):
                taken()
        assert a.cpu().numpy().sum() == 3


def test_a_network_trains_there_and_the_backward_pass_is_watched():
    """Modules, autograd, gradients and a fused optimiser: all there, the same numbers, and no wait."""

    def trained(device):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 1)).to(device)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1, fused=True)
        x = torch.randn(16, 3).to(device)
        for _ in range(5):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()
        return net, [p.detach().cpu().clone() for p in net.parameters()]

    plain = trained("cpu")[1]
    with pretend_gpu() as gpu:
        net, found = trained("cuda")
        assert all(p.device == GPU and p.grad.device == GPU for p in net.parameters())
        assert set(gpu.syncs) <= {"upload", "cpu", "copy_"} and gpu.syncs["item"] == 0
    assert all(torch.equal(a, b) for a, b in zip(plain, found, strict=True))


def test_a_gradient_crosses_back():
    with pretend_gpu():
        here = torch.ones(3, requires_grad=True)
        (here.to("cuda") * 2).sum().backward()
        assert here.grad.device.type == "cpu" and here.grad.tolist() == [2, 2, 2]


class _Careless(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.ones(grad.shape)  # made on the CPU


def test_a_mistake_in_a_backward_pass_is_found():
    with pretend_gpu():
        x = torch.ones(3, device="cuda", requires_grad=True)
        with pytest.raises(RuntimeError, match="same device"):
            _Careless.apply(x).sum().backward()


def test_what_is_gone_leaves_no_mark():
    with pretend_gpu():
        for _ in range(200):
            there = torch.zeros(1000, device="cuda")
            del there
            assert torch.zeros(1000).device.type == "cpu"
