"""Sofas: with two to four seats, corner sofas, chaises, chesterfields, curved sofas and daybeds."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import Dice, ball, disc, frame, rod, soft_box, union


def make(dice: Dice) -> Manifold:
    if dice.chance(0.12):
        return _curved(dice)
    w, h, d = frame(dice.ratio(1.1, 2.8), dice.ratio(0.5, 1.35), dice.ratio(0.6, 1.35))
    foot = dice.pick(0.0, dice.between(0.05, 0.2) * h, dice.between(0.05, 0.3) * h)
    level = foot + (h - foot) * dice.between(0.22, 0.4)
    back, soft = dice.between(0.15, 0.28) * d, dice.between(0.02, 0.06)
    arm = dice.between(0.07, 0.14) * w
    kind = dice.pick("plain", "plain", "plain", "chaise", "daybed")
    sides = dice.pick((-1, 1), (-1, 1), (-1, 1), (-1,), ())
    dice.note(kind=kind)
    dice.length(foot_height=foot, seat_height=level, arm_width=arm, back_thickness=back)
    parts = [soft_box((-w / 2, foot, -d / 2), (w / 2, level, d / 2), soft)]
    chaise = kind == "chaise"
    if chaise:
        sides = (-1,)
        parts.append(soft_box((w / 2 - w * 0.33, foot, -d / 2), (w / 2, level, d * 0.95), soft))
    if kind != "daybed" or dice.chance(0.5):
        parts.append(
            soft_box((-w / 2, foot, -d / 2), (w / 2, h if dice.chance(0.5) else h * 0.9, -d / 2 + back), soft * 1.3)
        )
    dice.note(arms=("none", "one", "two")[len(sides)])
    parts += _arms(dice, sides, arm, (w, h, d), foot, level, soft)
    left, right = -w / 2 + (arm if -1 in sides else 0), w / 2 - (arm if 1 in sides else 0)
    parts += _cushions(dice, (left, right), level, h, -d / 2 + back, d, chaise)
    if foot:
        parts += legs.stubs(dice, w * 0.94, d * 0.94, foot + 0.03, dice.between(0.035, 0.08))
        if chaise:
            parts += [rod((x * w, foot + 0.03, d * 0.88), (x * w, 0, d * 0.88), 0.03, 0.022, 10) for x in (0.22, 0.45)]
    return union(parts)


def _arms(dice: Dice, sides: tuple, arm: float, size: tuple, foot: float, level: float, soft: float) -> list[Manifold]:
    w, h, d = size
    style, rise = dice.pick("box", "round", "slope", "low"), level + (h - level) * dice.between(0.3, 0.75)
    parts = []
    for s in sides:
        outer, inner = sorted((s * w / 2, s * (w / 2 - arm)))
        if style == "round":
            r = arm * 0.62
            x = s * (w / 2 - r)
            parts.append(soft_box((outer, foot, -d / 2), (inner, rise, d / 2 - 0.02), soft))
            parts.append(rod((x, rise, -d / 2 + 0.02), (x, rise, d / 2), r, count=18))
        elif style == "slope":
            low, high = (
                soft_box((outer, foot, -d / 2), (inner, level + 0.06, d / 2), soft),
                soft_box((outer, foot, -d / 2), (inner, rise, -d * 0.2), soft),
            )
            parts.append(Manifold.batch_hull([low, high]))
        else:
            top = rise if style == "box" else level + 0.1
            parts.append(soft_box((outer, foot, -d / 2), (inner, top, d / 2), soft))
    return parts


def _cushions(
    dice: Dice, span: tuple, level: float, high: float, back: float, d: float, chaise: bool
) -> list[Manifold]:
    count, thick = dice.count(1, 4), dice.between(0.06, 0.13)
    dice.note(cushions=count)
    dice.length(cushion_thickness=thick)
    edges = np.linspace(*span, count + 1)
    parts = []
    backs = dice.chance(0.7)
    top = high * dice.between(0.82, 1.02)
    for i, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        front = d * 0.93 if chaise and i == count - 1 and count > 2 else d / 2
        parts.append(
            soft_box(
                (a - 0.004, level - 0.03, back - 0.03), (b + 0.004, level + thick, front), min(0.045, thick * 0.45)
            )
        )
        if backs:
            t = dice.between(0.1, 0.14)
            parts.append(
                soft_box(
                    (a - 0.003, level + thick * 0.8, back - 0.03),
                    (b + 0.003, max(top, level + thick + 0.1), back + t),
                    0.05,
                )
            )
    if dice.chance(0.4):
        x = dice.pick(-1, 1) * (span[1] - span[0]) * 0.3 + sum(span) / 2
        size = min(0.16, (high - level) * 0.45)
        parts.append(ball((x, level + thick + size * 0.8, back + 0.1), (size * 1.1, size, 0.09), 16))
    return parts


def _curved(dice: Dice) -> Manifold:
    """Makes a curved sofa: a sector of rings around a centre in front of the sofa."""
    w, h, d = frame(dice.ratio(1.5, 2.6), dice.ratio(0.45, 0.75), 1.0)
    outer, deep = w / 2, dice.between(0.4, 0.55) * w / 2
    squash = d / outer * dice.between(0.75, 1.0)
    level, foot = h * dice.between(0.4, 0.5), dice.pick(0.0, 0.08)
    back = deep * dice.between(0.3, 0.42)
    dice.note(kind="curved")
    dice.length(foot_height=foot, seat_height=level, seat_depth=deep, back_thickness=back)

    def ring(low: float, high: float, r0: float, r1: float) -> Manifold:
        solid = disc((0, (low + high) / 2, 0), "y", (r1, r1 * squash), high - low, 40)
        return solid - disc((0, (low + high) / 2, 0), "y", (r0, r0 * squash), high - low + 0.1, 40)

    body = ring(foot, level, outer - deep, outer) + ring(foot, h, outer - back, outer)
    # keeps only the half behind the centre
    body = body.trim_by_plane((0.0, 0.0, -1.0), dice.between(-0.02, 0.1))
    middle = outer - deep / 2
    feet = [
        rod((x * middle, 0, z), (x * middle, foot + 0.03, z), 0.035)
        for x, z in ((-0.97, -0.2 * squash * middle), (0.97, -0.2 * squash * middle), (0, -squash * middle))
    ]
    arms = []
    if dice.chance(0.5):
        x = outer - deep / 2
        arms = [
            soft_box((s * x - deep / 2, foot, -0.16), (s * x + deep / 2, (h + level) / 2, 0.06), 0.04) for s in (-1, 1)
        ]
    return union([body, *arms, *(feet if foot else [])])
