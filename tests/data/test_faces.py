"""Faces are functions of their ids alone, their attributes are balanced, all differ, and none is cut off."""

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, chisquare, kstest

from wsr.data import load_signals
from wsr.data.faces import ATTRIBUTES, JITTER, attributes_of, draw_face
from wsr.data.faces.attributes import HAIR, choice, shares
from wsr.data.faces.draw import SIDE, rasterise, svg_of, tint
from wsr.data.faces.parts import PARTS
from wsr.errors import WsrError

COUNT = 5000
KNOWN = ("face-000000", "face-000123", "face-009999", "face-900000", "face-950499")


def blocks(face: str) -> np.ndarray:
    """(8, 8, 3): mean colours of 16 × 16 pixels."""
    return draw_face(face).reshape(8, 16, 8, 16, 3).mean((1, 3))


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """(110, 128, 128, 3): faces of every split."""
    return np.stack([face.read() for face in list(load_signals("faces/100"))[::10]])


def test_ids_and_splits_do_not_depend_on_how_many_faces_there_are():
    faces, more = load_signals("faces"), load_signals("faces/10001")
    assert len(faces) == 11_000 and len(set(faces.ids)) == 11_000 and faces.ids[123] == "face-000123"
    for split in ("validation", "test"):
        held = faces.where(split=split)
        assert len(held) == 500 and held.ids == more.where(split=split).ids
    assert more.where(split="train").ids == [*faces.where(split="train").ids, "face-010000"]
    assert faces.where(split="heldout").ids == faces.where(split="validation").ids
    assert faces.name == "faces" and more.name == "faces/10001" and faces.modality.name == "image"


def test_classes_are_lengths_of_hair():
    faces = load_signals("faces/50")
    assert [face.cls for face in faces] == [HAIR[face.attributes["hair"]] for face in faces]
    long = load_signals("faces/long")
    assert set(long.classes) == {"long"} and set(long.ids) < set(load_signals("faces").ids)


@pytest.mark.parametrize("part", ["0", "-1", "1000000", "lang", "1e3"])
def test_a_part_that_there_is_not_is_told_in_a_sentence(part):
    with pytest.raises(WsrError, match="number of training faces"):
        load_signals(f"faces/{part}")


def test_a_picture_is_a_function_of_its_id():
    faces = load_signals("faces/5").ids[:3]
    here = [draw_face(face) for face in faces]
    again = [draw_face(face) for face in reversed(faces)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(here, again, strict=True))
    code = (
        "import hashlib\nfrom wsr.data.faces import draw_face\n"
        f"print(*(hashlib.sha256(draw_face(face).tobytes()).hexdigest() for face in {faces[::-1]!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[::-1] == [hashlib.sha256(picture.tobytes()).hexdigest() for picture in here]


def test_faces_are_those_of_every_machine():
    """Compares faces with a file, by their attributes and by means over 16 × 16 pixels: another build of the rasteriser
    may round edges differently, but attributes, places and colours must be the same."""
    kept = json.loads((Path(__file__).parent / "faces_known.json").read_text())
    for face in KNOWN:
        assert attributes_of(face) == kept[face]["attributes"]
        assert np.abs(blocks(face) - kept[face]["colours"]).max() < 0.004, face


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_is_balanced(attribute):
    """Each value occurs as often as stated: `none` half of the time, and all others equally often."""
    found = [choice(f"face-{i:06d}", attribute) for i in range(COUNT)]
    expected = shares(attribute)
    assert sum(expected.values()) == pytest.approx(1) and set(expected) == set(ATTRIBUTES[attribute])
    others = [share for value, share in expected.items() if value != "none"]
    assert max(others) == pytest.approx(min(others)) and expected.get("none", 0.5) == 0.5
    counts = [found.count(value) for value in expected]
    assert chisquare(counts, np.array(list(expected.values())) * COUNT).pvalue > 0.001


def test_attributes_are_independent_of_each_other():
    table = pd.DataFrame([attributes_of(f"face-{i:06d}") for i in range(COUNT)])
    names = list(ATTRIBUTES)
    values = [
        chi2_contingency(pd.crosstab(table[a], table[b])).pvalue for i, a in enumerate(names) for b in names[i + 1 :]
    ]
    assert min(values) > 0.05 / len(values) / 10  # none of the 66 pairs is clearly dependent


@pytest.mark.parametrize("name", JITTER)
def test_places_are_spread_evenly_within_their_bounds(name):
    values = np.array([attributes_of(f"face-{i:06d}")[name] for i in range(COUNT)]) - (name == "scale")
    assert np.abs(values).max() <= JITTER[name]
    assert kstest(values / JITTER[name], "uniform", (-1, 2)).pvalue > 0.001


def test_colours_lie_around_the_named_ones():
    own = {tint(f"face-{i:06d}", "skin", "#EDB98A") for i in range(200)}
    assert len(own) > 190
    away = [[int(c[i : i + 2], 16) - int("#EDB98A"[i : i + 2], 16) for i in (1, 3, 5)] for c in own]
    assert np.abs(away).max() < 40 and np.abs(np.mean(away, 0)).max() < 8


def test_no_two_are_alike(drawn):
    flat = drawn[:, ::4, ::4].reshape(len(drawn), -1)
    distance = np.abs(flat[:, None] - flat[None]).mean(2) + np.eye(len(flat))
    assert distance.min() > 0.01


def test_the_subject_is_whole_and_the_background_plain(drawn):
    """The upper border and the sides are one colour down to the shoulders: no hair is cut off, and what is behind is
    plain. The figure reaches the lower border."""
    for picture in drawn:
        corner = picture[0, 0]
        assert np.abs(picture[0] - corner).max() < 0.01 and np.abs(picture[:90, [0, -1]] - corner).max() < 0.01
        # the background does not show below the shoulders
        assert np.abs(picture[-1, 48:80] - corner).max(1).min() > 0.005
        assert 0.25 < (np.abs(picture - corner).max(2) < 0.02).mean() < 0.75


def test_every_part_is_drawn_and_is_seen():
    """Each value of each attribute changes the picture with every hair style, because all of them leave a place for a
    beard and for glasses. No two SVG elements have the same id: the second would be drawn like the first."""
    plain = attributes_of("face-000000") | {"facial hair": "none", "glasses": "none", "right": 0.0, "down": 0.0}
    plain |= {"scale": 1.0, "turn": 0.0}
    assert {name: set(values) for name, values in PARTS.items()} == {name: set(ATTRIBUTES[name]) for name in PARTS}
    for hair in ATTRIBUTES["hair"]:
        before = rasterise(svg_of("a", plain | {"hair": hair}), 128)
        for name, value in (("facial hair", "long beard"), ("glasses", "round")):
            changed = np.abs(rasterise(svg_of("a", plain | {"hair": hair, name: value}), 128) - before).max(2)
            assert 100 < (changed > 0.05).sum() < 4000, (hair, name)
    for name, values in ATTRIBUTES.items():
        pictures = [rasterise(svg_of("a", plain | {name: value}), 64) for value in values]
        assert len({picture.tobytes() for picture in pictures}) == len(values), name
        for value in values:
            ids = re.findall(r'\bid="([^"]+)"', svg_of("a", plain | {name: value}))
            paths = [one for one in ids if "path" in one or "mask" in one or "filter" in one]
            assert len(paths) == len(set(paths)), (name, value)


def test_jitter_moves_the_figure_and_not_what_is_behind():
    still = attributes_of("face-000000") | {"right": 0.0, "down": 0.0, "scale": 1.0, "turn": 0.0}
    before = rasterise(svg_of("a", still), 128)
    moved = rasterise(svg_of("a", still | {"right": 3.0}), 128)
    assert np.abs(moved[:, 3:] - before[:, :-3]).mean() < 0.002 < np.abs(moved - before).mean()
    assert SIDE / 128 == 2.0


@pytest.mark.once
def test_faces_are_drawn_faster_than_they_are_fitted():
    draw_face("face-000000")
    begun = time.process_time()
    for i in range(20):
        draw_face(f"face-{i:06d}")
    assert (time.process_time() - begun) / 20 < 0.1
