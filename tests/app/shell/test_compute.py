"""Errors are shown as sentences, and the decorator for a Space's GPU works."""

import errno

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


def test_a_full_disk_is_a_sentence():
    with pytest.raises(gr.Error, match="no space left to write '/data/x'"):
        handler(OSError(errno.ENOSPC, "No space left on device", "/data/x"))


def test_without_a_shared_gpu_the_decorator_changes_nothing():
    def job():
        return 1

    assert compute.gpu(job) is job and compute.gpu(duration=5)(job) is job


def test_what_a_stream_changes_is_sent_whole():
    """The page applies edits in place to values that it may not have rendered yet."""
    import gradio.utils

    shown, skipped = gr.update(highlight=[1]), gr.skip()
    assert gradio.utils.diff(shown, skipped) == [["replace", [], skipped]]
    assert gradio.utils.diff(shown, dict(shown)) == []
