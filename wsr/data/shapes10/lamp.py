"""Lamps: table, floor, tripod, arc, desk and pendant lamps, and floor lamps with several heads."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10.solids import Dice, ball, disc, frame, pipe, rod, soft_box, turned, union


def make(dice: Dice) -> Manifold:
    build = dice.pick(_table_lamp, _table_lamp, _floor, _floor, _desk, _desk, _pendant, _pendant, _arc, _heads)
    dice.note(kind=build.__name__.strip("_").removesuffix("_lamp"))
    return build(dice)


def _shade(dice: Dice, radius: float, height: float) -> Manifold:
    """Makes a shade whose lower edge is at y = 0: solid, or with a shallow hollow below."""
    style = dice.pick("drum", "cone", "cone", "globe", "bell", "box", "dome")
    dice.note(shade=style)
    dice.length(shade_radius=radius, shade_height=height)
    if style == "globe":
        return ball((0, height / 2, 0), (radius, height / 2, radius), 24)
    if style == "box":
        return soft_box((-radius * 0.85, 0, -radius * 0.85), (radius * 0.85, height, radius * 0.85), 0.03)
    top = radius * {"drum": dice.between(0.9, 1.0), "cone": dice.between(0.35, 0.7), "bell": 0.35, "dome": 0.3}[style]
    middle = {"bell": 0.5 * radius, "dome": 0.88 * radius}.get(style, (radius + top) / 2)
    outline = [(0, 0), (radius, 0), (middle, height * 0.5), (top, height), (0, height)]
    if dice.chance(0.5):
        hollow = [(0, height * 0.3), (radius * 0.4, height * 0.3), (radius - 0.09, 0)]
        outline = hollow + outline[1:]
    return turned(outline, dice.pick(28, 28, 28, 6, 8))


def _foot(dice: Dice, radius: float) -> Manifold:
    style, t = dice.pick("disc", "dome", "square"), dice.between(0.07, 0.15)
    dice.note(foot=style)
    dice.length(foot_radius=radius)
    if style == "square":
        return soft_box((-radius * 0.85, 0, -radius * 0.85), (radius * 0.85, t, radius * 0.85), 0.02)
    if style == "dome":
        return turned([(0, 0), (radius, 0), (radius, t * 0.5), (radius * 0.6, t * 1.3), (0, t * 1.8)])
    return disc((0, t / 2, 0), "y", radius, t)


def _table_lamp(dice: Dice) -> Manifold:
    """Makes a round or square body under a large shade."""
    w, h, _ = frame(1.0, dice.ratio(0.7, 2.2), 1.0)
    shade = dice.between(0.35, 0.55) * h
    gap = dice.between(0.0, 0.1)
    body, r = h - shade - gap, w / 2 * dice.between(0.35, 0.8)
    style = dice.pick("vase", "ball", "column", "block", "stack")
    dice.note(body=style)
    dice.length(body_radius=r)
    if style == "vase":
        f = np.array(
            [(0, 0), (0.6, 0), (0.65, 0.06), (0.85, 0.2), (1.0, 0.45), (0.8, 0.7), (0.3, 0.88), (0.22, 0.96), (0, 0.96)]
        )
        parts = [turned(f * (r, body))]
    elif style == "ball":
        parts = [ball((0, body * 0.45, 0), (r, body * 0.42, r), 24), disc((0, 0.04, 0), "y", r * 0.7, 0.08)]
    elif style == "column":
        parts = [_foot(dice, r), rod((0, 0.02, 0), (0, body * 0.9, 0), r * 0.5, r * dice.between(0.3, 0.5), 16)]
    elif style == "block":
        parts = [soft_box((-r * 0.8, 0, -r * 0.6), (r * 0.8, body * 0.85, r * 0.6), 0.04)]
    else:
        n = dice.count(2, 4)
        tall = body * 0.9 / n
        parts = [
            ball((0, tall * (i + 0.5), 0), (r * (1 - 0.15 * i), tall * 0.62, r * (1 - 0.15 * i)), 20) for i in range(n)
        ]
        parts.append(disc((0, 0.04, 0), "y", r * 0.7, 0.08))
    parts.append(rod((0, body * 0.5, 0), (0, h - shade * 0.5, 0), dice.between(0.0165, 0.02)))
    parts.append(_shade(dice, w / 2, shade).translate((0.0, h - shade, 0.0)))
    if dice.chance(0.3):
        parts.append(ball((0, h + 0.02, 0), 0.04, 12))
    return union(parts)


def _floor(dice: Dice) -> Manifold:
    """Makes a floor lamp: a pole or a tripod with a shade."""
    w, h, _ = frame(1.0, dice.ratio(1.2, 2.7), 1.0)
    shade = dice.between(0.3, 0.5) * h
    low, r = h - shade, dice.between(0.0155, 0.0195)
    parts = [_shade(dice, w / 2, shade).translate((0.0, low, 0.0))]
    if dice.chance(0.4):
        spread, joint = w / 2 * dice.between(0.7, 1.0), low * dice.between(0.75, 1.0)
        n = dice.count(3, 4)
        parts.append(rod((0, joint - 0.05, 0), (0, low + shade * 0.5, 0), 0.035))
        for i in range(n):
            angle = 2 * np.pi * (i + 0.25) / n
            parts.append(rod((0, joint, 0), (spread * np.cos(angle), 0, spread * np.sin(angle)), r * 1.4, r * 0.9, 10))
        if dice.chance(0.5):
            parts.append(disc((0, joint * 0.45, 0), "y", spread * 0.62, 0.06))
        return union(parts)
    parts += [_foot(dice, w / 2 * dice.between(0.6, 0.95)), rod((0, 0.02, 0), (0, low + shade * 0.5, 0), r)]
    if dice.chance(0.4):
        parts += [ball((0, low * f, 0), dice.between(0.04, 0.08), 14) for f in dice.pick((0.5,), (0.3, 0.6), (0.8,))]
    if dice.chance(0.3):
        y = low * dice.between(0.3, 0.6)
        parts.append(disc((0, y, 0), "y", w * 0.38, 0.07))
    return union(parts)


def _head(dice: Dice, at: np.ndarray, radius: float, length: float, tilt: float) -> Manifold:
    """Makes the head of a spotlight, which opens towards +x and down."""
    style = dice.pick("cone", "can", "globe", "bar")
    dice.note(head=style)
    if style == "globe":
        return ball(at, radius, 20)
    if style == "bar":
        return (
            soft_box((-length * 0.3, -0.06, -radius * 0.6), (length, 0.06, radius * 0.6), 0.03)
            .rotate((0.0, 0.0, tilt * 0.4))
            .translate(tuple(at))
        )
    tip = rod(
        (-length * 0.35, 0, 0),
        (length * 0.65, 0, 0),
        radius * (0.4 if style == "cone" else 0.8),
        radius * (1.0 if style == "cone" else 0.8),
        20,
    )
    return tip.rotate((0.0, 0.0, tilt)).translate(tuple(at))


def _desk(dice: Dice) -> Manifold:
    """Makes a desk lamp: a jointed arm on a heavy foot."""
    w, h, d = frame(dice.ratio(0.8, 2.2), dice.ratio(0.7, 1.6), dice.ratio(0.5, 1.2))
    foot, r = d / 2, dice.between(0.016, 0.0215)
    base = -w / 2 + foot
    low = np.array([base, 0.04, 0.0])
    elbow = np.array([-w / 2 + dice.between(0.05, 0.3) * w, h * dice.between(0.5, 0.85), 0.0])
    head = np.array([w / 2 - 0.3 * dice.between(0.8, 1.2), h * dice.between(0.7, 0.95), 0.0])
    size = d / 2 * dice.between(0.75, 1.0)
    parts = [_foot(dice, foot).translate((base, 0.0, 0.0)), pipe([low, elbow, head], r)]
    if dice.chance(0.6):
        parts += [ball(p, r * 2, 12) for p in (elbow, low + (0, 0.05, 0))]
    if dice.chance(0.3):
        parts.append(pipe([low + (0, 0, 2.4 * r), elbow + (0, 0, 2.4 * r)], r))
        parts.append(rod(elbow, elbow + (0, 0, 2.6 * r), r))
    parts.append(_head(dice, head, size, size * dice.between(1.2, 1.8), -dice.between(30, 80)))
    return union(parts)


def _pendant(dice: Dice) -> Manifold:
    """Makes a pendant lamp: a ceiling plate, cords, and one to four shades in a row."""
    n = dice.pick(1, 1, 2, 3, 4)
    dice.note(shades=n)
    if n == 1:
        w, h, _ = frame(1.0, dice.ratio(0.7, 2.2), 1.0)
        tall, r = dice.between(0.35, 0.6) * h, w / 2
        parts = [
            disc((0, h - 0.04, 0), "y", w * dice.between(0.15, 0.3), 0.08),
            rod((0, tall * 0.5, 0), (0, h - 0.04, 0), dice.between(0.016, 0.0195)),
        ]
        return union([*parts, _shade(dice, r, tall)])
    w, h, d = frame(n * dice.between(0.8, 1.1), dice.ratio(0.7, 1.8), dice.ratio(0.7, 1.1))
    r = min(w / n / 2 * 0.92, d / 2)
    plate, cord = dice.between(0.05, 0.08), dice.between(0.016, 0.0195)
    tall, vary = dice.between(0.35, 0.6) * h, dice.chance(0.5)
    parts = [soft_box((-w * 0.46, h - plate, -0.09), (w * 0.46, h, 0.09), 0.02)]
    state = dice.rng.bit_generator.state
    for i in range(n):
        dice.rng.bit_generator.state = state  # the same draws again: all shades of a lamp are alike
        x = (i - (n - 1) / 2) * w / n
        y = (h - plate - tall) * 0.5 * (i % 2) if vary else 0.0
        parts += [rod((x, y + tall * 0.5, 0), (x, h - 0.02, 0), cord), _shade(dice, r, tall).translate((x, y, 0.0))]
    return union(parts)


def _arc(dice: Dice) -> Manifold:
    """Makes an arc lamp: a bow from a heavy foot to a hanging shade."""
    w, h, d = frame(dice.ratio(1.0, 2.4), dice.ratio(0.8, 1.8), dice.ratio(0.55, 1.1))
    foot, r, size = d / 2 * 0.9, dice.between(0.016, 0.0195), d / 2
    left, right = -w / 2 + foot, w / 2 - size
    angle = np.linspace(np.pi, np.pi * 0.02, 9)
    rise = h * dice.between(0.35, 0.6)
    bow = np.stack(
        [(left + right) / 2 + (right - left) / 2 * np.cos(angle), h - 0.03 - rise + rise * np.sin(angle), 0 * angle], -1
    )
    tall = min(dice.between(0.35, 0.6) * h, (h - rise) * 0.8)
    end = bow[-1]
    parts = [_foot(dice, foot).translate((left, 0.0, 0.0)), pipe([(left, 0.02, 0), *bow], r, 8)]
    parts.append(_shade(dice, size, tall).translate((float(end[0]), float(end[1]) - tall + 0.06, 0.0)))
    return union(parts)


def _heads(dice: Dice) -> Manifold:
    """Makes a pole with arms, each of which holds a globe or a cup."""
    w, h, _ = frame(1.0, dice.ratio(1.0, 2.4), 1.0)
    n, r = dice.count(2, 5), dice.between(0.016, 0.0195)
    dice.note(shades=n)
    size = w * dice.between(0.16, 0.23)
    parts = [_foot(dice, w * dice.between(0.28, 0.45)), rod((0, 0.02, 0), (0, h - size, 0), r * 1.3)]
    cups, spiral = dice.chance(0.4), dice.chance(0.4)
    for i in range(n):
        angle = 2 * np.pi * (i + 0.1) / n
        out = np.array([np.cos(angle), 0, np.sin(angle)]) * (w / 2 - size)
        y = h - size - (h * 0.5 * i / n if spiral else 0.0)
        joint, end = np.array([0, y - 0.25 * h * 0.5, 0]), out + (0, y, 0)
        parts.append(rod(joint, end, r, count=10))
        if cups:
            parts.append(rod(end - (0, size * 0.7, 0), end + (0, size, 0), size * 0.5, size, 16))
        else:
            parts.append(ball(end, size, 16))
    if dice.chance(0.4):
        parts.append(ball((0, h - size, 0), size * 1.2, 16))
    return union(parts)
