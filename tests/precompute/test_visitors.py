"""A measurement's server ends with it, and the meshes that it receives have the stated properties."""

import subprocess
import sys
import time

import pytest
import trimesh

from precompute.visitors import end, worst_meshes

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
FIRST = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF!r}])\n{DEAF}"


@pytest.mark.parametrize("own_group", [True, False])
def test_a_server_that_does_not_end_is_killed_with_what_it_has_started(own_group):
    server = subprocess.Popen([sys.executable, "-c", FIRST if own_group else DEAF], stdout=subprocess.PIPE,
                              start_new_session=own_group)  # fmt: skip
    for _ in range(1 + own_group):
        assert server.stdout.readline() == b"here\n"
    begun = time.monotonic()
    end(server, 0.3)
    assert server.returncode == -9 and time.monotonic() - begun < 20
    assert server.stdout.read() == b"", "nobody holds the other end any more"
    assert time.monotonic() - begun < 20


def test_the_worst_meshes_are_as_many_surfaces_as_they_say(tmp_path):
    soup, shells = (trimesh.load(path, process=False) for path in worst_meshes(tmp_path))
    assert len(soup.faces) == 20_000
    assert len(shells.faces) == 4 * 10_000 and shells.is_watertight and "10,000 closed surfaces" in worst_meshes.__doc__
