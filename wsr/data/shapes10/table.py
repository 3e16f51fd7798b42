"""Tables: dining, coffee, bar, desk and console tables, with every kind of stand, shelves and drawers."""

from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import Dice, box, disc, frame, prism, rod, rounded_outline, soft_box, tapered_box, union


def make(dice: Dice) -> Manifold:
    kind = dice.pick("plain", "plain", "plain", "desk", "shelf", "drum", "drum")
    w, h, d = frame(dice.ratio(0.6, 2.8), dice.ratio(0.7 if kind == "desk" else 0.4, 2.2), dice.ratio(0.55, 1.3))
    top = dice.between(0.09, 0.18)
    level = h - top
    oval = kind in ("plain", "drum") and dice.chance(0.4)
    outline = "oval" if oval else dice.pick("square", "soft", *(() if kind == "desk" else ("rounded", "cut", "bevel")))
    dice.note(kind=kind, outline=outline)
    dice.length(top_width=w, top_depth=d, top_height=h, top_thickness=top)
    parts = [_top(dice, outline, w, d, level, top)]
    if kind == "desk":
        return union(parts + _desk(dice, w, d, level))
    if kind == "drum":
        return union(parts + _drum(dice, w, d, level, oval))
    # legs cannot stand below corners that are cut away
    room = {"oval": 0.62, "rounded": 0.82, "cut": 0.78, "bevel": 0.88}.get(outline, dice.between(0.82, 0.98))
    parts += _stand(dice, w * room, d * room, level + top * 0.25, w / d, oval)
    if not oval and dice.chance(0.6):
        deep = min(dice.between(0.06, 0.16), level * 0.3)
        parts.append(
            box(
                (-w * room / 2 + 0.02, level - deep, -d * room / 2 + 0.02),
                (w * room / 2 - 0.02, level + 0.01, d * room / 2 - 0.02),
            )
        )
    if kind == "shelf":
        y, t = level * dice.between(0.15, 0.45), dice.between(0.06, 0.1)
        dice.length(shelf_height=y)
        parts.append(soft_box((-w * room * 0.49, y, -d * room * 0.49), (w * room * 0.49, y + t, d * room * 0.49), 0.01))
        parts += [
            box((s * w * room * 0.49 - 0.03, y, -0.05), (s * w * room * 0.49 + 0.03, level + 0.01, 0.05))
            for s in (-1, 1)
        ]
    return union(parts)


def _top(dice: Dice, style: str, w: float, d: float, y: float, t: float) -> Manifold:
    if style == "oval":
        return disc((0, y + t / 2, 0), "y", (w / 2, d / 2), t, dice.pick(32, 32, 8, 6))
    if style == "soft":
        return soft_box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2), t * 0.4)
    if style == "bevel":
        return tapered_box((-w * 0.46, y, -d * 0.46), (w * 0.46, y + t, d * 0.46), (1 / 0.92, 1 / 0.92))
    if style in ("rounded", "cut"):
        return prism(
            rounded_outline(w, d, dice.between(0.08, 0.2) * min(w, d), 2.0 if style == "rounded" else 1.0),
            "y",
            y,
            y + t,
        )
    return box((-w / 2, y, -d / 2), (w / 2, y + t, d / 2))


def _stand(dice: Dice, w: float, d: float, height: float, long: float, oval: bool) -> list[Manifold]:
    styles = (
        ["legs", "legs", "pedestal", "star"]
        if oval or long < 1.3
        else ["legs", "legs", "panels", "crossed", "sled", "two"]
    )
    style, thick = (
        dice.pick(*styles),
        dice.pick(dice.between(0.034, 0.04), dice.between(0.05, 0.12), dice.between(0.05, 0.12)),
    )
    dice.note(stand=style)
    dice.length(leg_thickness=thick)
    if style == "pedestal":
        return legs.pedestal(dice, w, d, height, max(0.12, thick * 1.6))
    if style == "star":
        return legs.star(dice, min(w, d) * 0.55, height, max(0.1, thick))
    if style == "panels":
        return legs.panels(dice, w, d, height, thick)
    if style == "crossed":
        return legs.crossed(dice, w, d, height, thick)
    if style == "sled":
        return legs.sled(dice, w, d, height, min(thick, 0.06))
    if style == "two":
        parts, foot = [], min(0.06, height * 0.2)
        for s in (-1, 1):
            parts.append(rod((s * w * 0.36, 0.01, 0), (s * w * 0.36, height + 0.01, 0), max(thick / 2, 0.04)))
            parts.append(soft_box((s * w * 0.36 - 0.06, 0, -d / 2), (s * w * 0.36 + 0.06, foot, d / 2), 0.02))
        return parts
    splay = 0.0 if oval else dice.pick(0.0, 0.0, 0.06, 0.12)
    return legs.corner_legs(dice, w, d, height, thick, min(splay, w / 6, d / 6))


def _desk(dice: Dice, w: float, d: float, level: float) -> list[Manifold]:
    """Makes the parts below a desk's top: blocks of drawers on one side or both, and a wall on a side without."""
    sides = dice.pick((-1,), (1,), (-1, 1))
    wide, foot = dice.between(0.22, 0.34) * w, dice.pick(0.0, 0.06)
    dice.length(drawer_width=wide)
    parts = []
    for s in (-1, 1):
        x0, x1 = sorted((s * w * 0.48, s * (w * 0.48 - (wide if s in sides else 0.08))))
        if s not in sides:
            parts.append(box((x0, 0, -d * 0.46), (x1, level + 0.01, d * 0.46)))
            continue
        parts.append(box((x0, foot, -d * 0.46), (x1, level + 0.01, d * 0.44)))
        if foot:
            parts += [
                box((x, 0, z), (x + 0.05, foot + 0.01, z + 0.05))
                for x in (x0, x1 - 0.05)
                for z in (-d * 0.45, d * 0.44 - 0.05)
            ]
        n = min(dice.count(1, 4), max(1, int((level - foot) / 0.12)))
        step = (level - foot) / n
        for i in range(n):
            y = foot + i * step
            parts.append(box((x0 + 0.02, y + 0.02, 0), (x1 - 0.02, y + step - 0.02, d * 0.44 + 0.03)))
            parts.append(
                rod(
                    ((x0 + x1) / 2 - wide * 0.2, y + step / 2, d * 0.44 + 0.04),
                    ((x0 + x1) / 2 + wide * 0.2, y + step / 2, d * 0.44 + 0.04),
                    0.016,
                    count=8,
                )
            )
    if dice.chance(0.6):
        parts.append(
            box((-w * 0.46, level * dice.between(0.3, 0.6), -d * 0.44), (w * 0.46, level + 0.01, -d * 0.44 + 0.06))
        )
    return parts


def _drum(dice: Dice, w: float, d: float, level: float, oval: bool) -> list[Manifold]:
    """Makes a massive body under the top, which stands on the floor or on feet."""
    size, lean = dice.between(0.45, 0.85), dice.between(0.7, 1.25)
    dice.note(drum_share=size)
    lean = min(lean, 0.95 / size)
    foot = dice.pick(0.0, 0.06, 0.1)
    if oval:
        body = disc((0, (level + foot) / 2, 0), "y", (w / 2 * size, d / 2 * size), level - foot + 0.02)
    else:
        body = tapered_box(
            (-w / 2 * size, foot, -d / 2 * size), (w / 2 * size, level + 0.01, d / 2 * size), (lean, lean)
        )
    room = 0.65 if oval else 0.95
    return [body] + (legs.stubs(dice, w * size * room, d * size * room, foot + 0.02, 0.06) if foot else [])
