"""Steps of a visitor that need more than a click."""

from playwright.sync_api import Locator, Page

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


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


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.evaluate(TWO_FRAMES)
