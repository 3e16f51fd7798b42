"""The estimate of the intrinsic dimension, on points with a known dimension."""

import pytest
import torch

from wsr.analysis.dimension import intrinsic_dimension
from wsr.errors import WsrError


@pytest.mark.parametrize("dimension", [1, 3, 6])
def test_the_dimension_of_a_flat_sheet_is_its_own(dimension):
    generator = torch.Generator().manual_seed(0)
    sheet = torch.rand(3000, dimension, generator=generator) @ torch.randn(dimension, 40, generator=generator)
    found = intrinsic_dimension(torch.cat([sheet, sheet[:10]]))
    assert list(found) == [3, 5, 10, 20]
    assert all(abs(found[k] / dimension - 1) < 0.25 for k in (5, 10, 20))


def test_too_few_different_points_are_told():
    with pytest.raises(WsrError, match="below the number"):
        intrinsic_dimension(torch.zeros(30, 4))
