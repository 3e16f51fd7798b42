"""Loudspeakers: boxes, bars, panels, round and egg-shaped ones, stacks and horns, on feet or stands."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import (
    Dice,
    ball,
    box,
    disc,
    frame,
    hull,
    pipe,
    prism,
    rod,
    rounded_outline,
    soft_box,
    turned,
    union,
)


def make(dice: Dice) -> Manifold:
    kind = dice.pick("box", "box", "box", "bar", "round", "egg", "stack", "stand", "stand", "panel", "panel")
    if kind == "bar":
        w, h, d = frame(dice.ratio(1.4, 3.0), dice.ratio(0.4, 0.9), dice.ratio(0.35, 1.1))
    elif kind in ("round", "egg"):
        w, h, d = frame(1.0, dice.ratio(0.6, 2.0), dice.ratio(0.9, 1.1))
    elif kind == "panel":
        w, h, d = frame(dice.ratio(0.6, 2.0), dice.ratio(0.8, 2.2), dice.ratio(0.2, 0.4))
    else:
        w, h, d = frame(dice.ratio(0.5, 1.7), dice.ratio(0.65, 2.4), dice.ratio(0.4, 1.4))
    foot = h * dice.between(0.3, 0.6) if kind == "stand" else dice.pick(0.0, dice.between(0.05, 0.12))
    dice.note(kind=kind)
    dice.length(box_width=w, box_height=h - foot, box_depth=d, foot_height=foot)
    if kind in ("round", "egg"):
        return _round(dice, kind, w, h, d, foot)
    cone = dice.between(0.02, 0.06)
    size = (w, h - foot, d - cone)
    if kind == "stack":
        body, footing = _stack(dice, size), 0.6 * w
    else:
        body, footing = _cabinet(dice, size)
        body = _drivers(dice, body, _places(dice, w, h - foot), d / 2 - cone, d)
    parts = [body.translate((0.0, foot, 0.0)), *_stand(dice, kind, footing, d - cone, foot)]
    if kind != "stack" and dice.chance(0.25):
        z, y = w * 0.28, h
        parts.append(pipe([(-z, y - 0.04, 0), (-z, y + 0.06, 0), (z, y + 0.06, 0), (z, y - 0.04, 0)], 0.02))
    return union(parts)


def _cabinet(dice: Dice, size: tuple) -> tuple[Manifold, float]:
    """Makes the box with its flat front at z = depth / 2, and returns how wide its feet may stand."""
    style = dice.pick("box", "box", "soft", "round", "wedge", "narrow", "lean", "boat")
    dice.note(case=style)
    return _case(dice, style, *size), size[0] * (0.6 if style in ("round", "wedge", "boat") else 1.0)


def _case(dice: Dice, style: str, w: float, h: float, d: float) -> Manifold:
    if style == "soft":
        return soft_box((-w / 2, 0, -d / 2), (w / 2, h, d / 2 + 0.02), 0.05).trim_by_plane((0.0, 0.0, -1.0), -d / 2)
    if style == "round":
        return prism(rounded_outline(w, h, dice.between(0.1, 0.3) * min(w, h)), "z", -d / 2, d / 2).translate(
            (0.0, h / 2, 0.0)
        )
    if style == "wedge":
        return prism([(-w / 2, d / 2), (w / 2, d / 2), (w * 0.28, -d / 2), (-w * 0.28, -d / 2)], "y", 0, h)
    if style == "boat":
        z = np.linspace(d / 2, -d / 2, 6)
        x = w / 2 * np.sqrt(1 - 0.75 * ((d / 2 - z) / d) ** 2)
        return prism([*zip(x, z, strict=True), *zip(-x[::-1], z[::-1], strict=True)], "y", 0, h)
    if style == "narrow":
        k = dice.between(0.6, 0.9)
        return hull([(s * w / 2 * f, y, z) for y, f in ((0, 1.0), (h, k)) for s in (-1, 1) for z in (-d / 2, d / 2)])
    if style == "lean":
        return hull(
            [
                (s * w / 2, y, z)
                for s in (-1, 1)
                for y, z in ((0, -d / 2), (0, d / 2), (h, d / 2), (h, -d / 2 + d * 0.3))
            ]
        )
    return box((-w / 2, 0, -d / 2), (w / 2, h, d / 2))


def _places(dice: Dice, w: float, h: float) -> list[tuple[float, float, float, str]]:
    """Returns the positions of drivers on the front as (x, y, radius, kind), in one column, or in one row on a wide
    box."""
    wide = w > h * 1.15
    long, short = (w, h) if wide else (h, w)
    big = min(short * 0.4, long * 0.3)
    sizes = dice.pick(
        (1.0,), (1.0, 0.45), (1.0, 0.45), (1.0, 0.7, 0.4), (0.8, 0.8, 0.4), (0.8, 0.35, 0.8), (0.7, 0.7, 0.7)
    )
    radii = [max(0.06, big * s) for s in sizes]
    gap = (long - 2 * sum(radii)) / (len(radii) + 1)
    if gap < 0.02:
        radii = [r * (long - 0.02 * (len(radii) + 1)) / (2 * sum(radii)) for r in radii]
        gap = 0.02
    out, at = [], gap
    for i, r in enumerate(radii):
        centre = at + r
        at += 2 * r + gap
        kind = "dome" if r < 0.1 and i else dice.pick("cone", "cone", "plug")
        out.append((centre - w / 2, h / 2, r, kind) if wide else (0.0, centre, r, kind))
    if dice.chance(0.5):
        r = min(0.07, short * 0.1)
        x, y = (w / 2 - r * 1.6, r * 1.6) if dice.chance(0.5) else (-w / 2 + r * 1.6, h - r * 1.6)
        if all(np.hypot(x - a, y - b) > r + c + 0.02 for a, b, c, _ in out):
            out.append((x, y, r, "port"))
    return out


def _drivers(dice: Dice, body: Manifold, places: list, front: float, depth: float) -> Manifold:
    """Cuts the cones and ports, and adds a rim around each cone and a cap in it."""
    rim, grille = dice.pick(0.0, 0.02, 0.035), dice.chance(0.12)
    ports = sum(kind == "port" for *_, kind in places)
    dice.note(drivers=len(places) - ports, ports=ports)
    dice.length(driver_radius=max(r for _, _, r, _ in places))
    rims, cuts, caps = [], [], []
    for x, y, r, kind in places:
        sink = min(r * 0.55, depth * 0.3)
        if kind == "port":
            cuts.append(rod((x, y, front + 0.1), (x, y, front - 0.2), r, count=16))
        elif kind == "dome":
            caps.append(ball((x, y, front - 0.01), (r * 0.75, r * 0.75, 0.05), 16))
        elif grille:
            caps.append(rod((x, y, front - 0.02), (x, y, front + 0.045), r, r * 0.92, 24))
        else:
            if rim:
                rims.append(disc((x, y, front), "z", r, rim * 2))
            inner, cap = r - 0.03, r * (0.35 if kind == "cone" else 0.22)
            cuts.append(rod((x, y, front + 0.06), (x, y, front - sink), inner * (1 + 0.033 / sink), inner * 0.4, 24))
            if kind == "cone":
                caps.append(ball((x, y, front - sink), (cap, cap, min(sink * 0.7, cap)), 16))
            else:
                caps.append(rod((x, y, front - sink - 0.02), (x, y, front + 0.01), cap, 0.02, 14))
    solid = union([body, *rims])
    return union([solid - union(cuts) if cuts else solid, *caps])


def _stack(dice: Dice, size: tuple) -> Manifold:
    """Two boxes on each other, each with its own drivers."""
    w, h, d = size
    split, k = h * dice.between(0.45, 0.65), dice.between(0.6, 0.95)
    low = _drivers(dice, _cabinet(dice, (w, split, d))[0], _places(dice, w, split), d / 2, d)
    wide, deep, tall = w * k, d * dice.between(0.7, 0.95), h - split
    if dice.chance(0.35):
        # a horn: a trumpet that opens to the front
        r = min(wide, tall) * 0.48
        horn = rod((0, tall * 0.5, -deep / 2), (0, tall * 0.5, deep / 2), r * 0.35, r, 24)
        mouth = rod((0, tall * 0.5, -deep * 0.2), (0, tall * 0.5, deep / 2 + 0.01), r * 0.15, r * 0.85, 24)
        high = union([horn - mouth, box((-r * 0.4, -0.02, -deep * 0.35), (r * 0.4, tall * 0.4, deep * 0.1))])
    else:
        high = _drivers(dice, _cabinet(dice, (wide, tall, deep))[0], _places(dice, wide, tall), deep / 2, deep)
    post = dice.pick(0.0, 0.05)
    if post:
        high = union(
            [
                high.scale((1.0, (tall - post) / tall, 1.0)).translate((0.0, post, 0.0)),
                box((-wide * 0.3, -0.02, -deep * 0.3), (wide * 0.3, post + 0.02, deep * 0.2)),
            ]
        )
    return union([low, high.translate((0.0, split - 0.01, (d - deep) / 2 * dice.pick(-1, 0, 1)))])


def _round(dice: Dice, kind: str, w: float, h: float, d: float, foot: float) -> Manifold:
    tall, r = h - foot, min(w, d) / 2
    if kind == "round":
        top = r * dice.between(0.7, 1.0)
        body = turned(
            [(0, 0), (r * 0.95, 0), (r, 0.04), (top, tall - 0.06), (top * 0.9, tall), (0, tall)],
            dice.pick(28, 28, 8, 6),
        )
    else:
        body = ball((0, tall / 2, 0), (w / 2, tall / 2, d / 2), 28)
    sizes, front = dice.pick((0.55,), (0.5, 0.3)), r * (0.6 if kind == "round" else 0.72)
    body = body.trim_by_plane((0.0, 0.0, -1.0), -front)
    places, y = [], tall * (0.5 if len(sizes) == 1 else 0.38)
    for s in sizes:
        size = min(s * r * 0.9, tall * 0.2)
        places.append((0.0, y, size, "cone" if s > 0.4 else "dome"))
        y += tall * 0.33
    body = _drivers(dice, body, places, front, d)
    if dice.chance(0.4):
        band = r * 1.05
        body += disc((0, tall * dice.between(0.08, 0.2), 0), "y", (band * 0.98, band * 0.98), 0.07)
    if kind == "egg":
        feet = [rod((0, 0, 0), (0, foot + tall * 0.12, 0), r * 0.6, r * 0.3, 20)]
    else:
        feet = _stand(dice, "box", r * 1.2, r * 1.2, foot)
    return union([body.translate((0.0, foot, 0.0)), *feet])


def _stand(dice: Dice, kind: str, w: float, d: float, foot: float) -> list[Manifold]:
    if foot < 0.01:
        return []
    if kind != "stand":
        style = dice.pick("stubs", "plinth", "stubs")
        return (
            legs.stubs(dice, w, d, foot, dice.between(0.04, 0.09))
            if style == "stubs"
            else [box((-w * 0.4, 0, -d * 0.4), (w * 0.4, foot + 0.02, d * 0.4))]
        )
    style = dice.pick("pole", "legs", "tripod", "twin")
    if style == "legs":
        return legs.corner_legs(dice, w, d, foot, dice.between(0.04, 0.07), dice.pick(0.0, 0.05))
    if style == "tripod":
        hub = [rod((0, foot * 0.2, 0), (0, foot + 0.02, 0), 0.03)]
        spread = max(w, d) * 0.48
        angle = np.pi / 2 + np.arange(3) * 2 * np.pi / 3
        return hub + [
            rod((0, foot * 0.75, 0), (spread * np.cos(a), 0, spread * np.sin(a)), 0.022, count=8) for a in angle
        ]
    x = (0.0,) if style == "pole" else (-w * 0.22, w * 0.22)
    r = dice.between(0.03, 0.07)
    plate = soft_box((-w * 0.45, 0, -d * 0.42), (w * 0.45, 0.06, d * 0.42), 0.015)
    return [plate] + [rod((v, 0.03, 0), (v, foot + 0.02, 0), r) for v in x]
