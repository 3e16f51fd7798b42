"""Steps of a visitor that need more than a click."""

from playwright.sync_api import Locator, Page, Request

from tests.browser.heard import Heard

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
IDLE = "new Promise((done) => requestIdleCallback(done, { timeout: 10000 }))"
UNANSWERED = "window.wsrUnanswered?.()"


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()


def unfold(page: Page, title: str) -> None:
    """Opens the accordion of this title on the tab that is on screen.

    gradio shows what is in it and, a few frames later, gives it the values of before once more: what was typed in
    between is lost. Nobody is that quick, but a test beside busy processes is.
    """
    page.get_by_text(title, exact=True).locator("visible=true").click()
    _settle(page)


def type_into(field: Locator, text: str) -> None:
    """Types until the field keeps it, see `unfold`."""
    for _ in range(5):
        field.fill(text)
        field.press("Enter")
        _settle(field.page)
        if field.input_value() == text:
            return
    raise AssertionError(f"The field does not keep {text!r}.")


def answered(page: Page) -> None:
    """Waits until the server has answered all that the page has asked, and the page asks no more. A page that is busy
    drawing may be about to ask: it has to be idle, too."""
    heard, quiet = Heard.of(page), 0
    while quiet < 5:
        page.wait_for_timeout(100)
        page.evaluate(IDLE)
        quiet = 0 if heard.open or page.evaluate(UNANSWERED) else quiet + 1


def asked_from_now_on(page: Page, part: str = "") -> list[Request]:
    """Returns a list to which the page's requests to the server will be added, those with `part` in their address. What
    it has asked before is waited for."""
    asked, address = [], Heard.of(page).address
    answered(page)
    page.on(
        "request",
        lambda request: asked.append(request) if request.url.startswith(address) and part in request.url else None,
    )
    return asked


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.evaluate(TWO_FRAMES)
