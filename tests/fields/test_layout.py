import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsr.errors import WsrError
from wsr.fields.layout import ParameterLayout


@st.composite
def layouts(draw):
    tensors = []
    for i in range(draw(st.integers(1, 4))):
        shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
        numel = int(torch.Size(shape).numel())
        frozen = draw(st.sets(st.integers(0, numel - 1), max_size=numel - 1))
        tensors.append((f"t{i}", shape, tuple(frozen)))
    total = sum(int(torch.Size(shape).numel()) for _, shape, _ in tensors)
    return ParameterLayout(tensors, torch.arange(1.0, 1.0 + total))


@settings(max_examples=50, deadline=None)
@given(layouts())
def test_flatten_and_unflatten_are_inverses(layout):
    weights = torch.randn(3, layout.size)
    assert torch.equal(layout.flatten(layout.unflatten(weights)), weights)
    assert torch.equal(layout.strip(layout.fill(weights)), weights)


@settings(max_examples=50, deadline=None)
@given(layouts())
def test_frozen_entries_are_put_back_and_not_stored(layout):
    tensors = layout.unflatten(torch.zeros(1, layout.size))
    start = 0
    for entry in layout.entries:
        flat = tensors[entry.name].flatten()
        for position in range(entry.numel):
            expected = 1.0 + start + position if position in entry.frozen else 0.0
            assert flat[position] == expected
        start += entry.numel
    assert layout.size == layout.total - sum(len(entry.frozen) for entry in layout.entries)


def test_weights_of_another_layout_are_refused():
    layout = ParameterLayout([("a", (4,), ())])
    with pytest.raises(WsrError, match="5 entries, this representation has 4"):
        layout.fill(torch.zeros(1, 5))
