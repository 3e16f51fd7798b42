"""What is inserted into the head of the page is there, and nothing else is changed."""

import gzip

import aside
import brotli
import pytest

from app.shell.head import Head


def answer(path, body, kind, headers=(), method="GET", text="<script>first()</script>", root="", takes=b"identity"):
    async def application(scope, receive, send):
        lines = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": body[half:]})

    sent = []

    async def send(message):
        sent.append(message)

    accept = [(b"accept-encoding", takes)]
    scope = {"type": "http", "method": method, "path": path, "root_path": root, "headers": accept}
    aside.run(Head(application, text)(scope, None, send))
    whole = b"".join(message.get("body", b"") for message in sent)
    found = dict(sent[0]["headers"])
    assert int(found[b"content-length"]) == len(whole)
    unpack = {b"gzip": gzip.decompress, b"br": brotli.decompress}.get(found.get(b"content-encoding"))
    return unpack(whole) if unpack and takes != b"identity" else whole


PAGE = b"<html><head><title>wsr</title></head><body></head></body></html>"


@pytest.mark.parametrize(("path", "root"), [("/", ""), ("", ""), ("/space/", "/space"), ("/", "/space")])
@pytest.mark.parametrize("takes", [b"identity", b"gzip, deflate", b"gzip, deflate, br"])
def test_the_page_gets_it_once_in_its_head(path, root, takes):
    found = answer(path, PAGE, b"text/html; charset=utf-8", root=root, takes=takes)
    assert found == PAGE.replace(b"</head>", b"<script>first()</script></head>", 1)


@pytest.mark.parametrize(
    "other", [{"path": "/config"}, {"kind": b"application/json"}, {"method": "POST"},
              {"headers": [(b"content-encoding", b"br")]}],
)  # fmt: skip
def test_anything_else_passes_as_it_is(other):
    assert answer(**{"path": "/", "body": PAGE, "kind": b"text/html", **other}) == PAGE
