"""The list of wheels for a machine without internet contains everything that is needed, but never PyTorch."""

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import gpu_wheels  # noqa: E402

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

MACHINE = {"python_version": "3.12", "python_full_version": "3.12.3", "sys_platform": "linux", "extra": ""}
BROUGHT = ("torch", "torchvision", "triton")  # already installed on the machine


def test_each_package_is_there_with_all_that_it_needs():
    listed = {canonicalize_name(name) for name, _ in gpu_wheels.wanted()}
    assert not listed & set(BROUGHT) and not any(name.startswith(("nvidia", "cuda")) for name in listed)
    for name, _ in gpu_wheels.wanted():
        for one in map(Requirement, requires(name) or []):
            if one.marker is None or one.marker.evaluate(MACHINE):
                assert canonicalize_name(one.name) in listed | set(BROUGHT), f"{name} needs {one.name}"


def test_the_check_imports_nothing_else():
    """Every package that its modules import is listed, is one of PyTorch's dependencies, or is PyTorch."""
    # `packages_distributions` knows no module that is a single compiled file (manifold3d): it stands for its package
    script = (
        "import sys, wsr.bench.gpu, torch; from pathlib import Path;"
        "files = {m: Path(getattr(module, '__file__', None) or '') for m, module in sys.modules.items()"
        " if '.' not in m}; names = {m.partition('.')[0] for m in sys.modules};"
        "from importlib.metadata import packages_distributions; known = packages_distributions();"
        "alone = {name for name, file in files.items() if name not in known"
        " and file.suffix == '.so' and file.parent.name == 'site-packages'};"
        "print(*alone, *{one for name in names for one in known.get(name, ())})"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=250)
    listed = {canonicalize_name(name) for name, _ in gpu_wheels.wanted()} | {"wsr", *BROUGHT}
    own = {"sympy", "mpmath", "setuptools", "jinja2", "markupsafe", "cuda-bindings", "cuda-pathfinder", "networkx"}
    optional = {"brotli", "cloudpickle", "protobuf"}  # which other packages import if they are installed
    left = {canonicalize_name(name) for name in done.stdout.split()} - listed - own - optional
    assert done.stdout and not left, left


def test_no_package_may_be_older_than_wsr_needs():
    required = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line]
    lowest = {canonicalize_name(one.name): str(one.specifier).removeprefix(">=") for one in required}
    for name, low in gpu_wheels.wanted():
        needed = lowest.get(canonicalize_name(name), "")
        assert gpu_wheels._numbers(low) >= gpu_wheels._numbers(needed), f"{name}: {needed} is needed"


def test_what_is_missing_comes_from_the_folder_and_nowhere_else(tmp_path, monkeypatch, capsys):
    """Uses a wheel made here. A second wheel that is missing is named in the message and does not prevent installing
    the first."""
    import zipfile

    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "wsr_toy-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("wsr_toy.py", "VALUE = 1\n")
        wheel.writestr("wsr_toy-1.0.dist-info/METADATA",
                       "Metadata-Version: 2.1\nName: wsr-toy\nVersion: 1.0\nRequires-Dist: torch>=99\n")  # fmt: skip
        wheel.writestr("wsr_toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("wsr_toy-1.0.dist-info/RECORD", "")
    listed = tmp_path / "list.txt"
    listed.write_text("# a comment\nwsr-toy>=1.0\nwsr-other-toy  # not there\n")
    monkeypatch.setattr(gpu_wheels, "LIST", listed)
    monkeypatch.setenv("WHEELS", str(wheels))
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert gpu_wheels.missing() == ["wsr-toy>=1.0", "wsr-other-toy"]
    assert gpu_wheels.install(tmp_path / "site") == 1
    assert (tmp_path / "site" / "wsr_toy.py").is_file() and not (tmp_path / "site" / "torch").exists()
    assert "still missing: wsr-other-toy" in capsys.readouterr().out
    assert gpu_wheels._numbers("2.14.1+cu130") > gpu_wheels._numbers("2.9")
