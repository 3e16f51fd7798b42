"""The page as a whole, not served."""

import subprocess
import sys

import gradio as gr

from app import main

LIGHT = """
import sys
from app import main
page = main.build_app()
heavy = [name for name in ("torch", "umap", "trimesh", "sklearn", "scipy", "plotly") if name in sys.modules]
assert not heavy, heavy
"""


def test_the_page_is_built_without_the_engine(assets):
    """The first page must not wait for torch: 2 s and more."""
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_without_assets_the_page_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    page = main.build_app()
    text = " ".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML))
    assert "none are here yet" in text and "<code>make" in text
    main_tabs = ["Atlas", "Fit", "Connect", "Symmetry", "Generate", "Audit"]
    assert [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)] == main_tabs


def test_no_listener_is_a_public_endpoint(assets):
    page = main.build_app()
    assert len(page.fns) > 8
    assert {fn.api_visibility for fn in page.fns.values()} == {"private"}


def test_fits_take_turns_and_looking_does_not_wait_for_them(assets):
    page = main.build_app()
    groups = {}
    for fn in page.fns.values():
        if fn.fn is not None and fn.queue is not False:
            groups.setdefault(fn.concurrency_id, set()).add(fn.fn.__name__)
    assert groups["compute"] == {"fit", "fit_pair", "project", "sample"} and "pick" in groups["look"]
