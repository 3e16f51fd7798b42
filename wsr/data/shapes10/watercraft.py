"""Watercraft: sailing boats, motor boats, rowing boats, ships, ferries, tugs, catamarans and submarines."""

from manifold3d import Manifold

from wsr.data.shapes10.boats import catamaran, motor, row, sail
from wsr.data.shapes10.ships import ferry, ship, submarine, tug
from wsr.data.shapes10.solids import Dice

# how often each kind is drawn
_KINDS = (sail, sail, motor, motor, row, ship, ship, ferry, tug, catamaran, catamaran, submarine)


def make(dice: Dice) -> Manifold:
    build = dice.pick(*_KINDS)
    dice.note(kind=build.__name__)
    return build(dice)
