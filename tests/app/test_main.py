"""The page as a whole, built but not served."""

import os
import subprocess
import sys
from pathlib import Path

import aside
import gradio as gr

from app import main
from app.programs import endpoints
from app.shell.jobs import HALT
from wsr import isolation
from wsr.errors import WsrError

LIGHT = """
import sys
from app import main
page = main.build_app()
heavy = [name for name in ("torch", "umap", "trimesh", "sklearn", "scipy", "plotly") if name in sys.modules]
assert not heavy, heavy
"""


def test_the_page_is_built_without_the_engine(assets):
    """The first page must not wait for importing torch, which takes 2 s or more."""
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_without_assets_the_page_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    page = main.build_app()
    text = " ".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML))
    assert "none are here yet" in text and "<code>make" in text
    main_tabs = ["Atlas", "Fit", "Connect", "Symmetry", "Generate", "Audit", "Results"]
    assert [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)] == main_tabs


def test_no_listener_is_a_public_endpoint_but_the_five_for_programs(built):
    assert len(built.fns) > 8
    public = {fn.api_name for fn in built.fns.values() if fn.api_visibility != "private"}
    assert public == {"fit", "decode", "interpolate", "sample", "audit"} == set(endpoints.ENDPOINTS)


def test_fits_take_turns_and_looking_does_not_wait_for_them(built):
    groups = {}
    for fn in built.fns.values():
        if fn.fn is not None and fn.queue is not False:
            groups.setdefault(fn.concurrency_id, set()).add(fn.fn.__name__)
    assert groups["compute"] == {"fit", "fit_pair", "project", "sample"} and "pick" in groups["look"]
    assert groups["bring"] == {"bring", "judge"}  # which take a minute or more


def test_whoever_follows_a_link_while_a_job_runs_leaves_the_page_whole(built):
    """The page knows by a class of these buttons whether a job is going on; two of them lacked it."""
    stops = [one for one in built.blocks.values() if isinstance(one, gr.Button) and one.value == "Stop"]
    assert len(stops) >= 6 and all(HALT in one.elem_classes for one in stops)


def test_progress_is_kept_by_the_browser_only_where_it_is_shown(built):
    """At each message from the server, gradio updates every part of the page whose progress it has ever kept."""
    for fn in built.fns.values():
        if fn.api_visibility == "private" and not fn.is_cancel_function:  # those are gradio's own, and show nothing
            kept = fn.outputs if fn.show_progress_on is None else fn.show_progress_on
            assert bool(kept) == (fn.show_progress != "hidden"), fn.name


def test_where_priorities_may_not_be_set_the_engine_is_made_ready_at_that_of_the_others(assets, monkeypatch):
    def refuse(*_):
        raise PermissionError("priorities may not be set here")

    monkeypatch.setattr(os, "setpriority", refuse, raising=False)
    from app.shared import library, sheets

    done = []
    monkeypatch.setattr(sheets, "make_missing", lambda: done.append(len(library.collection_names())))
    main._seen.set()
    aside.call(main.warm_up)  # which lowers the priority of its thread
    main._seen.clear()
    assert done == [12]


def test_a_zoo_that_cannot_be_read_is_logged_and_the_others_are_made_ready(assets, monkeypatch, caplog):
    from app.shared import library, networks, sheets
    from app.shell import workers
    from app.tabs.generate import models

    done, ready, broken = [], [], library.collection_names()[0]
    whole = networks.neighbours

    def neighbours(name, item):
        if name == broken:
            raise WsrError("The weights are damaged.")
        done.append(name)
        return whole(name, item)

    monkeypatch.setattr(networks, "neighbours", neighbours)
    monkeypatch.setattr(networks, "start_layers", lambda name: None)
    monkeypatch.setattr(models, "models", list)
    monkeypatch.setattr(sheets, "make_missing", lambda: done.append("thumbnails"))
    monkeypatch.setattr(workers, "warm", lambda: None)
    monkeypatch.setattr(isolation, "warm", lambda: ready.append("files"))
    main._seen.set()
    aside.call(main.warm_up)  # which lowers the priority of its thread
    main._seen.clear()
    assert done == [*library.collection_names()[1:], "thumbnails"] and ready == ["files"]
    assert broken in caplog.text and "damaged" in caplog.text


SERVED = """
import os, resource, signal, socket, sys, threading
import gradio.networking, httpx
from app import main
from wsr.cleanup import TERMINATED, Terminated

def free():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]

gradio.networking.url_ok = lambda url: False  # as when the page does not answer within three seconds
address = main.launch(port=free(), block=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # which ends a write as a full disk does
answer = httpx.post(address + "gradio_api/upload", files={"files": ("x.png", b"x" * 3_000_000)}, timeout=60)
print(answer.status_code, answer.text)
fine = httpx.post(address + "gradio_api/upload", files={"files": ("x.png", b"x" * 1_000)}, timeout=60)
print(fine.status_code)
threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM)).start()
try:
    main.launch(port=free())
except Terminated:
    sys.exit(TERMINATED)
"""


def test_a_full_disk_answers_an_upload_with_a_sentence_and_the_end_leaves_nothing(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRADIO_")}
    environment |= {"WSR_ASSETS": str(tmp_path / "none"), "WSR_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SERVED], cwd=Path(__file__).parents[2], env=environment,
                          capture_output=True, text=True, timeout=200)  # fmt: skip
    said = [line for line in done.stdout.splitlines() if "wsr is at" not in line]
    told = done.stdout + done.stderr[-2000:]
    assert said[0].startswith("507 ") and "the limit that was set for files" in said[0] and said[1] == "200", told
    assert done.returncode == 143, done.stderr[-2000:]
    assert not list(tmp_path.glob("wsr-*"))
