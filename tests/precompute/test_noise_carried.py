"""What the experiment `noise_carried` has found, and its text says of it."""

import json
from pathlib import Path

import pytest

from precompute.experiments import noise_carried

REPORT = Path(__file__).parents[2] / "assets/reports/noise-carried.json"


def test_the_text_has_the_numbers_of_the_report():
    if not REPORT.exists():
        pytest.skip("the repository's assets are not here")
    found = {row["way"]: row for row in json.loads(REPORT.read_text())["rows"]}
    lines = [line for line in noise_carried.__doc__.splitlines() if line.startswith("| ")][1:]
    said = [[float(cell) for cell in line.strip("| ").split(" | ")[1:]] for line in lines]
    assert len(said) == len(found) == len(noise_carried.WAYS)
    for (width, *values), row in zip(said, found.values(), strict=True):
        measured = [row[f"error at {level}"] for level in noise_carried.LEVELS] + [row["std of samples"]]
        assert width == row["width"] and values == pytest.approx(measured, rel=0.05)
    narrow, skip, clean = (found[way] for way in ("noise-3d", "noise-3d-skip", "weights-3d"))
    assert narrow["error at 0.99"] > 5 and narrow["std of samples"] > 3
    for row in (skip, clean):
        assert row["error at 0.99"] < 1 and row["std of samples"] == pytest.approx(1, abs=0.1)
    assert skip["error at 0.3"] < clean["error at 0.3"] / 2
