"""What layouts of pictures share: SIRENs whose points are the centres of pixels, from edge to edge of [-1, 1]."""

from collections.abc import Sequence

from wsr.fields.networks import SINE, Network, NetworkConfig
from wsr.imports.base import Mismatch
from wsr.modalities import IMAGE

ROWS_FIRST, COLUMNS_FIRST = (1, 0), (0, 1)  # the first input is y, or x
_USUAL = {1: 28, 3: 32}  # pixels of a side, by the number of values: of MNIST and CIFAR-10


def usual_resolution(raw: int) -> int:
    """Returns the pixels of a side of the data set that a network with this number of outputs has usually learnt."""
    return _USUAL.get(raw, 32)


def edge_to_edge(resolution: int) -> float:
    """Returns the factor from our points to those of a program whose outermost pixels have their centres at ±1. Ours
    lie half a pixel within [-1, 1]."""
    return resolution / (resolution - 1)


def to_values(scale: Sequence[float], shift: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns scale and shift of our RGB in [-1, 1], given those that turn outputs into colours in [0, 1]. Grey stands
    for three equal colours."""
    times = IMAGE.channels // len(scale)
    return tuple([2 * one for one in scale] * times), tuple([2 * one - 1 for one in shift] * times)


def siren_of_pictures(
    weights: Sequence[tuple[int, ...]], omega: float, resolution: int | None, scale: Sequence[float],
    shift: Sequence[float], axes: tuple[int, int] = COLUMNS_FIRST,
) -> NetworkConfig:  # fmt: skip
    """Returns the network of matrices (outputs, inputs) of these shapes. scale, shift: turn outputs into colours in
    [0, 1]; one of each, or one for each output. Mismatch if the network does not map two coordinates to grey or RGB."""
    raw, inputs = weights[-1][0], weights[0][1]
    if inputs != IMAGE.dim:
        raise Mismatch(f"its first layer reads {inputs} numbers, and a point of a picture has {IMAGE.dim}")
    if raw not in (1, IMAGE.channels):
        raise Mismatch(f"it has {raw} outputs, and pictures have 1 (grey) or {IMAGE.channels} (RGB)")
    widths = tuple(weight[0] for weight in weights[:-1])
    colours = to_values(*(one if len(one) == raw else list(one[:1]) * raw for one in (scale, shift)))
    network = Network(
        widths=widths, activations=(SINE,) * len(widths), omegas=(omega,) * len(widths), raw=raw, axes=axes,
        axis_scale=edge_to_edge(resolution or usual_resolution(raw)), scale=colours[0], shift=colours[1],
    )  # fmt: skip
    return NetworkConfig.of(IMAGE, network)
