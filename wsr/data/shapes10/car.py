"""Cars: saloons, hatchbacks, estates, sports cars, convertibles, jeeps, pick-ups, vans, buses and lorries."""

import numpy as np
from manifold3d import Manifold

from wsr.data.shapes10.solids import Dice, both, box, disc, frame, hull, pipe, prism, rod, soft_box, tapered_box, union

# where along the length the glass begins and ends, at its foot and at the roof (0 is the tail, 1 the nose)
_CABINS = {
    "saloon": (0.13, 0.30, 0.58, 0.74),
    "hatch": (0.02, 0.12, 0.55, 0.74),
    "estate": (0.01, 0.06, 0.60, 0.76),
    "sports": (0.10, 0.34, 0.52, 0.70),
    "jeep": (0.02, 0.04, 0.56, 0.64),
    "van": (0.01, 0.03, 0.72, 0.90),
    "bus": (0.01, 0.02, 0.94, 0.99),
    "pickup": (0.38, 0.42, 0.60, 0.72),
    "open": (0.24, 0.30, 0.56, 0.68),
}
_TALL = {
    "saloon": (0.55, 0.8),
    "hatch": (0.6, 0.95),
    "estate": (0.6, 0.85),
    "sports": (0.45, 0.65),
    "jeep": (0.75, 1.2),
}
_TALL |= {"van": (0.8, 1.4), "bus": (0.75, 1.4), "pickup": (0.65, 0.95), "open": (0.5, 0.7), "lorry": (0.75, 1.5)}


def make(dice: Dice) -> Manifold:
    kind = dice.pick(*_CABINS, "lorry", "lorry")
    length, height, width = frame(dice.ratio(1.0, 2.7), dice.ratio(*_TALL[kind]), dice.ratio(0.62, 1.15))
    wheel = min(height * dice.between(0.17, 0.25), length * 0.11)
    dice.note(kind=kind)
    dice.length(body_length=length, body_height=height, body_width=width, wheel_radius=wheel)
    if kind == "lorry":
        body = _lorry(dice, length, height, width, wheel)
        axles = [-0.36, -0.12, 0.34] if dice.chance(0.4) and length > 8.5 * wheel else [-0.3, 0.34]
    else:
        body = _body(dice, kind, length, height, width, wheel)
        axles = [-dice.between(0.28, 0.34), dice.between(0.28, 0.34)]
    dice.note(axles=len(axles))
    dice.length(wheel_base=(axles[-1] - axles[0]) * length)
    return _wheels(dice, body, [a * length for a in axles], width, wheel)


def _wheels(dice: Dice, body: Manifold, axles: list[float], width: float, r: float) -> Manifold:
    """Makes wheels and their arches. The arches are less deep than the wheels are wide, so that wheels and body stay
    joined."""
    thick, out = dice.between(0.11, 0.17), dice.between(0.0, 0.03)
    hub, spare = dice.between(0.35, 0.6) * r, dice.between(0.025, 0.045)
    arches, wheels = [], []
    for x in axles:
        for s in (-1, 1):
            z = s * (width / 2 + out)
            arches.append(disc((x, r, z), "z", r + spare, (thick - 0.02) * 2))
            wheels.append(disc((x, r, z - s * thick / 2), "z", r, thick).__add__(disc((x, r, z), "z", hub, 0.04, 16)))
    return union([body - union(arches), *wheels])


def _body(dice: Dice, kind: str, length: float, height: float, width: float, r: float) -> Manifold:
    low, soft = r * dice.between(0.55, 0.8), dice.between(0.02, 0.07)
    waist = low + (height - low) * (dice.between(0.45, 0.55) if kind not in ("van", "bus") else dice.between(0.4, 0.5))
    nose = low + (waist - low) * dice.between(0.75, 1.0)
    dice.length(waist_height=waist)
    half = length / 2

    def at(f: float) -> float:
        return (f - 0.5) * length

    lower = soft_box((-half, low, -width / 2), (half, waist, width / 2), soft)
    if nose < waist:
        start = at(_CABINS[kind][3])
        wedge = [(start, waist + 0.1), (half + 0.1, waist + 0.1), (half + 0.1, nose), (start, waist)]
        lower -= prism(wedge, "z", -width, width)
    x0, x1, x2, x3 = (at(f) for f in _CABINS[kind])
    tuck = dice.between(0.8, 0.95)
    if kind == "open":
        return union(
            [
                _cockpit(lower, x0, x2, waist, width),
                *_screen(x2, x3, waist, height, width, dice),
                *_extras(dice, kind, length, height, width, waist, low),
            ]
        )
    cabin = _cabin((x0, x1, x2, x3), waist - 0.03, height, width * 0.97, tuck)
    glass = _cabin((x0 + 0.05, x1 + 0.04, x2 - 0.03, x3 - 0.06), waist + 0.035, height - 0.06, width * 1.2, 0.95)
    inner = _cabin((x0, x1, x2, x3), waist - 0.05, height, width * 0.97 - 0.06, tuck)
    posts = [
        box((p - 0.03, 0, -width), (p + 0.03, 2, width))
        for p in np.linspace(x1, x2, {"bus": 5, "van": 3}.get(kind, 3))[1:-1]
    ]
    cabin -= (glass - inner) - union(posts)
    parts = [lower, cabin]
    if kind == "pickup":
        parts[0] = lower - box(
            (-half + 0.06, (low + waist) / 2, -width / 2 + 0.07), (x0 - 0.04, waist + 0.2, width / 2 - 0.07)
        )
    return union(parts + _extras(dice, kind, length, height, width, waist, low))


def _cabin(along: tuple, low: float, high: float, width: float, tuck: float) -> Manifold:
    x0, x1, x2, x3 = along
    foot = [(x, low, s * width / 2) for x in (x0, x3) for s in (-1, 1)]
    roof = [
        (x, high - drop, s * width / 2 * tuck * k)
        for x in (x1, x2)
        for s in (-1, 1)
        for drop, k in ((0.0, 0.9), (0.025, 1.0))
    ]
    return hull(foot + roof)


def _cockpit(lower: Manifold, x0: float, x2: float, waist: float, width: float) -> Manifold:
    """Makes the hollow of an open car and the two seats in it."""
    deep = waist * 0.4
    hollow = soft_box((x0, waist - deep, -width / 2 + 0.08), (x2 + 0.04, waist + deep, width / 2 - 0.08), 0.03)
    seats = [
        soft_box(
            (x0 + 0.06, waist - deep - 0.02, s * width * 0.2 - 0.1),
            (x0 + 0.18, waist + 0.1, s * width * 0.2 + 0.1),
            0.04,
        )
        for s in (-1, 1)
    ]
    return union([lower - hollow, *seats])


def _screen(x2: float, x3: float, waist: float, height: float, width: float, dice: Dice) -> list[Manifold]:
    w, back = width * 0.44, min(0.12, (x3 - x2) * 0.6)
    foot = [(x3 - 0.06 + e, waist - 0.04, s * w) for s in (-1, 1) for e in (0, 0.04)]
    head = [(x3 - 0.06 - back + e, height, s * w * 0.85) for s in (-1, 1) for e in (0, 0.035)]
    bar = [
        (x2 - 0.42, waist - 0.03, -w),
        (x2 - 0.42, height, -w * 0.8),
        (x2 - 0.42, height, w * 0.8),
        (x2 - 0.42, waist - 0.03, w),
    ]
    return [hull(foot + head)] + ([pipe(bar, 0.02)] if dice.chance(0.5) else [])


def _extras(
    dice: Dice, kind: str, length: float, height: float, width: float, waist: float, low: float
) -> list[Manifold]:
    half, parts = length / 2, []
    if dice.chance(0.6):
        t = dice.between(0.06, 0.1)
        parts += [
            soft_box((s * half - 0.05, low + 0.01, -width * 0.48), (s * half + 0.05, low + t, width * 0.48), 0.02)
            for s in (-1, 1)
        ]
    if dice.chance(0.6) and kind != "bus":
        x = (_CABINS[kind][3] - 0.54) * length
        parts += both(
            soft_box((x - 0.02, waist - 0.03, width * 0.42), (x + 0.02, waist + 0.06, width / 2 + 0.06), 0.015)
        )
    if kind in ("sports", "saloon", "hatch") and dice.chance(0.6 if kind == "sports" else 0.25):
        y = waist + dice.between(0.1, 0.16)
        parts.append(
            hull(
                [
                    (-half - e, y + u, s * width * 0.46)
                    for s in (-1, 1)
                    for e, u in ((-0.14, 0.0), (-0.14, 0.03), (0.02, 0.015), (0.02, 0.045))
                ]
            )
        )
        parts += both(box((-half + 0.03, waist - 0.04, width * 0.32), (-half + 0.1, y + 0.02, width * 0.32 + 0.035)))
    if kind in ("estate", "jeep", "van") and dice.chance(0.5):
        x0, x1 = ((f - 0.5) * length for f in _CABINS[kind][1:3])
        z, y = width * 0.34, height + 0.05
        rails = pipe(
            [(x0 + 0.06, height - 0.03, z), (x0 + 0.06, y, z), (x1 - 0.06, y, z), (x1 - 0.06, height - 0.03, z)],
            0.018,
            8,
        )
        parts += both(rails)
    if kind == "jeep" and dice.chance(0.6):
        parts.append(disc((-half - 0.03, (waist + low) / 2 + 0.08, 0), "x", (waist - low) * 0.5, 0.12))
    if dice.chance(0.4):
        parts += both(disc((half - 0.02, low + (waist - low) * 0.55, width * 0.34), "x", 0.055, 0.08, 14))
    return parts


def _lorry(dice: Dice, length: float, height: float, width: float, r: float) -> Manifold:
    """A cab, with or without a bonnet, and a box, a tank or a flat bed behind it."""
    half, low = length / 2, r * 0.9
    front, load = half - length * dice.between(0.25, 0.33), dice.pick("box", "box", "tank", "flat", "tipper")
    top = height if load != "box" or dice.chance(0.4) else height * dice.between(0.75, 0.95)
    floor = low + 0.1
    parts = [box((-half, low, -width * 0.42), (half - 0.05, floor, width * 0.42))]
    cab = tapered_box((front, low - 0.03, -width / 2), (half, top, width / 2), (dice.between(0.75, 1.0), 0.92), -0.02)
    if dice.chance(0.4):
        cab = cab.trim_by_plane((-1.0, 0.0, 0.0), -(half - length * 0.12))
        cab = union(
            [cab, soft_box((front, low - 0.03, -width * 0.42), (half, low + (top - low) * 0.5, width * 0.42), 0.04)]
        )
    else:
        y = low + (top - low) * 0.5
        cab -= box((half - 0.045, y, -width * 0.38), (half + 0.1, y + (top - y) * 0.65, width * 0.38))
    parts.append(cab)
    back, ahead = -half, front - dice.between(0.035, 0.08)
    if load == "box":
        parts.append(soft_box((back, floor - 0.02, -width / 2), (ahead, height, width / 2), 0.015))
    elif load == "tank":
        tall = (height * 0.95 - floor) / 2
        parts.append(disc(((back + ahead) / 2, floor + tall - 0.02, 0), "x", (tall, width / 2), ahead - back))
    else:
        wall = floor + (height - floor) * (0.25 if load == "flat" else 0.5)
        tub = box((back, floor - 0.02, -width / 2), (ahead, wall, width / 2))
        parts.append(
            tub - box((back + 0.06, floor + 0.04, -width / 2 + 0.06), (ahead - 0.06, wall + 1, width / 2 - 0.06))
        )
        if dice.chance(0.5):
            parts.append(soft_box((back + 0.1, floor, -width * 0.3), (ahead - 0.12, wall + 0.1, width * 0.3), 0.03))
    if dice.chance(0.5):
        parts += both(rod((front - 0.0, floor, width * 0.4), (front - 0.0, top + 0.08, width * 0.4), 0.025))
    return union(parts)
