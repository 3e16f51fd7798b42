"""The page, including its head, is sent compressed; streams are not delayed by it."""

import gzip
import http.client
import json
import time

import brotli
import gradio as gr
import pytest

from app import main
from app.components.plotly_chart import FIRST_PICTURE, PRELOAD
from app.shell import head

PAUSE = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A small page behind the app's middleware."""

    def slowly():
        for word in ("first", "second", "third"):
            yield word + "!" * 2000
            time.sleep(PAUSE)

    with gr.Blocks() as page:
        gr.HTML("a long page " * 5000)
        gr.Button().click(slowly, None, gr.Textbox(), api_name="slowly")
    path = tmp_path_factory.mktemp("files") / "surface.glb"
    path.write_bytes(b"\0" * 100_000)
    _, address, _ = page.queue().launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, allowed_paths=[str(path)],
        app_kwargs={"middleware": main.middleware()},
    )  # fmt: skip
    yield address, path
    page.close()


def ask(server, path, encoding="gzip, deflate, br", method="GET", body=None):
    connection = http.client.HTTPConnection(server[0].split("/")[2], timeout=60)
    headers = {"Accept-Encoding": encoding, "Content-Type": "application/json"}
    connection.request(method, path, body=body, headers=headers)
    return connection.getresponse()


def test_the_page_is_compressed_with_what_we_put_into_its_head(server):
    answer = ask(server, "/")
    sent = answer.read()
    assert answer.headers["content-encoding"] == "br" and "Accept-Encoding" in answer.headers["vary"]
    page = brotli.decompress(sent)
    assert (PRELOAD + FIRST_PICTURE).encode() in page and len(sent) < len(page) / 3
    assert int(answer.headers["content-length"]) == len(sent)
    older = ask(server, "/", encoding="gzip, deflate")
    assert older.headers["content-encoding"] == "gzip" and gzip.decompress(older.read()) == page
    plain = ask(server, "/", encoding="identity")
    assert plain.headers["content-encoding"] is None
    assert (PRELOAD + FIRST_PICTURE).encode() in plain.read()


def test_the_page_is_compressed_once_and_not_for_each_visitor(server):
    ask(server, "/").read()
    before = head._compressed.cache_info()
    ask(server, "/").read()
    after = head._compressed.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)


def test_data_is_compressed_and_files_of_numbers_are_not(server):
    assert ask(server, "/config").headers["content-encoding"] == "gzip"
    answer = ask(server, f"/gradio_api/file={server[1]}")
    assert answer.status == 200 and answer.headers["content-encoding"] is None
    assert int(answer.headers["content-length"]) == len(answer.read()) == 100_000


def test_events_arrive_when_they_are_sent(server):
    body = json.dumps({"data": [], "fn_index": 0, "session_hash": "visitor"})
    assert ask(server, "/gradio_api/queue/join", method="POST", body=body).status == 200
    answer = ask(server, "/gradio_api/queue/data?session_hash=visitor")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["content-encoding"] is None
    seen = {}
    for line in answer:
        for word in (b"first", b"second", b"third"):
            if word in line:
                seen.setdefault(word, time.monotonic())
        if b"close_stream" in line:
            break
    assert seen[b"second"] - seen[b"first"] > PAUSE / 2 and seen[b"third"] - seen[b"second"] > PAUSE / 2
