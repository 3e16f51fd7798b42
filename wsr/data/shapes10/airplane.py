"""Airplanes: airliners, fighters, propeller planes, biplanes, gliders, seaplanes and flying wings."""

import numpy as np
from jaxtyping import Float
from manifold3d import Manifold

from wsr.data.shapes10.solids import Dice, ball, both, disc, loft, pipe, rod, soft_box, union

_AROUND = np.linspace(0, 2 * np.pi, 16, endpoint=False)
# an aerofoil's outline: along the chord from nose (0) to tail (1), and half its thickness
_FOIL = np.array(
    [(0.0, 0.0), (0.06, 0.6), (0.25, 1.0), (0.6, 0.8), (1.0, 0.4), (1.0, -0.4), (0.6, -0.8), (0.25, -1.0), (0.06, -0.6)]
)


def make(dice: Dice) -> Manifold:
    kind = dice.pick("liner", "liner", "jet", "jet", "prop", "prop", "bi", "sea", "jet", "wing")
    if kind == "wing":
        return _flying_wing(dice)
    length = dice.between(1.3, 1.8)
    r = length * (dice.between(0.09, 0.19) if kind != "jet" else dice.between(0.08, 0.16))
    tall = dice.between(0.9, 1.3)
    body, top = _fuselage(dice, kind, length, r, tall)
    span = length * {"jet": dice.between(0.17, 0.45)}.get(kind, dice.between(0.22, 0.6)) + r * 0.5
    x, level = length * dice.between(0.0, 0.14), dice.pick(-0.45, 0.0, 0.7) * r * tall
    if kind == "bi":
        level = -0.6 * r
    if kind == "sea":
        level = 0.8 * r * tall
    chord = length * dice.between(0.2, 0.3) * (1.5 if kind == "jet" else 1.0)
    sweep = {"jet": dice.between(0.35, 0.8), "liner": dice.between(0.2, 0.55)}.get(kind, dice.between(-0.05, 0.1))
    slope = dice.between(-0.03, 0.14)
    taper = dice.between(0.3, 0.6) if kind in ("jet", "liner") else dice.between(0.6, 1.0)
    thick = dice.between(0.06, 0.1)

    def at(f: float) -> np.ndarray:
        """The middle of the wing's chord at a fraction of the span."""
        return np.array([x - sweep * f * span, level + slope * f * span, f * span])

    wing = _wing(at(0), at(1), chord, chord * taper, thick, max(0.032, thick * 0.45))
    parts = [body, *both(wing)]
    if kind == "bi":
        parts += _second_wing(dice, at, chord * 0.95, thick, r, tall, span)
    parts += _tail(dice, kind, length, r, tall, chord)
    parts += _engines(dice, kind, at, length, r, tall, chord, thick)
    parts += _under(dice, kind, length, r * tall, x, span)
    dice.note(kind=kind, wing_sweep=sweep, wing_taper=taper)
    dice.length(body_length=length, body_radius=r, wing_span=2 * span, wing_chord=chord)
    return union(parts + top)


def _ring(x: float, y: float, ry: float, rz: float) -> Float[np.ndarray, "16 3"]:
    return np.stack([np.full(16, x), y + ry * np.sin(_AROUND), rz * np.cos(_AROUND)], -1)


def _fuselage(dice: Dice, kind: str, length: float, r: float, tall: float) -> tuple[Manifold, list[Manifold]]:
    """Makes the body from tail to nose, and what sits on it (a canopy, a hump)."""
    if kind == "jet":
        at, size = [0, 0.02, 0.3, 0.55, 0.75, 0.9, 0.97, 1.0], [0.7, 0.75, 1.0, 1.0, 0.8, 0.45, 0.2, 0.06]
    elif kind == "liner":
        at, size = [0, 0.08, 0.25, 0.4, 0.85, 0.93, 0.98, 1.0], [0.15, 0.4, 0.85, 1.0, 1.0, 0.85, 0.5, 0.12]
    else:
        at, size = [0, 0.1, 0.35, 0.55, 0.75, 0.92, 0.97, 1.0], [0.25, 0.38, 0.7, 1.0, 1.0, 0.85, 0.7, 0.4]
    lift = dice.between(0.3, 0.7) if kind != "jet" else 0.0
    rings = [
        _ring((f - 0.5) * length, (1 - s) * r * tall * lift * (f < 0.5), r * s * tall, r * s)
        for f, s in zip(at, size, strict=True)
    ]
    front = length * dice.between(0.12, 0.24)
    on = []
    if kind != "liner":
        on.append(ball((front, r * tall * 0.75, 0), (length * 0.11, r * dice.between(0.55, 0.8), r * 0.6), 18))
    elif dice.chance(0.3):
        on.append(ball((front + 0.05, r * tall * 0.65, 0), (length * 0.2, r * 0.65, r * 0.75), 20))
    return loft(np.array(rings)), on


def _wing(
    root: np.ndarray, tip: np.ndarray, chord: float, tip_chord: float, thick: float, tip_thick: float, up: bool = False
) -> Manifold:
    """Makes a blade from root to tip, which are the centres of their chords; `up` stands it on its edge."""

    def section(middle: np.ndarray, c: float, t: float) -> np.ndarray:
        along, across = (0.5 - _FOIL[:, 0]) * c, _FOIL[:, 1] * t / 2
        offset = np.stack([along, 0 * across, across] if up else [along, across, 0 * along], -1)
        return middle + offset

    return loft(np.stack([section(root, chord, thick), section(tip, tip_chord, tip_thick)]))


def _second_wing(dice: Dice, at, chord: float, thick: float, r: float, tall: float, span: float) -> list[Manifold]:
    """A biplane's upper wing, with struts."""
    y, stagger = r * tall * dice.between(1.5, 1.9), dice.between(0.0, 0.08)
    wide = dice.between(0.85, 1.05)
    root, tip = np.array([at(0)[0] + stagger, y, 0.0]), np.array([at(wide)[0] + stagger, y + 0.02, wide * span])
    parts = both(_wing(root, tip, chord, chord * 0.85, thick, thick * 0.6))
    for f in (0.55,) if dice.chance(0.5) else (0.35, 0.75):
        for dx in (-0.25, 0.25):
            foot = at(f) + (dx * chord * 0.8, 0, 0)
            parts += both(rod(foot, (foot[0] + stagger, y + 0.01, foot[2]), 0.018, count=8))
    parts.append(rod((root[0], r * tall * 0.5, 0), (root[0], y, 0), 0.03))
    return parts


def _tail(dice: Dice, kind: str, length: float, r: float, tall: float, chord: float) -> list[Manifold]:
    style = (
        dice.pick("plain", "plain", "t", "v", "twin") if kind != "jet" else dice.pick("plain", "twin", "v", "canard")
    )
    c, t = chord * dice.between(0.5, 0.75), dice.between(0.036, 0.05)
    x, y = -length / 2 + c * 0.55, r * tall * 0.25
    high = length * dice.between(0.13, 0.34)
    half = length * dice.between(0.14, 0.22)
    back = dice.between(0.2, 0.7)
    root = np.array([x, y, 0.0])
    dice.note(tail=style)
    dice.length(tail_height=high, tail_span=2 * half)
    fin = _wing(root, root + (-back * high, high, 0), c * 1.2, c * 0.7, t * 1.2, max(0.03, t * 0.8), up=True)
    flat = _wing(root, root + (-back * half * 0.5, 0.02, half), c, c * 0.6, t, max(0.03, t * 0.8))
    if style == "v":
        return both(_wing(root, root + (-back * high, high, high * 0.9), c * 1.2, c * 0.7, t * 1.4, t))
    if style == "t":
        top = root + (-back * high, high - 0.015, 0)
        return [
            fin,
            *both(_wing(top, top + (-back * half * 0.4, 0.0, half * 0.8), c * 0.8, c * 0.5, t, max(0.03, t * 0.8))),
        ]
    if style == "twin":
        z = min(half * 0.9, r * 1.2) if kind == "jet" else half * 0.92
        foot = root + (-back * half * 0.5 * z / half, -0.0, z)
        fins = both(
            _wing(
                foot,
                foot + (-back * high * 0.6, high * 0.8, 0.02),
                c * 0.75,
                c * 0.5,
                t * 1.2,
                max(0.03, t * 0.8),
                up=True,
            )
        )
        return [*both(flat), *fins]
    if style == "canard":
        nose = np.array([length * 0.26, r * 0.2, 0.0])
        return [fin, *both(_wing(nose, nose + (-0.12, 0.0, half * 0.75), c * 0.9, c * 0.45, t, max(0.03, t * 0.8)))]
    return [fin, *both(flat)]


def _propeller(dice: Dice, at: np.ndarray, size: float) -> list[Manifold]:
    """A spinner and two to four blades that look towards +x."""
    blades, t = dice.pick(2, 3, 4), dice.between(0.028, 0.036)
    dice.note(propeller_blades=blades)
    parts = [rod(at - (0.03, 0, 0), at + (0.08, 0, 0), max(0.045, size * 0.22), 0.015, 12)]
    start = dice.between(0, 180)
    for i in range(blades):
        blade = soft_box((-t / 2, 0, -0.035), (t / 2, size, 0.035), 0.012)
        parts.append(blade.rotate((start + 360 * i / blades, 0.0, 0.0)).translate(tuple(at)))
    return parts


def _engines(
    dice: Dice, kind: str, at, length: float, r: float, tall: float, chord: float, thick: float
) -> list[Manifold]:
    if kind in ("prop", "bi", "sea"):
        twin = kind != "bi" and dice.chance(0.35)
        if not twin:
            return _propeller(dice, np.array([length / 2, 0.0, 0.0]), length * dice.between(0.1, 0.16))
        seat, size = at(0.38), r * dice.between(0.4, 0.55)
        pod = ball(seat + (chord * 0.2, 0, 0), (chord * 0.65, size, size), 16)
        screw = _propeller(dice, seat + (chord * 0.82, 0, 0), length * dice.between(0.09, 0.13))
        return [m for part in (pod, *screw) for m in both(part)]
    if kind == "jet":
        intake = soft_box(
            (-length * 0.38, -r * 0.8, r * 0.3),
            (length * dice.between(0.05, 0.15), r * 0.45, r * dice.between(1.2, 1.6)),
            0.04,
        )
        nozzle = rod((-length / 2 - 0.06, 0, 0), (-length / 2 + 0.05, 0, 0), r * 0.55, r * 0.75, 16)
        return (both(intake) if dice.chance(0.7) else []) + [nozzle]
    size, long = r * dice.between(0.4, 0.6), chord * dice.between(0.6, 0.9)
    if dice.chance(0.3):
        seat = np.array([-length * 0.26, r * tall * 0.35, r + size * 0.8])
        return [
            m
            for p in (
                _nacelle(seat, size, long),
                soft_box(seat - (0.08, 0.03, size + 0.08), seat + (0.08, 0.03, 0), 0.01),
            )
            for m in both(p)
        ]
    parts = []
    for f in dice.pick((0.38,), (0.38,), (0.3, 0.62)):
        seat = at(f) + (chord * 0.35, -size * 0.9 - thick * 0.2, 0)
        pylon = soft_box(
            (seat[0] - long * 0.5, seat[1], seat[2] - 0.022), (seat[0] + 0.02, at(f)[1] + 0.005, seat[2] + 0.022), 0.008
        )
        parts += [m for p in (_nacelle(seat, size, long), pylon) for m in both(p)]
    return parts


def _nacelle(seat: np.ndarray, size: float, long: float) -> Manifold:
    """A jet engine: a barrel with a shallow mouth."""
    back, middle, front = seat - (long * 0.5, 0, 0), seat + (long * 0.1, 0, 0), seat + (long * 0.5, 0, 0)
    barrel = union([rod(back, middle, size * 0.65, size, 16), rod(middle, front, size, size * 0.9, 16)])
    return barrel - rod(front - (0.05, 0, 0), front + (0.02, 0, 0), size * 0.55, count=12)


def _under(dice: Dice, kind: str, length: float, r: float, x: float, span: float) -> list[Manifold]:
    """Floats, wheels on legs, or nothing."""
    if kind == "sea":
        y, z = -r - dice.between(0.14, 0.2), span * 0.25
        rings = np.array(
            [
                _ring(f * length * 0.45 + x, y + u, s * 0.07, s * 0.075) + (0, 0, z)
                for f, s, u in ((-1, 0.3, 0.03), (-0.5, 0.9, 0), (0.4, 1, 0), (0.8, 0.8, 0.01), (1, 0.25, 0.04))
            ]
        )
        legs = [rod((x + dx, y, z), (x + dx * 0.8, -r * 0.3, 0.0), 0.02, count=8) for dx in (-0.15, 0.15)]
        return [m for p in (loft(rings), *legs) for m in both(p)]
    if not dice.chance(0.6 if kind in ("prop", "bi") else 0.3):
        return []
    size, y, z = dice.between(0.06, 0.09), -r - dice.between(0.08, 0.14), dice.between(0.12, 0.2)
    wheels = [
        m
        for p in (disc((x, y, z), "z", size, 0.05, 16), pipe([(x, y, z), (x, -r * 0.4, 0.02)], 0.02, 8))
        for m in both(p)
    ]
    nose = length * 0.33 if kind != "bi" else -length * 0.4
    high = -r * 0.3 if kind != "bi" else 0.05
    return wheels + [
        disc((nose, y + 0.02, 0), "z", size * 0.75, 0.05, 14),
        rod((nose, y + 0.02, 0), (nose, high, 0), 0.02, count=8),
    ]


def _flying_wing(dice: Dice) -> Manifold:
    """A delta or a bent wing with a swelling in the middle, fins and engines in its back."""
    span, chord = dice.between(0.75, 1.0), dice.between(0.7, 1.1)
    sweep, thick = dice.between(0.35, 0.7), dice.between(0.14, 0.22)
    dice.note(kind="wing", wing_sweep=sweep)
    dice.length(wing_span=2 * span, wing_chord=chord)
    root, tip = np.zeros(3), np.array([-sweep * span, 0.0, span])
    if dice.chance(0.5):
        tip[0] = -chord * 0.38  # a delta: its rear edge is straight
    parts = both(_wing(root, tip, chord, chord * dice.between(0.2, 0.35), thick, 0.035))
    deep = dice.between(0.12, 0.2)
    parts.append(ball((0.05, 0.02, 0), (chord * dice.between(0.5, 0.65), deep, deep * dice.between(1.0, 1.5)), 22))
    if dice.chance(0.7):
        z = span * dice.between(0.12, 0.5)
        foot = root * 0.5 + (tip * (z / span)) * 1.0 + (-chord * 0.12, 0, 0)
        fin = _wing(
            foot, foot + (-0.12, dice.between(0.18, 0.32), 0.0), chord * 0.26, chord * 0.16, 0.045, 0.034, up=True
        )
        parts += both(fin)
    if dice.chance(0.6):
        z = deep * 1.4
        parts += both(rod((-chord * 0.42, 0.04, z), (chord * 0.05, 0.04, z), 0.07, 0.06, 14))
    return union(parts)
