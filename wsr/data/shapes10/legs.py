"""Legs and stands of furniture. Each reaches from y = 0 to a little above `height`, within width and depth."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10.solids import Dice, ball, bar, box, disc, pipe, rod, soft_box, tapered_box, turned

BITE = 0.012  # parts overlap by this length, so that their union is one solid


def corner_legs(
    dice: Dice, width: float, depth: float, height: float, thick: float, splay: float = 0.0
) -> list[Manifold]:
    """Four legs, square or round, straight, tapered or splayed, perhaps with a stretcher."""
    style, taper = dice.pick("square", "round", "turned"), dice.pick(1.0, 1.0, 0.75)
    taper = max(taper, 0.03 / thick)
    x, z = width / 2 - thick / 2, depth / 2 - thick / 2
    parts = []
    for sx, sz in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        foot, head = (sx * x, 0.0, sz * z), (sx * (x - splay), height + BITE, sz * (z - splay))
        if style == "square":
            parts.append(bar(head, foot, thick, thick, taper))
        else:
            parts.append(rod(head, foot, thick / 2, thick / 2 * taper))
        if style == "turned" and thick > 0.05:
            parts.append(ball(np.add(np.multiply(foot, 0.3), np.multiply(head, 0.7)), thick * 0.75, 12))
    if dice.chance(0.45) and height > 0.3:
        f = dice.between(0.2, 0.4)
        parts += _stretchers(dice, x - splay * f, z - splay * f, height * f, max(0.03, thick * 0.6))
    return parts


def _stretchers(dice: Dice, x: float, z: float, y: float, thick: float) -> list[Manifold]:
    style, r = dice.pick("box", "h", "cross", "sides"), thick / 2
    sides = [rod((s * x, y, -z), (s * x, y, z), r, count=8) for s in (-1, 1)]
    if style == "box":
        return sides + [rod((-x, y, s * z), (x, y, s * z), r, count=8) for s in (-1, 1)]
    if style == "h":
        return sides + [rod((-x, y, 0), (x, y, 0), r, count=8)]
    if style == "cross":
        return [rod((-x, y, -z), (x, y, z), r, count=8), rod((-x, y, z), (x, y, -z), r, count=8)]
    return sides


def pedestal(dice: Dice, width: float, depth: float, height: float, thick: float) -> list[Manifold]:
    """One column on a plate, a bell or a cross."""
    reach = min(width, depth) / 2
    low = min(dice.between(0.05, 0.09), height / 3)
    style, r = dice.pick("plate", "bell", "cross", "square"), thick / 2
    column = rod((0, 0.01, 0), (0, height + BITE, 0), r * dice.between(1.0, 1.5), r, 16)
    if style == "plate":
        return [column, disc((0, low / 2, 0), "y", reach * 0.8, low)]
    if style == "bell":
        foot = [
            (0, 0),
            (reach * 0.8, 0),
            (reach * 0.8, 0.04),
            (reach * 0.35, height * 0.25),
            (r, height * 0.5),
            (0, height * 0.5),
        ]
        return [column, turned(foot)]
    if style == "square":
        return [column, soft_box((-reach * 0.75, 0, -reach * 0.75), (reach * 0.75, low, reach * 0.75), 0.02)]
    beam = max(0.05, thick * 0.7)
    x, z = width * 0.42, depth * 0.42
    return [column, box((-x, 0, -beam / 2), (x, low, beam / 2)), box((-beam / 2, 0, -z), (beam / 2, low, z))]


def star(dice: Dice, reach: float, height: float, thick: float) -> list[Manifold]:
    """A column on three to six arms with castors or bare feet."""
    count, castor = dice.count(3, 6), dice.pick(0.0, 0.035, 0.05)
    y = castor * 1.6 + 0.02
    rise = min(dice.between(0.02, 0.1), height * 0.3)
    parts = [
        rod((0, y, 0), (0, height + BITE, 0), thick / 2, count=14),
        rod((0, y - 0.01, 0), (0, y + rise + 0.05, 0), thick * 0.8, thick * 0.6),
    ]
    start = dice.between(0, 1)
    for i in range(count):
        angle = 2 * np.pi * (i + start) / count
        tip = np.array([np.cos(angle), 0.0, np.sin(angle)]) * (reach - castor)
        parts.append(rod((0, y + rise, 0), tip + (0, y, 0), 0.03, 0.018, 8))
        if castor:
            parts.append(ball(tip + (0, castor, 0), castor, 10))
    return parts


def panels(dice: Dice, width: float, depth: float, height: float, thick: float) -> list[Manifold]:
    """Two side walls, perhaps leaning, perhaps with a board between them."""
    thick, lean = max(thick, 0.07), dice.pick(1.0, 1.0, 0.8)
    inset = dice.between(0.0, 0.12) * width
    parts = []
    for s in (-1, 1):
        x = s * (width / 2 - thick / 2 - inset)
        parts.append(
            tapered_box((x - thick / 2, 0, -depth / 2), (x + thick / 2, height + BITE, depth / 2), (1.0, lean))
        )
    if dice.chance(0.6) and height > 0.2:
        y, t = height * dice.between(0.3, 0.6), dice.between(0.035, 0.06)
        parts.append(
            box(
                (-width / 2 + inset + thick / 2, y, -t), (width / 2 - inset - thick / 2, y + max(0.06, height * 0.2), t)
            )
        )
    return parts


def crossed(dice: Dice, width: float, depth: float, height: float, thick: float) -> list[Manifold]:
    """Two X-shaped trestles and a rail between them."""
    inset, thick = dice.between(0.03, 0.15) * width, max(thick, 0.045)
    x, z = width / 2 - thick / 2 - inset, depth / 2 - thick / 2
    parts = []
    for s in (-1, 1):
        parts += [bar((s * x, 0, t * z), (s * x, height + BITE, -t * z), thick, thick) for t in (-1, 1)]
    return parts + [rod((-x, height / 2, 0), (x, height / 2, 0), max(0.018, thick * 0.4), count=10)]


def sled(dice: Dice, width: float, depth: float, height: float, thick: float) -> list[Manifold]:
    """Two bent runners of one bar each."""
    r, inset = thick / 2, dice.between(0.0, 0.06)
    x, z = width / 2 - r - inset, depth / 2 - r
    top = height + BITE
    parts = [pipe([(s * x, top, -z), (s * x, r, -z), (s * x, r, z), (s * x, top, z)], r) for s in (-1, 1)]
    if dice.chance(0.5):
        parts.append(rod((-x, r, -z), (x, r, -z), r, count=10))
    return parts


def stubs(dice: Dice, width: float, depth: float, height: float, thick: float) -> list[Manifold]:
    """Short feet under something heavy; long things get six."""
    style = dice.pick("cone", "block", "ball") if height < 0.14 else dice.pick("cone", "block")
    columns = (-1, 0, 1) if width > 1.3 and dice.chance(0.5) else (-1, 1)
    parts = []
    for sx in columns:
        for sz in (-1, 1):
            x, z = sx * (width / 2 - thick), sz * (depth / 2 - thick)
            if style == "cone":
                parts.append(rod((x, height + BITE, z), (x, 0, z), thick / 2, max(thick * 0.3, 0.016), 10))
            elif style == "block":
                parts.append(bar((x, 0, z), (x, height + BITE, z), thick, thick))
            else:
                parts.append(ball((x, height / 2, z), (thick / 2, height / 2 + BITE, thick / 2), 12))
    return parts
