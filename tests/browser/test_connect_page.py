"""Connect in a browser, on a phone."""

import json

from app.shell import snippets
from app.tabs.connect.handlers import FITTED, NOTHING_NEW
from app.tabs.connect.view import ANSWERED
from tests.browser.steps import answered, open_tab, unfold


def test_what_a_live_pair_has_become_comes_into_view_on_a_phone(open_page):
    """Its pictures and curves stand above its settings: whoever had pressed "Fit two" saw a sentence about them."""
    page = open_page(viewport={"width": 390, "height": 844})
    open_tab(page, "Connect")
    page.locator(".wsr-six figure:visible img").first.wait_for()
    answered(page)
    unfold(page, "Fit a new pair, live")
    place = "document.querySelector('.wsr-walked').getBoundingClientRect().top"
    page.get_by_role("button", name="Fit two").scroll_into_view_if_needed()
    away = page.evaluate(place)
    assert away < 0
    page.evaluate(f"({ANSWERED})({json.dumps(snippets.settled(NOTHING_NEW))})")
    page.wait_for_timeout(500)
    assert page.evaluate(place) == away
    page.evaluate(f"({ANSWERED})({json.dumps(snippets.settled(FITTED))})")
    page.wait_for_function(f"Math.abs({place}) < 3")
