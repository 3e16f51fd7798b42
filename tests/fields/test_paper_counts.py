"""How the parameter counts of the paper's table 1 are made up, and what no reading of its text explains. The section
"The preset `paper`" of precompute/README.md says the same in words."""

import itertools
from dataclasses import dataclass

import pytest

import wsr
from precompute.tables import PAPER
from wsr.fields.masks import frozen_count
from wsr.presets import preset

STATED = {row: PAPER["table1_reconstruction"][row] for row in ("lora", "lora-asym")}
UNMASKED, MASKED = ({2: STATED[row]["ffhq_params"], 3: STATED[row]["shapenet_params"]} for row in ("lora", "lora-asym"))


@dataclass(frozen=True)
class Sizes:
    """The paper's sizes: width c, rank r, dimension of the points, values at a point, and two layers for each block."""

    c: int
    r: int
    dim: int
    out: int
    layers: int

    @classmethod
    def of(cls, dim: int) -> "Sizes":
        field = preset("paper", dim).field
        return cls(field.channels, field.rank, dim, field.outputs, field.layers)

    @property
    def pair(self) -> int:
        """A and B of a square layer."""
        return 2 * self.r * self.c

    @property
    def masked_row(self) -> int:
        """Frozen entries of a row: √width, rounded as the MLPs' counts show."""
        return frozen_count(self.c)


PLANE, SPACE = Sizes.of(2), Sizes.of(3)


def test_ours_are_a_and_b_of_two_layers_a_block():
    assert UNMASKED == {2: 27_395, 3: 29_696} and MASKED == {2: 26_307, 3: 27_539}
    for name, stated, ours in (("lora", UNMASKED, (24_576, 24_576)), ("lora-asym", MASKED, (23_808, 24_024))):
        counts = tuple(wsr.count_parameters(name, "paper", dim) for dim in (2, 3))
        assert counts == ours == tuple(wsr.count_parameters("m" + name, "paper", dim) for dim in (2, 3))
        assert all(count < stated[dim] for dim, count in zip((2, 3), counts, strict=True))


def test_one_layer_more_than_two_a_block_and_a_rest_give_the_papers_counts():
    assert UNMASKED[2] - 13 * PLANE.pair == 771 == 3 * PLANE.c + 3
    assert UNMASKED[3] - 9 * SPACE.pair == 2_048 == 4 * SPACE.c
    # the rests as parts: in 2D the output layer, in 3D the Fourier layer; in 3D the output layer would be 513
    assert PLANE.out * (PLANE.c + 1) == 771 and SPACE.c * (SPACE.dim + 1) == 2_048 and SPACE.out * (SPACE.c + 1) == 513
    # with masks: the rows of A of all 13 and 9 layers, and parts of the rests that no mask of √width a row freezes
    assert UNMASKED[2] - MASKED[2] == 13 * PLANE.r * PLANE.masked_row + 1 * PLANE.c
    assert UNMASKED[3] - MASKED[3] == 9 * SPACE.r * SPACE.masked_row + 3 * SPACE.c


def test_only_nine_masked_layers_fit_in_3d_and_thirteen_are_possible_in_2d():
    """Whatever else is frozen comes in whole channels."""
    rows = {}
    for dim, sizes in ((2, PLANE), (3, SPACE)):
        left = {n: UNMASKED[dim] - MASKED[dim] - n * sizes.masked_row for n in range(100)}
        rows[dim] = [n for n, rest in left.items() if rest >= 0 and rest % sizes.c == 0]
    assert rows[3] == [27] == [9 * SPACE.r]
    assert rows[2] == [4, 20, 36, 52, 68] and 13 * PLANE.r == 52 and 12 * PLANE.r not in rows[2]


def readings(sizes: Sizes, wanted: int) -> set[tuple]:
    """All readings that give a count: how many square layers are adapted beyond two a block, whether the weights of the
    Fourier and of the output layer are left alone, trained or adapted, and which biases are trained."""
    c, weights = sizes.c, ("left", "trained", "adapted")
    found = set()
    for more, fourier, phase, output, bias, biases in itertools.product(
        range(-4, 8), weights, (0, 1), weights, (0, 1), (0, 1)
    ):
        layers = sizes.layers + more
        count = layers * (sizes.pair + biases * c) + phase * c + bias * sizes.out
        for kind, other in ((fourier, sizes.dim), (output, sizes.out)):
            count += {"left": 0, "trained": c * other, "adapted": sizes.r * (c + other)}[kind]
        if count == wanted:
            found.add((more, fourier, phase, output, bias, biases))
    return found


def test_no_reading_gives_both_unmasked_counts():
    plane, space = readings(PLANE, UNMASKED[2]), readings(SPACE, UNMASKED[3])
    assert plane == {(1, "left", 0, "trained", 1, 0), (1, "trained", 1, "left", 1, 0)}
    assert space == {
        (0, "left", 1, "trained", 0, 1), (1, "trained", 0, "trained", 0, 0), (1, "trained", 1, "left", 0, 0)
    }  # fmt: skip
    assert not plane & space


def test_the_nearest_reading_misses_two_of_the_four_by_one_and_one_by_a_channel():
    """One square layer more, the Fourier layer and the output's biases; a mask of √width a row freezes all of the
    Fourier layer's weights, whose rows are shorter than that."""
    for sizes, layers, unmasked, masked in ((PLANE, 13, 27_395, 26_051), (SPACE, 9, 29_697, 27_540)):
        count = layers * sizes.pair + sizes.c * (sizes.dim + 1) + sizes.out
        assert count == unmasked
        assert count - layers * sizes.r * sizes.masked_row - sizes.c * sizes.dim == masked
    assert (27_395 - UNMASKED[2], 29_697 - UNMASKED[3]) == (0, 1)
    assert (26_051 - MASKED[2], 27_540 - MASKED[3]) == (-PLANE.c, 1)


@pytest.mark.parametrize(("sizes", "dim"), [(PLANE, 2), (SPACE, 3)])
def test_no_count_with_biases_at_the_output_or_adapters_beside_it_can_hold_in_both(sizes, dim):
    """Of all parts, only those at the two ends are no multiple of the width: r · dim of an adapted Fourier layer, r ·
    values of an adapted output, and the output's biases. The rest of the count by the width decides which are there."""
    parts = {
        (fourier, output, bias)
        for fourier, output, bias in itertools.product((0, 1), repeat=3)
        if (sizes.r * (sizes.dim * fourier + sizes.out * output) + sizes.out * bias - UNMASKED[dim]) % sizes.c == 0
    }
    assert parts == {2: {(0, 0, 1)}, 3: {(0, 0, 0)}}[dim]
