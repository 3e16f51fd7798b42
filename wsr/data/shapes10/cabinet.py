"""Cabinets: wardrobes, sideboards, chests of drawers, bookcases, display cabinets and hutches."""

from manifold3d import Manifold

from wsr.data.shapes10 import legs
from wsr.data.shapes10.solids import Dice, ball, box, disc, frame, prism, rod, soft_box, tapered_box, union


def make(dice: Dice) -> Manifold:
    w, h, d = frame(dice.ratio(0.5, 2.8), dice.ratio(0.45, 2.5), dice.ratio(0.35, 1.2))
    foot = dice.pick(0.0, 0.06, dice.between(0.06, 0.32) * h)
    dice.length(foot_height=foot)
    if dice.chance(0.15) and h > 0.9 * w:
        return union(_hutch(dice, w, h, d) + _feet(dice, w, d, 0.0))
    front = d / 2 - 0.07
    top = dice.between(0.04, 0.08)
    solid = box((-w / 2 + 0.03, foot, -d / 2), (w / 2 - 0.03, h - top + 0.01, front))
    if dice.chance(0.15):
        bulge = dice.between(0.05, 0.1)
        solid += prism(
            [
                (-w / 2 + 0.03, front - 0.1),
                (w / 2 - 0.03, front - 0.1),
                (w / 2 - 0.03, front - bulge),
                (w * 0.25, front),
                (-w * 0.25, front),
                (-w / 2 + 0.03, front - bulge),
            ],
            "y",
            foot,
            h - top,
        )
    over = dice.pick(0.03, 0.0, -0.02)
    lid = soft_box((-w / 2 + 0.03 - over, h - top, -d / 2), (w / 2 - 0.03 + over, h, front + 0.03), 0.015)
    cells = _cells(dice, (-w / 2 + 0.03, w / 2 - 0.03), (foot, h - top))
    body = _fill(dice, solid, cells, front, d)
    return union([body, lid, *_feet(dice, w - 0.08, d - 0.08, foot)] + _crown(dice, w, h, d))


def _cells(dice: Dice, across: tuple, up: tuple) -> list[tuple]:
    """Splits the front into columns, and each column into fields (x0, x1, y0, y1)."""
    wide, tall = across[1] - across[0], up[1] - up[0]
    columns = max(1, min(4, round(wide / dice.between(0.4, 0.8))))
    even = dice.chance(0.6)
    rows = max(1, min(5, round(tall / dice.between(0.25, 0.9))))
    dice.note(columns=columns, shelves=rows)
    out = []
    for c in range(columns):
        n = rows if even else max(1, min(5, rows + dice.count(-1, 1)))
        x0, x1 = across[0] + wide * c / columns, across[0] + wide * (c + 1) / columns
        out += [(x0, x1, up[0] + tall * r / n, up[0] + tall * (r + 1) / n) for r in range(n)]
    return out


def _fill(dice: Dice, solid: Manifold, cells: list[tuple], front: float, d: float) -> Manifold:
    """Makes a door, a drawer or an open shelf of every field."""
    openness, deep = dice.pick(0.0, 0.0, 0.3, 0.5, 1.0), min(dice.between(0.35, 0.8) * d, d - 0.15)
    handle, wall = dice.pick("bar", "bar", "knob", "slot", "tall", "none"), dice.between(0.03, 0.045)
    panel = dice.pick("raised", "raised", "sunk", "framed")
    dice.note(open_share=openness, handle=handle, panel=panel)
    fronts, cuts, handles = [], [], []
    for x0, x1, y0, y1 in cells:
        low, high = (x0 + wall, y0 + wall), (x1 - wall, y1 - wall)
        if min(high[0] - low[0], high[1] - low[1]) < 0.08:
            continue
        if dice.chance(openness):
            cuts.append(box((*low, front - deep), (*high, front + 0.2)))
            continue
        if panel == "raised":
            fronts.append(soft_box((*low, front - 0.05), (*high, front + 0.035), 0.01))
        elif panel == "sunk":
            cuts.append(box((*low, front - 0.035), (*high, front + 0.2)))
        else:
            fronts.append(box((x0 + 0.015, y0 + 0.015, front - 0.05), (x1 - 0.015, y1 - 0.015, front + 0.03)))
            cuts.append(box((low[0] + 0.04, low[1] + 0.04, front), (high[0] - 0.04, high[1] - 0.04, front + 0.2)))
        face = front - 0.035 if panel == "sunk" else front if panel == "framed" else front + 0.035
        handles += _handle(handle, low, high, face)
    body = union([solid, *fronts])
    return union([body - union(cuts) if cuts else body, *handles])


def _handle(style: str, low: tuple, high: tuple, z: float) -> list[Manifold]:
    x, y = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    wide, tall = high[0] - low[0], high[1] - low[1]
    upright = tall > wide * 1.1
    if upright:
        x = high[0] - 0.06
    if style == "knob":
        return [rod((x, y, z - 0.03), (x, y, z + 0.03), 0.016, count=8), ball((x, y, z + 0.04), 0.03, 10)]
    if style in ("bar", "tall"):
        reach = min(0.12, (tall if upright else wide) * 0.3) * (1.6 if style == "tall" else 1.0)
        dx, dy = (0.0, reach) if upright else (reach, 0.0)
        grip = rod((x - dx, y - dy, z + 0.035), (x + dx, y + dy, z + 0.035), 0.018, count=8)
        return [grip] + [
            rod(
                (x + s * dx * 0.8, y + s * dy * 0.8, z - 0.03),
                (x + s * dx * 0.8, y + s * dy * 0.8, z + 0.035),
                0.016,
                count=8,
            )
            for s in (-1, 1)
        ]
    if style == "slot":
        return [box((x - 0.05, y - 0.015, z - 0.03), (x + 0.05, y + 0.02, z + 0.035))]
    return []


def _feet(dice: Dice, w: float, d: float, foot: float) -> list[Manifold]:
    if foot < 0.01:
        return []
    if foot < 0.1 and dice.chance(0.5):
        return [box((-w * 0.47, 0, -d * 0.47), (w * 0.47, foot + 0.01, d * 0.42))]
    thick = dice.between(0.035, 0.07)
    if foot < 0.2:
        return legs.stubs(dice, w, d - 0.06, foot, thick)
    return legs.corner_legs(dice, w, d - 0.06, foot, thick, dice.pick(0.0, 0.03))


def _crown(dice: Dice, w: float, h: float, d: float) -> list[Manifold]:
    """Makes something on the top: a moulding, a gable, a rail at the back, or an object."""
    style = dice.pick("none", "none", "none", "gable", "rail", "moulding", "vase")
    dice.note(crown=style)
    if style == "gable":
        return [
            prism(
                [(-w * 0.46, h - 0.02), (w * 0.46, h - 0.02), (0, h + dice.between(0.08, 0.18))],
                "z",
                -d / 2 + 0.02,
                -d / 2 + 0.12,
            )
        ]
    if style == "rail":
        return [box((-w * 0.46, h - 0.02, -d / 2), (w * 0.46, h + dice.between(0.06, 0.2), -d / 2 + 0.06))]
    if style == "moulding":
        return [tapered_box((-w * 0.44, h - 0.01, -d / 2), (w * 0.44, h + 0.06, d / 2 - 0.08), (1 / 0.88, 1.0))]
    if style == "vase":
        return [
            disc((w * dice.between(-0.3, 0.3), h + 0.06, -0.02), "y", dice.between(0.06, min(0.14, d * 0.3)), 0.16, 16)
        ]
    return []


def _hutch(dice: Dice, w: float, h: float, d: float) -> list[Manifold]:
    """A deep lower half and a shallow upper one with open shelves."""
    split, back, front = h * dice.between(0.35, 0.55), -d / 2, d / 2 - 0.07
    ahead = back + d * dice.between(0.45, 0.65)
    low = box((-w / 2, 0, back), (w / 2, split, front))
    high = box((-w / 2 + 0.03, split - 0.01, back), (w / 2 - 0.03, h - 0.04, ahead))
    fields = _cells(dice, (-w / 2, w / 2), (0.05, split - 0.06))
    lower = _fill(dice, low, fields, front, d * 0.3)
    n = dice.count(1, 3)
    step = (h - 0.08 - split) / n
    holes = [
        box(
            (-w / 2 + 0.09, split + i * step + 0.03, back + 0.08),
            (w / 2 - 0.09, split + (i + 1) * step - 0.03, ahead + 0.1),
        )
        for i in range(n)
    ]
    return [
        lower,
        high - union(holes),
        soft_box((-w / 2, h - 0.07, back), (w / 2, h, ahead + 0.03), 0.02),
        box((-w / 2 - 0.02, split - 0.05, back), (w / 2 + 0.02, split, front + 0.03)),
    ]
