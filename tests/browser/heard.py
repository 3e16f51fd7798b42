"""What a page says and asks for during a test."""

import time

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Request

# Babylon.js, inside gr.Model3D, asks for WebGPU first and goes on without it.
HARMLESS = (
    "WebGPU",
    "AbortError",  # gradio's open requests, when a test leaves the page
)
# What gradio says once a page that is left is cut off: from the server, and then from what the server kept for it.
CUT_OFF = ("Unexpected error Connection errored out.", "Unexpected error 404: Not Found")
QUESTIONS = ("queue/join", "queue/data")
END = "\n--- and the page shows ---\n"


class Heard:
    """What a page says and asks for from now on: `errors`, and the `strangers` that it contacts."""

    listening: list["Heard"] = []  # all that have not stopped

    def __init__(self, page: Page, address: str):
        self.page, self.address, self.errors, self.strangers = page, address, [], []
        self.began, self.lines = time.monotonic(), []  # of the story
        self.open: set[Request] = set()  # what gradio waits for
        self.leaving = False  # from a request for another page until that page is there
        self.listeners = {
            "pageerror": lambda error: self.errors.append(str(error)),
            "console": self._said,
            "request": self._asked,
            "requestfinished": lambda request: self._over(request, "answered"),
            "requestfailed": lambda request: self._over(request, "cut off"),
            "domcontentloaded": lambda _: setattr(self, "leaving", False),
        }
        for event, listener in self.listeners.items():
            page.on(event, listener)
        Heard.listening.append(self)

    @staticmethod
    def of(page: Page) -> "Heard":
        return next(heard for heard in Heard.listening if heard.page == page)

    def stop(self) -> None:
        for event, listener in self.listeners.items():
            self.page.remove_listener(event, listener)
        Heard.listening.remove(self)

    def wrong(self) -> list[str]:
        """Errors and strangers so far."""
        return [text for text in self.errors if not any(word in text for word in HARMLESS)] + self.strangers

    def check(self) -> None:
        assert not self.wrong()

    def story(self) -> str:
        """What happened in the page, for whoever reads of a failure that comes only now and then."""
        try:
            seen = self.page.locator("body").inner_text(timeout=5000)
        except PlaywrightError as error:
            seen = f"The page does not answer: {error}"
        return "\n".join([self.page.url, *self.lines[-60:], *self.errors, *self.strangers]) + END + seen[:3000]

    def _said(self, said) -> None:
        if said.type == "error" and not (self.leaving and said.text.startswith(CUT_OFF)):
            self.errors.append(said.text)

    def _asked(self, request: Request) -> None:
        self._noted(request, "asked")
        if any(one in request.url for one in QUESTIONS):
            self.open.add(request)
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.leaving = True
            # before it asks for another page, gradio ends its own streams, and then complains that they have ended
            while self.errors and self.errors[-1].startswith((*CUT_OFF, "AbortError")):
                self.errors.pop()
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.strangers.append(request.url)

    def _over(self, request: Request, how: str) -> None:
        self._noted(request, how)
        self.open.discard(request)

    def _noted(self, request: Request, what: str) -> None:
        if request.url.startswith(self.address):
            path = request.url.removeprefix(self.address).partition("?")[0]
            data = (request.post_data or "")[:200] if "queue/join" in path else ""
            self.lines.append(f"{time.monotonic() - self.began:.1f} s: {what} {path} {data}")
