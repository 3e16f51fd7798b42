"""`pip install .` installs the engine with its bases, and nothing of the page. The tests build and install a copy of
the tracked files, so that no earlier build and no cache is in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from PIL import Image

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
BUILD = ["--no-deps", "--no-build-isolation", "--no-index"]  # uses the installed setuptools and no internet
# does not remove the wsr of the tests' own environment
INSTALL = ["install", "--ignore-installed", "--no-deps", "--no-index"]
FIT = "import wsr; print(wsr.fit('me.png', steps=5).quality)"
# The new environment shares the packages of the tests' environment. This hides from it the packages that only the page
# needs.
HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Hidden())
"""
PAGE = {Requirement(one).name for one in PROJECT["optional-dependencies"]["app"]}

pytestmark = pytest.mark.once


def run(*command, folder, **environment):
    """Runs a command in a folder, without the test environment's paths and assets."""
    own = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "WSR_ASSETS", "WSR_CACHE")}
    own |= {key: str(value) for key, value in environment.items()}
    return subprocess.run(list(map(str, command)), cwd=folder, env=own, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the tracked files, without assets that are not part of the wheel."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    copy = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (not name.startswith(("assets/", "tests/")) or name.startswith("assets/bases/")) and (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, *PIP, "wheel", *BUILD, "--wheel-dir", folder, source, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("wsr-*.whl")
    return path


def environment(folder, hidden=()):
    """The Python of a new environment with all packages of the running one except wsr itself and the hidden ones."""
    venv.create(folder, symlinks=True, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    shared = dict.fromkeys(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
    (site / "shared.pth").write_text("\n".join([*shared, "import hide_what_the_page_needs"]))
    (site / "hide_what_the_page_needs.py").write_text(HIDE.replace("{hidden}", repr({*hidden, ""})))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of an environment with the wheel, and without what the page needs."""
    folder = tmp_path_factory.mktemp("environment")
    found = environment(folder, PAGE)
    done = run(sys.executable, *PIP, "--python", found, *INSTALL, wheel, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return found


def test_the_wheel_has_the_engine_with_both_bases_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names}
    assert packages == {"wsr", next(name for name in packages if name.endswith(".dist-info"))}
    for base in ("emoji", "shapes10"):
        content = zipfile.ZipFile(wheel).read(f"wsr/bases/{base}.safetensors")
        assert content == (ROOT / f"assets/bases/{base}.safetensors").read_bytes()
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "wsr").rglob("*.py")}
    assert modules <= set(names) and wheel.stat().st_size < 10e6


def test_the_engine_fits_a_picture_in_an_empty_folder_without_gradio(python, tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "me.png")
    where = "print(wsr.__file__, wsr.load_base('emoji').info.path, wsr.load_base('shapes10').info.path)"
    done = run(python, "-c", f"{FIT}; {where}; import gradio", folder=tmp_path, WSR_CACHE=tmp_path.parent / "cache")
    assert done.stderr.strip().endswith("No module named 'gradio'"), done.stdout + done.stderr
    quality, files = done.stdout.splitlines()
    assert 0 < float(quality.strip("[]")) < 60
    assert all(Path(path).is_relative_to(python.parents[1]) for path in files.split())
    assert [path.name for path in tmp_path.iterdir()] == ["me.png"]


def test_without_a_checkout_the_page_is_one_sentence(python, tmp_path):
    done = run(python.parent / "wsr", "app", folder=tmp_path)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2 and said.startswith("wsr: The page is not part of the installed engine: clone"), said
    assert 'pip install -e ".[app]"' in said and "Traceback" not in said
    assert run(python.parent / "wsr", "--help", folder=tmp_path).returncode == 0


def test_an_editable_install_finds_the_page_and_the_scripts_from_any_folder(source, tmp_path):
    python = environment(tmp_path / "environment", PAGE)
    # The new environment uses pip and setuptools of the running one.
    done = run(python, *PIP, *INSTALL, "--no-build-isolation", "-e", source, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = "import app, precompute, wsr; print(*(one.__file__ for one in (app, precompute, wsr)))"
    done = run(python, "-c", found, folder=tmp_path)
    assert [Path(path).parent.parent for path in done.stdout.split()] == [source] * 3, done.stderr
    done = run(python.parent / "wsr", "app", folder=tmp_path)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2 and said.startswith("wsr: The page needs ") and 'pip install -e ".[app]"' in said, said


def test_a_space_installs_what_the_engine_and_the_page_need():
    """A Space reads only requirements.txt, which must list the same packages in the same versions."""
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]
    listed = (ROOT / "requirements.txt").read_text().splitlines()
    assert sorted(listed) == sorted(needed)


def test_gradio_is_pinned_to_releases_that_the_patches_are_tested_with():
    (allowed,) = (
        Requirement(one).specifier for one in PROJECT["optional-dependencies"]["app"] if one.startswith("gradio")
    )
    space = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("sdk_version:"))
    assert version("gradio") in allowed and space.split()[1] in allowed
    assert any(one.operator.startswith("<") for one in SpecifierSet(str(allowed))), "no upper end"
