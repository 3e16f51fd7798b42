"""The scripts that measure a served page, at small sizes. A few visitors use it at the same time for some seconds, and
all of them are answered (`precompute.visitors` measures how quickly); `precompute.soak` measures what the server
takes."""

import contextlib
import subprocess
import sys
from pathlib import Path

import aside

from precompute import soak, visitors

ROOT = Path(__file__).resolve().parents[2]


def test_a_soak_runs_and_says_what_the_server_takes(served, monkeypatch):
    monkeypatch.setattr(soak, "serving", {ROOT: contextlib.nullcontext(served)}.__getitem__)
    monkeypatch.setattr(soak, "PATIENCE", 10)
    monkeypatch.setattr(soak, "INTERVAL", 1)
    found = aside.call(soak.main, ["--clicks", "2", "--alphas", "0", "--fits", "1", "--idle", "1"])
    assert [row["phase"] for row in found["rows"]] == ["start", "click", "click", "fit", "idle"]
    assert all(row["megabytes"] > 50 for row in found["rows"])
    assert found["idle_cpu_seconds_a_minute"] >= 0


def test_visitors_who_look_fit_and_misuse_are_all_answered(served, monkeypatch):
    url, _ = served
    monkeypatch.setattr(visitors, "STEPS", 20)
    monkeypatch.setattr(visitors, "THINKING", (0.2, 1.0))
    few = ["--visitors", "4", "--fitting", "1", "--seconds", "8", "--mesh-seconds", "4", "--settle", "1"]
    found = aside.call(visitors.main, ["--url", url, *few])
    assert found["plain"]["errors"] == found["worst mesh"]["errors"] == []
    assert {"page", "fit", "click emoji"} <= set(found["plain"]["actions"])
    assert found["worst mesh"]["told the worst"]
    assert all("Traceback" not in line for line in found["worst mesh"]["told the worst"])


def test_the_script_says_what_it_takes():
    command = [sys.executable, "-m", "precompute.visitors", "--help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0 and "--visitors" in told.stdout
