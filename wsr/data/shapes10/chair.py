"""Chairs: four-legged, swivel, pedestal, sled and rocking chairs, stools with a back, and club chairs."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import (
    Dice,
    bar,
    box,
    disc,
    frame,
    hull,
    pipe,
    prism,
    rod,
    rounded_outline,
    soft_box,
    union,
)


def make(dice: Dice) -> Manifold:
    if dice.chance(0.36):
        return _upholstered(dice)
    w, h, d = frame(dice.ratio(0.65, 1.7), dice.ratio(0.8, 2.5), dice.ratio(0.65, 1.5))
    level = h * dice.between(0.34, 0.6)
    thick = dice.between(0.12, 0.22)
    base = dice.pick("legs", "legs", "legs", "star", "pedestal", "sled", "rocker", "panels")
    dice.note(stand=base)
    dice.length(seat_height=level, seat_thickness=thick)
    wide, deep = w * dice.between(0.9, 1.0), d * dice.between(0.85, 0.95)
    seat, rear = _seat(dice, wide, deep, level, thick, base)
    dice.note(seat=rear)
    dice.length(seat_width=wide, seat_depth=deep)
    # the back stands further in on a round or tapered seat
    inner, near = (
        (wide * 0.62, deep * 0.72) if rear == "round" else (wide * (0.84 if rear == "trapezoid" else 1.0), deep)
    )
    parts = [seat, *_base(dice, base, inner if rear == "trapezoid" else wide, deep, d, level + thick * 0.25)]
    parts += _back(dice, inner, near, level + thick, h)
    if dice.chance(0.45) and rear != "round":
        parts += _arms(dice, inner, deep, level + thick * 0.5, dice.between(0.4, 0.6) * (h - level))
    return union(parts)


def _seat(dice: Dice, w: float, d: float, y: float, t: float, base: str) -> tuple[Manifold, str]:
    """Makes the seat. Returns it and the name of its outline."""
    style = (
        dice.pick("box", "soft", "trapezoid")
        if base in ("legs", "panels", "sled", "rocker")
        else dice.pick("round", "soft", "box")
    )
    if style == "box":
        return box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2)), style
    if style == "soft":
        return soft_box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2), t * 0.45), style
    if style == "round":
        return disc((0, y + t / 2, 0), "y", (w / 2, d / 2), t), style
    outline = [(-w / 2, d / 2), (w / 2, d / 2), (w * 0.42, -d / 2), (-w * 0.42, -d / 2)]
    return prism(outline, "y", y, y + t), style


def _base(dice: Dice, base: str, w: float, d: float, room: float, height: float) -> list[Manifold]:
    thick = dice.pick(dice.between(0.033, 0.04), dice.between(0.033, 0.04), dice.between(0.045, 0.075))
    dice.length(leg_thickness=thick)
    if base == "star":
        return legs.star(dice, min(w, room) * 0.55, height, max(0.06, thick))
    if base == "pedestal":
        return legs.pedestal(dice, w, d, height, max(0.08, thick * 2))
    if base == "sled":
        return legs.sled(dice, w * 0.94, d, height, min(thick, 0.05))
    if base == "panels":
        return legs.panels(dice, w, d * 0.9, height, thick)
    parts = legs.corner_legs(dice, w * 0.9, d * 0.9, height, max(thick, 0.033), dice.pick(0.0, 0.0, 0.05, 0.1))
    if base == "rocker":
        z = np.linspace(-0.62, 0.62, 7) * d
        x = w * 0.45 - thick / 2
        for s in (-1, 1):
            parts.append(pipe([(s * x, 0.12 * (t / d) ** 2 - 0.01, t) for t in z], max(0.02, thick * 0.6), 8))
    return parts


def _back(dice: Dice, w: float, d: float, low: float, high: float) -> list[Manifold]:
    """Makes a leaning back at the rear edge of the seat: solid, with slats, bars or a frame, or a rest alone."""
    style = dice.pick("solid", "solid", "solid", "slats", "bars", "ring", "rest")
    lean, t = dice.between(0.0, 0.22) * d, dice.between(0.08, 0.15)
    dice.note(back=style)
    dice.length(back_height=high - low, back_lean=lean)
    z0, z1, tall = -d / 2 + t / 2, -d / 2 + t / 2 - lean, high - low
    low -= 0.05

    def at(f: float) -> float:
        return z0 + (z1 - z0) * f

    def board(f0: float, f1: float, half: float, thick: float, top: float = 1.0) -> Manifold:
        ys = (low + f0 * (high - low), low + f1 * (high - low))
        ends = [
            [(s * half * k, y, at(f) + e * thick / 2) for s in (-1, 1) for e in (-1, 1)]
            for y, f, k in zip(ys, (f0, f1), (1.0, top), strict=True)
        ]
        return hull(ends[0] + ends[1])

    if style == "solid":
        if dice.chance(0.5):
            back = prism(rounded_outline(w * 0.96, tall + 0.05, dice.between(0.05, 0.45) * w), "z", -t / 2, t / 2)
            shear = np.array(
                [[1, 0, 0, 0], [0, 1, 0, (low + high) / 2], [0, (z1 - z0) / (high - low), 1, (z0 + z1) / 2]], float
            )
            return [back.transform(shear), board(0, 0.5, w * 0.3, t)]
        return [board(0, 1, w * 0.48, t, dice.between(0.6, 1.0))]
    post = dice.between(0.034, 0.06)
    posts = [bar((s * (w / 2 - post / 2), low, z0), (s * (w / 2 - post / 2), high, z1), post, post) for s in (-1, 1)]
    if style == "slats":
        n = dice.count(2, 4)
        step = 0.85 / n
        return posts + [
            board(0.15 + (i + 0.15) * step, 0.15 + (i + 0.85) * step, w / 2 - post / 2, 0.038) for i in range(n)
        ]
    if style == "bars":
        n = dice.count(3, 5)
        x = np.linspace(-1, 1, n + 2)[1:-1] * (w / 2 - post)
        bars = [bar((v, low, z0), (v, high - 0.04, at(0.95)), 0.045, 0.038) for v in x]
        return posts + bars + [board(0.8, 1.0, w / 2, max(post, 0.07))]
    if style == "ring":
        return posts + [board(0.75, 1.0, w / 2 - post / 2, post), board(0.2, 0.62, w / 2 - post / 2, 0.06)]
    spine = rod((0, low - 0.02, z0), (0, high - tall * 0.2, at(0.85)), 0.04)
    y, thick = high - tall * dice.between(0.45, 0.7), t * 1.2
    z = at(0.75)
    return [spine, soft_box((-w * 0.46, y, z - thick / 2), (w * 0.46, high, z + thick / 2), thick * 0.45)]


def _arms(dice: Dice, w: float, d: float, y: float, rise: float) -> list[Manifold]:
    style, t = dice.pick("pad", "loop", "panel"), dice.between(0.05, 0.08)
    dice.note(arms=style)
    x, back, front = w / 2 - t / 4, -d / 2 + 0.06, d / 2 * dice.between(0.5, 0.9)
    parts = []
    for s in (-1, 1):
        if style == "panel":
            parts.append(box((s * x - t / 2, y - 0.02, back), (s * x + t / 2, y + rise, front)))
        elif style == "loop":
            parts.append(
                pipe([(s * x, y, front), (s * x, y + rise, front), (s * x, y + rise, back), (s * x, y, back)], 0.019)
            )
        else:
            parts.append(bar((s * x, y, front - 0.1), (s * x, y + rise, front - 0.1), 0.04, 0.05))
            parts.append(bar((s * x, y, back), (s * x, y + rise, back), 0.04, 0.05))
            parts.append(
                soft_box((s * x - t / 2, y + rise - 0.03, back - 0.03), (s * x + t / 2, y + rise + 0.04, front), 0.02)
            )
    return parts


def _upholstered(dice: Dice) -> Manifold:
    """Makes a club chair or a wing chair: cushions between thick arms."""
    w, h, d = frame(dice.ratio(0.7, 1.6), dice.ratio(0.65, 2.0), dice.ratio(0.7, 1.6))
    foot = dice.between(0.05, 0.3) * h
    level, arm, back = (
        foot + (h - foot) * dice.between(0.28, 0.42),
        dice.between(0.1, 0.2) * w,
        dice.between(0.14, 0.26) * d,
    )
    soft = dice.between(0.02, 0.07)
    cushion = level + dice.between(0.04, 0.1)
    dice.note(stand="upholstered")
    dice.length(foot_height=foot, seat_height=cushion, arm_width=arm, back_thickness=back)
    parts = [
        soft_box((-w / 2, foot, -d / 2), (w / 2, level, d / 2), soft),
        soft_box((-w / 2, foot, -d / 2), (w / 2, h, -d / 2 + back), soft * 1.2),
        soft_box((-w / 2 + arm - 0.01, level - 0.04, -d / 2 + 0.05), (w / 2 - arm + 0.01, cushion, d / 2), 0.04),
    ]
    rise = level + (h - level) * dice.between(0.2, 0.6)
    wing = h - 0.03 if dice.chance(0.3) else rise
    if dice.chance(0.85):
        for s in (-1, 1):
            outer, inner = sorted((s * w / 2, s * (w / 2 - arm)))
            parts.append(soft_box((outer, foot, -d / 2), (inner, rise, d / 2), soft))
            parts.append(soft_box((outer, foot, -d / 2), (inner, wing, -d / 2 + back * 1.7), soft))
    swivel = foot > 0.12 and dice.chance(0.4)
    thick = dice.between(0.034, 0.05)
    if swivel:
        parts += legs.star(dice, min(w, d) / 2, foot, 0.07)
    else:
        parts += legs.stubs(dice, w * 0.95, d * 0.95, foot + 0.02, thick)
    return union(parts)
