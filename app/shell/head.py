"""Middleware that adds text to the head of the page that the server sends, and compresses the page.

Gradio's own `head` (`launch(head=…)`) is added by its scripts, a second later. Its template describes the page as
gradio's to whoever shows a link to it as a card, so those descriptions are replaced by ours.
"""

import functools
import html
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.compressed import compressed, taken
from app.shell import glossary

_HERE = Path(__file__).parent
_FILES = ("clocks.js", "in_order.js", "answers.js", "keyboard.js", "kept_place.js", "sliders.js", "follow.js")
_WRITTEN = [*((_HERE / name).read_text() for name in _FILES), glossary.script()]
SIDEWAYS = (_HERE / "sideways.css").read_text()
_STYLE = (_HERE / "guide.css").read_text() + SIDEWAYS
SCRIPTS = f"<style>{_STYLE}</style>" + "".join(f"<script>{one}</script>" for one in _WRITTEN)
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
_THEIRS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')
HERE = "{here}"  # in the text, in place of the page's own address: who draws cards needs whole addresses


def card(title: str, description: str, picture: str) -> str:
    """Returns the tags from which other sites draw a card of a link to the page. picture: the address of its picture
    below the page's own."""
    said = {"title": title, "description": description, "image": f"{HERE}{picture}", "url": HERE, "type": "website"}
    tags = [f'<meta property="og:{name}" content="{html.escape(value)}">' for name, value in said.items()]
    return "".join(
        [
            *tags,
            '<meta name="twitter:card" content="summary_large_image">',
            f'<meta name="description" content="{html.escape(description)}">',
        ]
    )


class Head:
    """ASGI middleware that inserts `text` at the end of the page's <head>, in place of what gradio tells those who draw
    cards of links, and compresses the page as the browser takes it. Other answers pass unchanged."""

    def __init__(self, app: Callable[..., Awaitable[None]], text: str):
        self.app, self.text = app, text

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        page = scope["type"] == "http" and scope["method"] == "GET" and _is_page(scope)
        if not page:
            return await self.app(scope, receive, send)
        text = self.text.replace(HERE, html.escape(_here(scope))).encode()
        await self.app(scope, receive, _Page(send, text, _encoding(scope)))


def _here(scope: Message) -> str:
    """Returns the page's own address as its visitor wrote it, by what a proxy says of it."""
    told = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = told.get(b"x-forwarded-host") or told.get(b"host", "")
    scheme = told.get(b"x-forwarded-proto") or scope.get("scheme", "http")
    first = [text.partition(",")[0].strip() for text in (scheme, host)]  # each proxy on the way may have added its own
    return f"{first[0]}://{first[1]}{scope.get('root_path', '').rstrip('/')}/"


def _is_page(scope: Message) -> bool:
    return scope["path"].removeprefix(scope.get("root_path", "")).strip("/") == ""


# A page repeats itself over more than the 32 kB that gzip looks back: of 0.89 MB Brotli makes 0.09 in 10 ms, gzip 0.19.
QUALITY = 5


def _encoding(scope: Message) -> str:
    accepted = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"accept-encoding"]
    return taken(",".join(accepted))


@functools.lru_cache(maxsize=4)
def _compressed(page: bytes, encoding: str) -> bytes:
    """Compresses a page once for all visitors: it is the same for everybody."""
    return compressed(page, encoding, QUALITY)


class _Page:
    """Collects an answer until it is complete, because its length is sent before it."""

    def __init__(self, send: Send, text: bytes, encoding: str):
        self.send, self.text, self.encoding, self.begun, self.body = send, text, encoding, {}, b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = {name.lower(): value for name, value in self.begun["headers"]}
        if headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers:
            self.body = _THEIRS.sub(b"", self.body).replace(b"</head>", self.text + b"</head>", 1)
            headers[b"vary"] = b", ".join(filter(None, (headers.get(b"vary"), b"Accept-Encoding")))
            if self.encoding:
                self.body = _compressed(self.body, self.encoding)
                headers[b"content-encoding"] = self.encoding.encode()
            headers[b"content-length"] = str(len(self.body)).encode()
        await self.send({**self.begun, "headers": list(headers.items())})
        await self.send({**message, "body": self.body})
