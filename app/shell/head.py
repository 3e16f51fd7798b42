"""Middleware that adds text to the head of the page that the server sends, and compresses the page.

Gradio's own `head` (`launch(head=…)`) is added by its scripts, a second later.
"""

import functools
import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

KEYBOARD = f"<script>{Path(__file__).with_name('keyboard.js').read_text()}</script>"
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Head:
    """ASGI middleware that inserts `text` at the end of the page's <head> and compresses the page for browsers that
    accept gzip. Other answers pass unchanged."""

    def __init__(self, app: Callable[..., Awaitable[None]], text: str):
        self.app, self.text = app, text.encode()

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        page = scope["type"] == "http" and scope["method"] == "GET" and _is_page(scope)
        await self.app(scope, receive, _Page(send, self.text, _takes_gzip(scope)) if page else send)


def _is_page(scope: Message) -> bool:
    return scope["path"].removeprefix(scope.get("root_path", "")).strip("/") == ""


def _takes_gzip(scope: Message) -> bool:
    return any(b"gzip" in value for name, value in scope["headers"] if name.lower() == b"accept-encoding")


@functools.lru_cache(maxsize=4)
def _compressed(page: bytes) -> bytes:
    """Compresses a page once for all visitors: it is the same for everybody and takes 30 ms."""
    return gzip.compress(page, compresslevel=9, mtime=0)


class _Page:
    """Collects an answer until it is complete, because its length is sent before it."""

    def __init__(self, send: Send, text: bytes, small: bool):
        self.send, self.text, self.small, self.begun, self.body = send, text, small, {}, b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = {name.lower(): value for name, value in self.begun["headers"]}
        if headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers:
            self.body = self.body.replace(b"</head>", self.text + b"</head>", 1)
            headers[b"vary"] = b", ".join(filter(None, (headers.get(b"vary"), b"Accept-Encoding")))
            if self.small:
                self.body = _compressed(self.body)
                headers[b"content-encoding"] = b"gzip"
            headers[b"content-length"] = str(len(self.body)).encode()
        await self.send({**self.begun, "headers": list(headers.items())})
        await self.send({**message, "body": self.body})
