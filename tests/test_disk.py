"""Full disks, home folders that cannot be written, and processes that are asked to end."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from wsr import cleanup, paths
from wsr.disk_errors import disk_error
from wsr.errors import WsrError
from wsr.formats import save_tensors
from wsr.paths import atomic_path, cache_dir, use_writable_caches, writing

HERE = Path(__file__).parents[1]
NOWHERE = "/proc/none"  # a path at which not even root can make a folder


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("WSR_CACHE", "XDG_CACHE_HOME", *paths.OTHERS):
        monkeypatch.setenv(name, "x")  # so that the value which the test sets is removed afterwards
        monkeypatch.delenv(name)
    paths._temporary_cache.cache_clear()
    yield
    paths._temporary_cache.cache_clear()


def test_the_cache_is_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "home/.cache/wsr"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg/wsr"
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own" and cache_dir().is_dir()


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "WSR_CACHE"])
def test_where_it_cannot_be_written_a_temporary_one_takes_its_place(variable, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    for place in (NOWHERE, str(tmp_path / "file" / "below"), "/dev/null/x"):
        paths._temporary_cache.cache_clear()
        monkeypatch.delenv("WSR_CACHE", raising=False)
        monkeypatch.setenv(variable, place)
        folder = cache_dir()
        (folder / "x").write_text("x")
        assert folder == cache_dir() and folder.stat().st_mode & 0o777 == 0o700
    assert caplog.text.count("cannot be written") == 3  # one warning for each folder, not for each use of it


def test_other_libraries_caches_move_with_a_home_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    use_writable_caches()
    assert "NUMBA_CACHE_DIR" not in os.environ
    monkeypatch.setenv("HOME", NOWHERE)
    monkeypatch.setenv("HF_HOME", "/of/mine")
    use_writable_caches()
    assert os.environ["NUMBA_CACHE_DIR"].startswith(str(cache_dir())) and os.environ["HF_HOME"] == "/of/mine"


WITHOUT_HOME = """
import os, sys
os.environ.pop("HOME", None) if sys.argv[1] == "nobody" else os.environ.update(HOME=sys.argv[1])
if sys.argv[2] == "cli":
    from wsr.cli import main
    sys.exit(main(["zoo", "info", "no-such-zoo"]))
from app import main
from wsr.paths import cache_dir
main.build_app()
(cache_dir() / "x").write_text("x")
import matplotlib, numba
print(matplotlib.get_cachedir(), os.environ["NUMBA_CACHE_DIR"])
"""


# Runs a command as a user number without a name or a home folder, as on a Space. It may read everything, because Python
# may be installed in root's home folder.
NOBODY = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all,+dac_read_search",
          "--ambient-caps=+dac_read_search")  # fmt: skip


@pytest.mark.parametrize("home", ["nobody", "/dev/null/x"])
@pytest.mark.parametrize("what", ["cli", "app"])
def test_both_start_where_home_cannot_be_written(home, what, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.endswith(("CACHE", "CACHE_HOME", "_DIR", "_HOME"))}
    environment |= {"WSR_ASSETS": str(tmp_path), "TMPDIR": str(tmp_path / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "tmp").mkdir()
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    (tmp_path / "tmp").chmod(0o777)
    command = [sys.executable, "-c", WITHOUT_HOME, home, what]
    if home == "nobody":
        if not shutil.which("setpriv") or subprocess.run([*NOBODY, "true"], capture_output=True).returncode:
            pytest.skip("no other user can be played here")
        command = [*NOBODY, *command]
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr and done.returncode == (2 if what == "cli" else 0), done.stderr[-3000:]
    assert done.stderr.count("cannot be written, so") == 1
    assert list((tmp_path / "tmp").glob("wsr-*")) == []  # temporary folders have been removed


def limited(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


WRITES = """
import resource, sys
from pathlib import Path
import numpy as np, pandas as pd, torch
from wsr.disk_errors import disk_error
from wsr.errors import WsrError
from wsr.formats import save_tensors
from wsr.paths import atomic_path
folder = Path(sys.argv[1])
values = torch.arange(400_000.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
def parquet(path): pd.DataFrame({"x": np.random.rand(400_000)}).to_parquet(path)
def npz(path):
    with open(path, "wb") as file: np.savez(file, values.numpy())
def picture(path):
    from PIL import Image
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)).save(path, "PNG")
def text(path): path.write_text("x" * 200_000)
def pickled(path): torch.save({"x": values}, path)
for name, write in (("parquet", parquet), ("npz", npz), ("picture", picture), ("text", text), ("pickled", pickled),
                    ("tensors", None)):
    path = folder / name
    path.write_text("what was there")
    try:
        if write:
            with atomic_path(path) as temporary:
                write(temporary)
        else:
            save_tensors(path, {"x": values})
        print(name, "was written")
    except WsrError as error:
        assert "the limit that was set for files" in str(error) and repr(str(path)) in str(error), error
        assert "0.1 MB" in str(error) and "space" not in str(error), error
    assert path.read_text() == "what was there"
assert len(list(folder.iterdir())) == 6
"""


def test_what_does_not_fit_is_a_sentence_and_the_old_file_stays(tmp_path):
    """A limit on the size of files, which needs no rights to set, interrupts writing like a full disk. The message says
    which of the two happened."""
    done = subprocess.run([sys.executable, "-c", WRITES, str(tmp_path)], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr[-2000:]


def test_room_is_asked_for_before_anything_is_written(tmp_path):
    with pytest.raises(WsrError, match=r"1000000000.0 MB are needed and [\d.]+ MB are free"):
        with atomic_path(tmp_path / "x", 10**15):
            pytest.fail("it was begun")
    assert not list(tmp_path.iterdir())


def test_only_errors_of_the_disk_become_its_sentence(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with atomic_path(tmp_path / "x"):
            raise ZeroDivisionError
    with pytest.raises(FileNotFoundError):
        with writing(tmp_path):
            open(tmp_path / "none").close()
    assert disk_error(FileNotFoundError(errno.ENOENT, "none")) is None and disk_error(ValueError("x")) is None
    assert "no space left" in str(disk_error(OSError(errno.ENOSPC, "No space left on device", "/data/x")))
    assert "no space left" in str(disk_error(OSError(errno.EDQUOT, "Disk quota exceeded")))
    with pytest.raises(WsrError, match="cannot be written"):
        with atomic_path("/proc/none/x"):
            pass


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes, if this machine allows mounting one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_no_command_in_a_traceback_and_loses_nothing(small_disk, base, tmp_path, capsys):
    from wsr.cli import main
    from wsr.commands import MISTAKE, OK
    from wsr.fields.checkpoint import BaseInfo, save_base
    from wsr.zoo import Zoo

    os.environ["WSR_CACHE"] = str(tmp_path / "cache")
    save_base(tmp_path / "base.safetensors", base, BaseInfo("test", "cpu", 3))
    (tmp_path / "pictures").mkdir()
    for i in range(3):
        from PIL import Image

        Image.new("RGB", (16, 16), (90 * i, 0, 0)).save(tmp_path / f"pictures/p{i}.png")
    given = ["--base", str(tmp_path / "base.safetensors"), "--rank", "2", "--steps", "1"]
    build = ["zoo", "build", f"images:{tmp_path / 'pictures'}", "--out", str(small_disk / "zoo"), *given]
    assert main([*build, "--count", "2"]) == OK
    kept = Zoo.open(small_disk / "zoo").weights()
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        with pytest.raises(OSError, match="space"):
            while True:
                filler.write(b"x" * 4096)
    weights = tmp_path / "w.safetensors"
    assert main(["fit", str(tmp_path / "pictures/p0.png"), *given, "--out", str(weights)]) == OK
    capsys.readouterr()
    for command in (
        build,
        ["fit", str(tmp_path / "pictures/p0.png"), *given, "--out", str(small_disk / "w.safetensors")],
        ["render", str(weights), "--out", str(small_disk / "pictures")],
    ):
        assert main(command) == MISTAKE, command
        said = " ".join(capsys.readouterr().err.split())
        assert "no space left" in said and "disk" in said and "Traceback" not in said
    with pytest.raises(WsrError, match="no space left"):
        save_base(small_disk / "b.safetensors", base, BaseInfo("test", "cpu", 3), torch.zeros(200_000, 8))
    with pytest.raises(WsrError, match="MB are needed"):
        save_tensors(small_disk / "t.safetensors", {"x": torch.zeros(10**6)})
    assert sorted(path.name for path in small_disk.iterdir() if path.name != "pictures") == ["filler", "zoo"]
    assert torch.equal(Zoo.open(small_disk / "zoo").weights(), kept)
    (small_disk / "filler").unlink()
    assert main(build) == OK  # the build continues
    assert len(Zoo.open(small_disk / "zoo")) == 3 and torch.equal(Zoo.open(small_disk / "zoo").weights()[:2], kept)


ENDED = """
import ctypes, os, sys, threading, time
from pathlib import Path
from wsr import cleanup
from wsr.paths import atomic_path
cleanup.GRACE = 0.5
cleanup.end_on_sigterm()
folder = cleanup.temporary_folder("wsr-test-")
if sys.argv[2] == "busy":  # a thread that does not end keeps Python from its exit handlers
    threading.Thread(target=time.sleep, args=(60,)).start()
if sys.argv[2] == "native":  # a library that aborts while it is taken down, as C++ does with a thread that still works
    abort = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: os.abort())
    ctypes.CDLL(None).__cxa_atexit(abort, None, None)
try:
    with atomic_path(sys.argv[1] + "/x") as temporary:
        print(folder, flush=True)
        for _ in range(600):  # not one long sleep: a signal that comes as a sleep begins is seen when it ends
            time.sleep(0.1)
except cleanup.Terminated:
    sys.exit(cleanup.TERMINATED)
"""


@pytest.mark.parametrize("kind", ["idle", "busy", "native"])
def test_who_is_asked_to_end_leaves_nothing_behind(kind, tmp_path):
    command = [sys.executable, "-c", ENDED, str(tmp_path), kind]
    job = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    folder = Path(job.stdout.readline().strip())
    assert folder.is_dir() and list(tmp_path.iterdir())
    job.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert job.wait(timeout=20) == 143 and time.monotonic() - begun < 10
    job.stdout.close()
    assert not folder.exists() and not list(tmp_path.iterdir())


def test_a_command_that_is_asked_to_end_says_so(tmp_path):
    from PIL import Image

    Image.new("RGB", (32, 32)).save(tmp_path / "p.png")
    command = [sys.executable, "-m", "wsr.cli", "fit", str(tmp_path / "p.png"), "--representation", "mlp", "--steps",
               "1000000", "--out", str(tmp_path / "w.safetensors")]  # fmt: skip
    environment = os.environ | {"WSR_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    job = subprocess.Popen(command, cwd=HERE, env=environment, **pipes)
    while "fit:" not in job.stdout.readline():  # waits until the fit has begun
        assert job.poll() is None
    job.send_signal(signal.SIGTERM)
    said = job.communicate(timeout=30)[1]
    assert job.returncode == 143 and "Traceback" not in said and not (tmp_path / "w.safetensors").exists()


def test_a_forked_child_does_not_remove_its_parents_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup, "_folders", {tmp_path: os.getpid() + 1})
    cleanup.clean_up()
    assert tmp_path.is_dir()
    shutil.rmtree(tmp_path, ignore_errors=True)
