"""A few visitors use the page at the same time for some seconds, and all of them are answered. `precompute.visitors`
measures how quickly."""

import subprocess
import sys
from pathlib import Path

import aside
import pytest

from precompute import visitors

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(assets):
    """Serves the app of this source tree over tiny assets, and returns its address."""
    with visitors.serving(ROOT) as (url, _):
        yield url


def test_visitors_who_look_fit_and_misuse_are_all_answered(served, monkeypatch):
    monkeypatch.setattr(visitors, "STEPS", 20)
    monkeypatch.setattr(visitors, "THINKING", (0.2, 1.0))
    few = ["--visitors", "4", "--fitting", "1", "--seconds", "8", "--mesh-seconds", "4", "--settle", "1"]
    found = aside.call(visitors.main, ["--url", served, *few])
    assert found["plain"]["errors"] == found["worst mesh"]["errors"] == []
    assert {"page", "fit", "click emoji"} <= set(found["plain"]["actions"])
    assert found["worst mesh"]["told the worst"]
    assert all("Traceback" not in line for line in found["worst mesh"]["told the worst"])


def test_the_script_says_what_it_takes():
    command = [sys.executable, "-m", "precompute.visitors", "--help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0 and "--visitors" in told.stdout
