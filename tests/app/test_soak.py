"""The soak script as a whole, at a small size: it measures a served page."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--clicks", "2", "--alphas", "0", "--fits", "1", "--idle", "1"]
CODE = """
import json, sys
from precompute import soak
soak.PATIENCE, soak.INTERVAL = 10, 1
found = soak.main(sys.argv[1:])
print(json.dumps(found))
"""


def test_it_runs_and_says_what_the_server_takes(assets):
    done = subprocess.run([sys.executable, "-c", CODE, *SMALL], cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [row["phase"] for row in found["rows"]] == ["start", "click", "click", "fit", "idle"]
    assert all(row["megabytes"] > 50 for row in found["rows"])
    assert found["idle_cpu_seconds_a_minute"] >= 0
