"""Shared by all tests: shapes in signatures are enforced, and the cache is a folder of this test run."""

import gc
import os
import tempfile
from pathlib import Path

gc.disable()  # until all tests have been imported (`pytest_collection_finish`)
os.environ.setdefault("WSR_CACHE", str(Path(tempfile.gettempdir()) / "wsr-test-cache"))

import jaxtyping  # noqa: E402

import wsr  # noqa: E402, F401  # before torch: it says how threads wait

# jaxtyping signatures of the engine are checked during tests only, since it costs a few percent
CHECKED = (
    "fields", "fitting", "symmetry", "analysis", "generators", "imports", "encoders",
    "modalities.targets", "modalities.image_targets", "modalities.occupancy_targets",
)  # fmt: skip
jaxtyping.install_import_hook([f"wsr.{name}" for name in CHECKED], "beartype.beartype")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from wsr.fields.base import BaseField  # noqa: E402
from wsr.presets import FieldConfig  # noqa: E402

NUMERIC = ("analysis", "bench", "fields", "fitting", "generators", "metrics", "modalities", "symmetry", "zoo")
BROWSER, APP = "tests/browser/", "tests/app/"
# Files that take half a minute or more: begun late, one of them would keep one worker busy when the others are done.
LONG = (
    "tests/additions/", "tests/bench/", "tests/fitting/test_linear_mode", "tests/precompute/test_small",
    "tests/precompute/test_reproduce", "tests/zoo/test_cluster",
)  # fmt: skip


def pytest_ignore_collect(collection_path, config):
    """Leaves out the other folders if only numeric tests run: importing the page's tests takes each worker 10 s."""
    if config.option.markexpr == "numeric" and collection_path.parent == Path(__file__).parent:
        return collection_path.name not in NUMERIC or None


def pytest_xdist_make_scheduler(config, log):
    """Runs the tests of one file one after the other on one worker, since they share what they set up. The tests of the
    app share a server and child processes, and those of the page a server and a browser, as two parts that take as long
    as each other."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return shared_part(nodeid) or super()._split_scope(nodeid)

    config.option.loadscopereorder = False  # in the order of collection, which begins with the longest
    return Scheduling(config, log)


def shared_part(nodeid: str) -> str:
    """The tests that run on the same worker as this one: those of the app, or half of those of the page; "" for other
    tests."""
    if nodeid.startswith(APP):
        return APP
    if not nodeid.startswith(BROWSER):
        return ""
    return f"{BROWSER}{'first' if nodeid < f'{BROWSER}test_f' else 'second'}"


def pytest_collection_modifyitems(items):
    """Puts the tests of the page first, because they take longest and one worker would be left with them at the end,
    then those of the app, and then other long ones. Marks the tests of some folders as `numeric`, except those marked
    `once`; where the CPU has AVX-512 or bf16, `make test` runs these again as without. Skips the tests of a GPU if
    there is none."""
    reason = "needs a CUDA GPU, and there is none here: `sh tools/gpu_check.sh` runs it on a machine that has one"
    early = (BROWSER, APP, LONG)
    items.sort(key=lambda item: next((i for i, part in enumerate(early) if item.nodeid.startswith(part)), len(early)))
    for item in items:
        if item.path.parent.name in NUMERIC and not item.get_closest_marker("once"):
            item.add_marker(pytest.mark.numeric)
        if item.get_closest_marker("cuda") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish():
    """From here on the garbage collector leaves alone what was imported: going through it takes a second each time."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    np.random.seed(0)


def tiny_config(dim: int = 2) -> FieldConfig:
    """A field small enough for any test: 4 layers of 16 channels."""
    return FieldConfig(dim, 16, 2, 6.0, 8, 2, 16, 12, 2)


@pytest.fixture
def config():
    return tiny_config(2)


@pytest.fixture
def base(config):
    field = BaseField(config, seed=1)
    with torch.no_grad():  # styles that differ, which an untrained base does not have
        field.mean_style.copy_(
            1 + 0.3 * torch.randn(field.mean_style.shape, generator=torch.Generator().manual_seed(2))
        )
        field.bias.copy_(0.1 * torch.randn(field.bias.shape, generator=torch.Generator().manual_seed(3)))
    return field.requires_grad_(False)


@pytest.fixture
def points():
    return torch.rand(1, 64, 2, generator=torch.Generator().manual_seed(4)) * 2 - 1
