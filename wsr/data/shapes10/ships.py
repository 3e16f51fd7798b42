"""Ships: freighters, ferries, tugs and submarines."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10.boats import hull_of_boat
from wsr.data.shapes10.solids import (
    Dice,
    ball,
    both,
    box,
    disc,
    frame,
    hull,
    loft,
    pipe,
    prism,
    rod,
    soft_box,
    tapered_box,
    union,
)


def _plan(x0: float, x1: float, width: float, point: float) -> list[tuple[float, float]]:
    """Returns the outline of a deck with a pointed front."""
    w = width / 2
    bend = x1 - (x1 - x0) * point
    return [(x0, -w), (bend, -w), (x1, -w * 0.25), (x1, w * 0.25), (bend, w), (x0, w)]


def ship(dice: Dice) -> Manifold:
    """Makes a freighter: a bridge at one end, and containers, hatches, tanks or cranes on the deck."""
    length, height, width = frame(1.0, dice.ratio(0.3, 0.8), dice.ratio(0.22, 0.55))
    depth = height * dice.between(0.35, 0.5)
    tall = height - depth
    parts = [hull_of_boat(dice, length, width, depth, 0.9)]
    bridge = dice.pick(-0.4, -0.4, 0.22)
    deep = dice.between(0.08, 0.14) * length
    x = bridge * length
    parts += [
        box((x - deep / 2, -0.03, -width * 0.42), (x + deep / 2, tall * 0.7, width * 0.42)),
        box((x - deep / 2 + 0.02, tall * 0.6, -width / 2), (x + deep / 2 + 0.02, tall * 0.85, width / 2)),
    ]
    parts.append(rod((x, tall * 0.5, 0), (x, tall, 0), dice.between(0.03, 0.06)))
    free = (x + deep / 2 + 0.03, length * 0.33) if bridge < 0 else (-length * 0.44, x - deep / 2 - 0.03)
    cargo, n = dice.pick("boxes", "boxes", "tanks", "cranes", "hatches"), dice.count(2, 5)
    dice.note(cargo=cargo, holds=n)
    step = (free[1] - free[0]) / n
    for i in range(n):
        a, b = free[0] + i * step, free[0] + (i + 1) * step - 0.035
        m = (a + b) / 2
        if cargo == "tanks":
            size = min(step * 0.46, width * 0.42)
            parts.append(ball((m, size * 0.3, 0), size, 18))
        elif cargo == "boxes":
            parts.append(box((a, -0.04, -width * 0.4), (b, tall * dice.between(0.25, 0.75), width * 0.4)))
        else:
            parts.append(box((a, -0.04, -width * 0.36), (b, 0.06, width * 0.36)))
            if cargo == "cranes" and i % 2 == 0:
                parts += [
                    rod((a + 0.03, 0, 0), (a + 0.03, tall * 0.8, 0), 0.035),
                    rod((a + 0.03, tall * 0.45, 0), (b + 0.02, tall * 0.85, 0), 0.02),
                ]
    if dice.chance(0.5):
        parts.append(rod((length * 0.42, -0.02, 0), (length * 0.42, tall * 0.5, 0), 0.02))
    return union(parts)


def ferry(dice: Dice) -> Manifold:
    """Makes a ferry: storeys of decreasing length, and funnels."""
    length, height, width = frame(1.0, dice.ratio(0.4, 1.0), dice.ratio(0.28, 0.7))
    depth, n = height * dice.between(0.25, 0.4), dice.count(2, 4)
    dice.note(storeys=n)
    tall = height - depth
    storey = tall * 0.75 / n
    parts = [hull_of_boat(dice, length, width, depth, 0.9)]
    x0, x1, wide = -length * 0.46, length * dice.between(0.2, 0.32), width * 0.92
    for i in range(n):
        low = i * storey - 0.04
        parts.append(prism(_plan(x0, x1, wide, 0.25), "y", low, (i + 1) * storey))
        if dice.chance(0.7):
            parts.append(
                prism(_plan(x0 - 0.0, x1 + 0.02, wide + 0.03, 0.25), "y", (i + 1) * storey - 0.035, (i + 1) * storey)
            )
        x0, x1, wide = (
            x0 + length * dice.between(0.0, 0.08),
            x1 - length * dice.between(0.02, 0.12),
            wide * dice.between(0.85, 0.97),
        )
    funnels = dice.count(1, 3)
    dice.note(funnels=funnels)
    for i in range(funnels):
        x = x0 + (x1 - x0) * (i + 0.5) / funnels
        parts.append(rod((x, n * storey - 0.05, 0), (x - 0.05, tall, 0), 0.07 if funnels == 1 else 0.05, count=14))
    if dice.chance(0.4):
        parts.append(rod((x1 - 0.1, n * storey - 0.05, 0), (x1 - 0.1, tall * 1.05, 0), 0.02))
    return union(parts)


def tug(dice: Dice) -> Manifold:
    length, height, width = frame(1.0, dice.ratio(0.6, 1.1), dice.ratio(0.42, 0.65))
    depth = height * dice.between(0.35, 0.5)
    tall = height - depth
    x, w = length * dice.between(0.0, 0.12), width * 0.32
    parts = [hull_of_boat(dice, length, width, depth, 0.75, depth * 0.3)]
    parts.append(soft_box((x - length * 0.25, -0.04, -w), (x + length * 0.14, tall * 0.4, w), 0.03))
    parts.append(
        tapered_box((x - 0.05, tall * 0.35, -w * 0.85), (x + length * 0.13, tall * 0.75, w * 0.85), (1.1, 1.1))
    )
    parts.append(
        rod((x - length * 0.15, 0, 0), (x - length * 0.15, tall * dice.between(0.6, 0.9), 0), dice.between(0.06, 0.09))
    )
    parts.append(rod((x + 0.03, 0, 0), (x + 0.03, tall, 0), 0.024, 0.018))
    if dice.chance(0.6):
        parts += [
            rod((-length * 0.36, -0.02, 0), (-length * 0.36, 0.12, 0), 0.05),
            rod((-length * 0.36, 0.1, -0.1), (-length * 0.36, 0.1, 0.1), 0.025),
        ]
    if dice.chance(0.5):
        r = dice.between(0.03, 0.045)
        parts += both(
            pipe(
                [
                    (-length * 0.45, -0.05, width * 0.4),
                    (0.1 * length, -0.05, width * 0.5),
                    (length * 0.3, -0.05, width * 0.38),
                ],
                r,
            )
        )
    return union(parts)


def submarine(dice: Dice) -> Manifold:
    length, _, width = frame(1.0, dice.ratio(0.25, 0.45), dice.ratio(0.22, 0.42))
    r, half = width / 2, length / 2
    f = np.array([0, 0.06, 0.2, 0.35, 0.8, 0.92, 0.98, 1.0])
    size = np.array([0.12, 0.3, 0.75, 1.0, 1.0, 0.8, 0.45, 0.12]) * r
    angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    rings = np.stack(
        [
            np.stack([np.full(18, (a - 0.5) * length), s * np.cos(angle), s * np.sin(angle)], -1)
            for a, s in zip(f, size, strict=True)
        ]
    )
    x, tall = length * dice.between(0.05, 0.2), r * dice.between(0.7, 1.2)
    dice.length(hull_length=length, hull_width=width, tower_height=tall)
    deep = length * dice.between(0.07, 0.12)
    parts = [
        loft(rings),
        hull(
            [(x + s * deep * k, y, t * 0.05) for y, k in ((0, 1.0), (r + tall, 0.8)) for s in (-1, 1) for t in (-1, 1)]
        ),
    ]
    if dice.chance(0.7):
        parts.append(rod((x, r, 0), (x, r + tall + dice.between(0.1, 0.25), 0), 0.02))
    if dice.chance(0.6):
        parts += both(soft_box((x - 0.06, r + tall * 0.55, 0), (x + 0.06, r + tall * 0.55 + 0.035, r * 1.0), 0.012))
    c = -half + length * 0.1
    for s in (-1, 1):
        parts += [
            hull(
                [
                    (c + a, s * y, z)
                    for z in (-0.018, 0.018)
                    for a, y in ((-0.06, 0), (0.1, 0), (-0.06, r * 1.05), (0.02, r * 1.05))
                ]
            )
        ]
        parts += [
            hull(
                [
                    (c + a, y, s * z)
                    for y in (-0.018, 0.018)
                    for a, z in ((-0.06, 0), (0.1, 0), (-0.06, r * 1.05), (0.02, r * 1.05))
                ]
            )
        ]
    parts += [disc((-half - 0.02, 0, 0), "x", r * 0.3, 0.1, 14)]
    if dice.chance(0.3):
        parts.append(soft_box((-length * 0.2, r - 0.04, -r * 0.4), (length * 0.3, r + 0.05, r * 0.4), 0.02))
    return union(parts)
