"""Errors as sentences, one folder a visitor, and the decorator for a Space's GPU."""

import errno
import re
from types import SimpleNamespace

import gradio as gr
import pytest

from app.shell import compute
from wsr.errors import WsrError


@compute.guarded
def handler(error):
    raise error


@compute.guarded
def streaming(error, closed):
    try:
        yield 1
        if error:
            raise error
        yield 2
    finally:
        closed.append(True)


def test_a_mistake_is_told_in_its_own_words():
    with pytest.raises(gr.Error) as told:
        handler(WsrError("The rank must lie between 1 and 16, not 99."))
    assert told.value.message == "The rank must lie between 1 and 16, not 99."


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), ValueError("secret"), FileNotFoundError("/secret")])
def test_anything_else_is_told_without_details_and_logged(error, caplog):
    with pytest.raises(gr.Error) as told:
        handler(error)
    assert told.value.message == compute.UNEXPECTED and "secret" not in str(told.value)
    assert told.value.__suppress_context__
    assert "secret" in caplog.text  # the traceback is for the server's log


def test_streams_are_guarded_and_free_what_they_hold():
    closed = []
    stream = streaming(ZeroDivisionError(), closed)
    assert next(stream) == 1
    with pytest.raises(gr.Error):
        next(stream)
    half = streaming(None, closed)
    next(half)
    half.close()
    assert closed == [True, True]


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "", None, "x" * 500, "ok123", "shared", "\ud800"])
def test_a_session_has_a_folder_inside_our_own(name):
    folder = compute.session_dir(SimpleNamespace(session_hash=name))
    assert folder.parent == compute._ROOT / "visitors" and re.fullmatch(r"[a-f0-9]{40}", folder.name)
    compute.forget(SimpleNamespace(session_hash=name))
    assert not folder.exists()


@pytest.mark.parametrize("name", ["shared", "../shared", "visitors"])
def test_no_visitor_s_leaving_takes_along_what_is_shared_or_another_s(name):
    other = compute.session_dir(SimpleNamespace(session_hash="somebody"))
    (compute.shared_dir() / "surface.glb").write_text("of all")
    compute.forget(SimpleNamespace(session_hash=name))
    assert (compute.shared_dir() / "surface.glb").exists() and other.exists()
    assert compute.session_dir(SimpleNamespace(session_hash="ab")) != compute.session_dir(
        SimpleNamespace(session_hash="a-b")
    )


def test_a_full_disk_is_a_sentence():
    with pytest.raises(gr.Error, match="no space left to write '/data/x'"):
        handler(OSError(errno.ENOSPC, "No space left on device", "/data/x"))


def test_without_a_shared_gpu_the_decorator_changes_nothing():
    def job():
        return 1

    assert compute.gpu(job) is job and compute.gpu(duration=5)(job) is job


def test_a_newer_question_of_the_same_visitor_ends_the_older_answer():
    class Visitor:
        def __init__(self, name):
            self.session_hash = name

    ann, ben = Visitor("ann"), Visitor("ben")
    nothing = (gr.skip(),)  # last of all, because gradio says the last values twice
    older = compute.newest(ann, iter([("a",), ("b",), ("c",)]))
    assert next(older) == ("a",)
    assert list(compute.newest(ben, iter([("x",), ("y",)]))) == [("x",), ("y",), nothing]
    newer = compute.newest(ann, iter([("d",), ("e",)]))
    assert next(newer) == ("d",)
    assert list(older) == [nothing]
    assert list(newer) == [("e",), nothing]


def test_what_a_stream_changes_is_sent_whole():
    """The page applies edits in place to values that it may not have drawn yet."""
    import gradio.utils

    shown, skipped = gr.update(highlight=[1]), gr.skip()
    assert gradio.utils.diff(shown, skipped) == [["replace", [], skipped]]
    assert gradio.utils.diff(shown, dict(shown)) == []


def test_what_stop_says_cannot_come_after_what_it_stops():
    with gr.Blocks() as page:
        button, state = gr.Button("Stop"), gr.HTML()
        compute.wire_stop(button, lambda: None, state)
    said, done = page.fns.values()
    assert said.js and "Stopping" in said.js and said.outputs == [state] and said.fn is None
    assert done.fn and not done.outputs  # its answer may be late: it changes nothing


def test_turns_of_visitors_who_never_left_are_forgotten(monkeypatch):
    monkeypatch.setattr(compute, "MANY", 10)
    monkeypatch.setattr(compute, "_turns", {})
    first = compute.newest(SimpleNamespace(session_hash="first"), iter([("a",), ("b",)]), "map", "panel")
    assert next(first) == ("a",)
    for i in range(40):
        list(compute.newest(SimpleNamespace(session_hash=f"visitor {i}"), iter([("x",)]), "map"))
    assert len(compute._turns) == 10
    assert next(first) == ("b",)  # and it is still answered
