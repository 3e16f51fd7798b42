"""Boats: sailing boats, motor boats, rowing boats and catamarans, and the hull that boats and ships share."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10.solids import (
    Dice,
    ball,
    both,
    box,
    frame,
    loft,
    pipe,
    prism,
    rod,
    soft_box,
    tapered_box,
    union,
)


def hull_of_boat(
    dice: Dice, length: float, width: float, depth: float, stern: float | None = None, sheer: float | None = None
) -> Manifold:
    """Makes a solid hull from x = -length/2 to +length/2. Its deck is at y = 0 amidships and rises towards the bow."""
    stern = dice.between(0.5, 0.95) if stern is None else stern
    sheer = dice.between(0.0, 0.25) * depth if sheer is None else sheer
    square = dice.between(0.25, 0.85)  # shape of the cross-section: a V at 0, a box at 1
    dice.length(hull_length=length, hull_width=width, hull_depth=depth)
    f = np.linspace(0, 1, 10)
    beam = np.where(f < 0.5, stern + (1 - stern) * np.sin(np.pi * f), 1 - np.clip(f * 2 - 1, 0, 1) ** 2.4)
    beam = np.maximum(beam, 0.05) * width / 2
    keel = depth * np.where(f < 0.7, 1.0 - 0.15 * (1 - f / 0.7) ** 2, 1.0 - 0.45 * ((f - 0.7) / 0.3) ** 2)
    deck = sheer * (2 * f - 0.8) ** 2
    rake = dice.between(0.0, 0.12) * length * f**6
    rings = []
    for i in range(len(f)):
        b, low, high = beam[i], -keel[i], deck[i]
        side = [
            (high, b),
            (low * 0.3, b * 0.96),
            (low * 0.75, b * (0.4 + 0.5 * square)),
            (low, b * square * 0.8 + 0.01),
        ]
        outline = np.array(side + [(y, -z) for y, z in side[::-1]])  # (8, 2)
        x = (f[i] - 0.5) * length + rake[i] * (outline[:, 0] - low) / (high - low)
        rings.append(np.stack([x, outline[:, 0], outline[:, 1]], -1))
    return loft(np.array(rings))


def sail(dice: Dice) -> Manifold:
    """Makes a sailing boat with one or two masts, perhaps with a jib, a cabin and a keel."""
    length, height, width = frame(1.0, dice.ratio(0.55, 1.6), dice.ratio(0.28, 0.6))
    depth = height * dice.between(0.22, 0.32)
    tall = height - depth
    width = max(width, 0.36)
    body = hull_of_boat(dice, length, width, depth)
    parts = [_with_cockpit(dice, body, length, width, depth)]
    masts = dice.pick((0.05,), (0.05,), (0.15, -0.22)) if length > 0.9 else (0.05,)
    dice.note(masts=len(masts))
    t = dice.between(0.036, 0.05)
    for i, m in enumerate(masts):
        parts += _rig(dice, m * length, tall, i == 0, length / len(masts), depth, t)
    x = masts[0] * length
    if dice.chance(0.75):
        bow, foot, head = length * 0.46, tall * 0.12, tall * 0.85
        jib = [
            (bow, 0.0),
            (x + 0.03, foot),
            (x + 0.005, head),
            (x - 0.01, head),
            (x - 0.01, tall * 0.1),
            (bow - 0.06, -0.02),
        ]
        parts.append(prism(jib, "z", -t / 2, t / 2))
    if dice.chance(0.5):
        cabin = (x - length * 0.12, -0.03, -width * 0.26), (x + length * 0.2, depth * 0.3, width * 0.26)
        parts.append(soft_box(*cabin, 0.03))
    if dice.chance(0.5):
        keel = [(-0.02, -depth * 0.8), (0.16, -depth * 0.8), (0.12, -depth * 1.5), (-0.06, -depth * 1.5)]
        parts.append(prism(keel, "z", -0.03, 0.03))
    return union(parts)


def _rig(dice: Dice, x: float, tall: float, main: bool, room: float, depth: float, t: float) -> list[Manifold]:
    """Makes a mast at x with its sail and boom. main: whether it is the first mast; a second one is lower."""
    top = tall * (1.0 if main else 0.8)
    back = x - room * dice.between(0.24, 0.38) * 1.3
    low = tall * dice.between(0.14, 0.2)
    if main and dice.pick("tri", "gaff") == "gaff":
        cloth = [(x, low), (back, low), (back + 0.06, top * 0.75), (x, top * 0.95)]
    else:
        cloth = [(x, low), (back, low), (x, top * 0.96)]
    mast, boom = (
        rod((x, -depth * 0.75, 0), (x, top, 0), 0.024, 0.02),
        rod((x, low, 0), (back - 0.03, low, 0), 0.025, count=8),
    )
    return [mast, prism(cloth, "z", -t / 2, t / 2), boom]


def _with_cockpit(dice: Dice, body: Manifold, length: float, width: float, depth: float) -> Manifold:
    if dice.chance(0.3):
        return body
    x0, x1 = -length * dice.between(0.35, 0.42), -length * dice.between(0.02, 0.15)
    return body - soft_box((x0, -depth * 0.5, -width * 0.3), (x1, depth * 2, width * 0.3), 0.04)


def row(dice: Dice) -> Manifold:
    """Makes an open boat: a hollow hull with thwarts, perhaps with oars or an outboard motor."""
    length, height, width = frame(1.0, dice.ratio(0.2, 0.38), dice.ratio(0.36, 0.7))
    stern = dice.pick(0.15, 0.5, 0.8)
    spot = dice.rng.bit_generator.state
    body = hull_of_boat(dice, length, width, height, stern, height * 0.3)
    dice.rng.bit_generator.state = spot  # the same draws again: the hollow gets the shape of the hull
    wall = dice.between(0.07, 0.1)
    inner = hull_of_boat(dice, length, width, height, stern, height * 0.3)
    shrink = (1 - 2.6 * wall / length, 1.0, 1 - 2 * wall / width)
    body -= inner.scale(shrink).translate((-0.01, min(0.1, height * 0.3), 0.0))
    body -= box((-length * 0.3, height * 0.25, -width), (length * 0.3, height, width))
    parts = [body]
    for f in dice.pick((0.0,), (-0.2, 0.15), (-0.25, 0.0, 0.22)):
        x, y = f * length, -height * 0.22
        parts.append(soft_box((x - 0.07, y - 0.06, -width * 0.47), (x + 0.07, y, width * 0.47), 0.015))
    if dice.chance(0.5):
        x, y = dice.between(-0.05, 0.1) * length, height * 0.02
        for s in (-1, 1):
            tip = np.array([x - 0.25, -height * 0.4, s * width * dice.between(0.85, 1.1)])
            grip = np.array([x + 0.05, height * 0.35, s * width * 0.12])
            parts += [rod(grip, tip, 0.02, count=8), ball(tip, (0.1, 0.025, 0.05), 12)]
            lock = grip + (tip - grip) * 0.45
            parts.append(rod(lock, (lock[0], -height * 0.15, s * width * 0.455), 0.024, count=8))
    if stern > 0.4 and dice.chance(0.4):
        parts += [
            soft_box((-length / 2 - 0.1, -height * 0.1, -0.07), (-length / 2 + 0.04, height * 0.5, 0.07), 0.03),
            box((-length / 2 - 0.06, -height, -0.025), (-length / 2, 0, 0.025)),
        ]
    return union(parts)


def motor(dice: Dice) -> Manifold:
    length, height, width = frame(1.0, dice.ratio(0.3, 0.75), dice.ratio(0.3, 0.75))
    depth = height * dice.between(0.4, 0.6)
    tall = height - depth
    parts = [_with_cockpit(dice, hull_of_boat(dice, length, width, depth, 0.9), length, width, depth)]
    x0, x1 = -length * dice.between(0.0, 0.3), length * dice.between(0.15, 0.3)
    lean = dice.between(0.5, 0.9)
    for i in range(dice.count(1, 2)):
        y = tall * (0.55 * i)
        cabin = tapered_box(
            (x0, y - 0.05, -width * 0.36), (x1, min(tall, y + 0.62 * tall), width * 0.36), (lean, 0.8), -0.06
        )
        parts.append(cabin)
        x0, x1, width = x0 + 0.05, x1 - (x1 - x0) * 0.35, width * 0.8
    if dice.chance(0.6):
        x = x0 + 0.08
        parts.append(rod((x, 0, 0), (x - 0.05, tall + dice.between(0.05, 0.3), 0), 0.022, 0.018))
    if dice.chance(0.4):
        rail = [
            (length * 0.1, -0.03, width * 0.34),
            (length * 0.12, 0.1, width * 0.34),
            (length * 0.42, 0.12, 0.0),
            (length * 0.44, -0.03, 0.0),
        ]
        parts += both(pipe(rail, 0.018, 8))
    if dice.chance(0.4):
        parts.append(soft_box((-length / 2 - 0.1, -depth * 0.7, -0.08), (-length / 2 + 0.05, 0.08, 0.08), 0.03))
    return union(parts)


def catamaran(dice: Dice) -> Manifold:
    length, height, width = frame(1.0, dice.ratio(0.25, 1.3), dice.ratio(0.55, 1.1))
    depth, thin = height * 0.25, width * dice.between(0.2, 0.27)
    tall = height - depth
    dice.length(beam=width)
    parts = both(hull_of_boat(dice, length, thin, depth, 0.6, 0.02).translate((0.0, 0.0, (width - thin) / 2)))
    parts.append(
        soft_box((-length * 0.38, -0.06, -width * 0.42), (length * dice.between(0.1, 0.25), 0.04, width * 0.42), 0.02)
    )
    if dice.chance(0.7):
        parts.append(
            tapered_box(
                (-length * 0.25, 0.02, -width * 0.3),
                (length * 0.12, tall * dice.between(0.2, 0.4) + 0.06, width * 0.3),
                (0.75, 0.8),
                -0.04,
            )
        )
    if dice.chance(0.75):
        x, t = length * 0.04, 0.04
        parts += [
            rod((x, 0, 0), (x, tall, 0), 0.024),
            prism([(x, tall * 0.42), (x - length * 0.3, tall * 0.42), (x, tall * 0.97)], "z", -t / 2, t / 2),
        ]
    return union(parts)
