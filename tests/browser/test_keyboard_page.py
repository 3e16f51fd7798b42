"""Where the keyboard is on the page, and that it is never thrown back to the beginning."""

import pytest

from tests.browser.steps import TWO_FRAMES, answered, open_tab

LISTS = "[role=listbox]:visible"


@pytest.mark.kept
def test_the_tab_key_passes_over_a_list_that_scrolls(page):
    """A list that scrolls can have the keyboard itself, and took it away when it closed."""
    colour = page.get_by_label("Colour", exact=True).locator("visible=true")
    colour.focus()
    choices = page.locator(LISTS).first
    choices.wait_for()
    choices.evaluate("list => list.style.maxHeight = '40px'")
    page.evaluate(TWO_FRAMES)
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)  # by then a list that has been left is closed
    assert page.evaluate("document.activeElement.ariaLabel") == "Only these classes"


HERE = "document.activeElement.textContent.trim()"


def test_the_keyboard_keeps_its_place_where_a_button_goes(page):
    """It was thrown back to the page by every button that starts a job, by the last card, and by a change of tabs."""
    open_tab(page, "Symmetry")
    cards = page.locator(".wsr-steps label:visible")
    cards.nth(-2).click()
    page.get_by_role("button", name="Next card").locator("visible=true").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{HERE} === '← Back'")
    open_tab(page, "Fit")
    page.locator(".wsr-pictures:visible button").first.focus()
    page.keyboard.press("Enter")
    answered(page)
    fit = page.get_by_role("button", name="Fit", exact=True)
    fit.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{HERE} === 'Stop'")
    page.locator(".wsr-state:visible", has_text="Done after").wait_for()
    page.wait_for_function(f"{HERE} === 'Fit'")
    page.get_by_role("button", name="Place on the map").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{HERE} === 'Atlas'")


@pytest.mark.kept
def test_after_a_click_the_keyboard_stays_where_it_was(page):
    """The space bar scrolls the page then, and must not press Stop."""
    open_tab(page, "Fit")
    page.locator(".wsr-pictures:visible button").first.click()
    answered(page)
    page.get_by_role("button", name="Fit", exact=True).click()
    page.locator(".wsr-state:visible", has_text="Done after").wait_for()
    assert page.evaluate("document.activeElement === document.body")
