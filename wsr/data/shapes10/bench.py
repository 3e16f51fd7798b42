"""Benches: park benches with slats, plain and padded benches, chests and blocks, with or without backs and arms."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import Dice, bar, box, frame, hull, pipe, soft_box, tapered_box, union


def make(dice: Dice) -> Manifold:
    backed = dice.chance(0.6)
    tall = dice.ratio(0.6, 1.6) if backed else dice.ratio(0.4, 1.1)
    w, h, d = frame(dice.ratio(1.0, 2.9), tall, dice.ratio(0.45, 1.2))
    level = h * (dice.between(0.4, 0.55) if backed else 1.0)
    t = dice.between(0.12, 0.2)
    t = min(t, level * 0.5)
    dice.note(back="none")
    dice.length(seat_width=w, seat_depth=d, seat_height=level, seat_thickness=t)
    parts = _seat(dice, w, d, level - t, t)
    parts += _stand(dice, w * dice.between(0.86, 1.0), d * 0.96, level - t * 0.8)
    if backed:
        parts += _back(dice, w, d, level - t / 2, h)
    if dice.chance(0.45 if backed else 0.2):
        parts += _arms(dice, w, d, level - t / 2, dice.between(0.14, 0.26))
    return union(parts)


def _seat(dice: Dice, w: float, d: float, y: float, t: float) -> list[Manifold]:
    style = dice.pick("board", "soft", "planks", "padded", "split")
    dice.note(seat=style)
    if style == "board":
        return [box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2))]
    if style == "soft":
        return [soft_box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2), t * 0.45)]
    if style == "padded":
        n = dice.count(1, 3)
        edges = np.linspace(-w / 2, w / 2, n + 1)
        pads = [
            soft_box((a, y + t * 0.4, -d / 2), (b, y + t, d / 2), t * 0.25)
            for a, b in zip(edges[:-1], edges[1:], strict=True)
        ]
        return pads + [box((-w / 2, y, -d / 2), (w / 2, y + t * 0.6, d / 2))]
    # the cross bars below the planks join them into one solid
    n, gap = dice.count(2, 4), dice.between(0.03, 0.045)
    wide = (d - gap * (n - 1)) / n
    planks = [
        box((-w / 2, y, -d / 2 + i * (wide + gap)), (w / 2, y + t, -d / 2 + i * (wide + gap) + wide)) for i in range(n)
    ]
    return planks + [
        box((x - 0.05, y - 0.015, -d / 2 + 0.01), (x + 0.05, y + t * 0.6, d / 2 - 0.01)) for x in (-w * 0.4, 0, w * 0.4)
    ]


def _stand(dice: Dice, w: float, d: float, height: float) -> list[Manifold]:
    styles = ["legs", "panels", "crossed", "sled", "blocks"] + (["chest"] * 3 if height < 0.3 * w else [])
    style, thick = dice.pick(*styles), dice.pick(dice.between(0.034, 0.04), dice.between(0.045, 0.12))
    dice.note(stand=style)
    dice.length(leg_thickness=thick)
    if style == "panels":
        return legs.panels(dice, w, d, height, thick)
    if style == "crossed":
        return legs.crossed(dice, w, d, height, thick)
    if style == "sled":
        return legs.sled(dice, w, d, height, min(thick, 0.06))
    if style == "chest":
        foot = dice.pick(0.0, 0.05)
        body = tapered_box(
            (-w * 0.47, foot, -d * 0.46), (w * 0.47, height + 0.015, d * 0.46), (1.0, dice.between(0.85, 1.0))
        )
        return [body] + (legs.stubs(dice, w * 0.9, d * 0.9, foot + 0.01, 0.06) if foot else [])
    if style == "blocks":
        wide = dice.between(0.12, 0.25) * w
        return [
            tapered_box(
                (s * w * 0.33 - wide / 2, 0, -d * 0.45),
                (s * w * 0.33 + wide / 2, height + 0.015, d * 0.45),
                (dice.pick(1.0, 0.8), 1.0),
            )
            for s in (-1, 1)
        ]
    return legs.corner_legs(dice, w, d, height, thick, dice.pick(0.0, 0.0, 0.05))


def _back(dice: Dice, w: float, d: float, low: float, high: float) -> list[Manifold]:
    style, t = dice.pick("solid", "solid", "rails", "rails", "bars"), dice.between(0.08, 0.15)
    lean = dice.between(0.0, 0.25) * d
    dice.note(back=style)
    dice.length(back_lean=lean)
    z0, z1 = -d / 2 + t / 2, -d / 2 + t / 2 - lean

    def plank(f0: float, f1: float, half: float, thick: float) -> Manifold:
        ends = [
            (s * half, low + (high - low) * f, z0 + (z1 - z0) * f + e * thick / 2)
            for f in (f0, f1)
            for s in (-1, 1)
            for e in (-1, 1)
        ]
        return hull(ends)

    if style == "solid":
        return [plank(0, 1, w / 2, t)]
    post = dice.between(0.04, 0.08)
    columns = (-0.46, 0, 0.46) if w > 1.2 else (-0.46, 0.46)
    if style == "rails":
        n = dice.count(1, 3)
        step = 0.8 / n
        posts = [bar((x * w, low, z0), (x * w, high - 0.02, z1), post, 0.05) for x in columns]
        return posts + [
            plank(0.2 + (i + 0.1) * step, 0.2 + (i + 0.9) * step, w / 2, 0.038 if t < 0.11 else t * 0.6)
            for i in range(n)
        ]
    n = dice.count(4, 8)
    bars = [bar((x, low, z0), (x, high - 0.05, z1), 0.05, 0.038) for x in np.linspace(-0.46, 0.46, n) * w]
    return bars + [plank(0.78, 1.0, w / 2, t)]


def _arms(dice: Dice, w: float, d: float, y: float, rise: float) -> list[Manifold]:
    style, x = dice.pick("board", "loop", "wall"), w / 2 - 0.04
    dice.note(arms=style)
    back, front = -d / 2 + 0.04, d / 2 - 0.06
    parts = []
    for s in (-1, 1):
        if style == "wall":
            parts.append(box((s * x - 0.04, 0, back), (s * x + 0.04, y + rise, front)))
        elif style == "loop":
            parts.append(
                pipe([(s * x, y, front), (s * x, y + rise, front), (s * x, y + rise, back), (s * x, y, back)], 0.019)
            )
        else:
            parts += [bar((s * x, y - 0.02, z), (s * x, y + rise, z), 0.05, 0.04) for z in (back, front - 0.02)]
            parts.append(
                box((s * x - 0.05, y + rise - 0.02, back - 0.03), (s * x + 0.05, y + rise + 0.04, front + 0.04))
            )
    return parts
