"""The Results tab in a browser: cells and claims open their records, and links open them again."""

import pytest

from tests.browser.steps import answered

RECORD = ".wsr-record:visible"


def test_a_cell_opens_with_its_command_by_mouse_and_by_keyboard(page):
    """After this tab, a visitor says: here is what they claimed, what these people measured, and how to check it."""
    page.get_by_role("tab", name="Results").click()
    cells = page.locator("td button:visible")
    cells.first.wait_for()
    cells.nth(0).click()
    page.locator(RECORD, has_text="--data faces").wait_for()
    page.wait_for_function("location.search.includes('claim=table1')")
    cells.nth(1).hover()
    page.locator(".wsr-hint:visible", has_text="--data shapes10").wait_for()
    cells.nth(3).focus()
    page.keyboard.press("Enter")
    page.locator(RECORD, has_text="--data shapes10").wait_for()
    assert [cells.nth(i).get_attribute("aria-pressed") for i in (0, 3)] == ["false", "true"]
    outline = cells.nth(3).evaluate("cell => getComputedStyle(cell).outlineStyle")
    assert outline == "solid"
    page.get_by_label("✗ refuted").click()
    page.locator(".wsr-small:visible", has_text="Such claims are in").wait_for()
    assert "--data shapes10" in page.locator(RECORD).inner_text()  # what is open stays open
    page.get_by_label("all claims").click()
    page.get_by_label("Figure 3").check()  # and gives way to a claim of another table
    page.locator(RECORD, has_text="figure3.").wait_for()
    page.wait_for_function("!location.search.includes('claim=')")


@pytest.mark.kept
def test_a_term_is_explained_where_a_tap_presses_nothing(page):
    """In a card, which is a button, a tap on an underlined word opened the claim."""
    page.get_by_role("tab", name="Results").click()
    page.locator("[role=tabpanel]:visible .wsr-term").first.wait_for()
    assert page.locator("button .wsr-term").count() == 0


def test_a_link_opens_a_claim_and_leads_on(open_page):
    page = open_page(link="?tab=results&claim=figure3.steady.mlora-asym")
    record = page.locator(RECORD, has_text="Refuted")
    record.wait_for()
    assert page.get_by_role("tab", name="Results").get_attribute("aria-selected") == "true"
    assert page.get_by_label("Figure 3").is_checked()
    record.get_by_role("link", name="Connect").click()
    page.locator("[role=tab][aria-selected=true]:has-text('Connect')").wait_for()
    page.locator(".wsr-six figure img:visible").first.wait_for()


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
ON_SCREEN = """() => {
    const {top, bottom} = document.querySelector('.wsr-record').getBoundingClientRect();
    return top < innerHeight && bottom > 0;
}"""


def test_a_phone_shows_the_claim_of_a_link(open_page):
    """It opened at the top of the tab, four screens above the claim."""
    page = open_page(link="?tab=results&claim=figure3.steady.mlora-asym", **PHONE)
    page.locator(RECORD, has_text="Refuted").wait_for()
    page.wait_for_function(ON_SCREEN)


def test_a_lesson_asks_about_a_claim_before_it_shows_the_verdict(open_page):
    """The page scrolled to the record: it said "Refuted", and the question was out of sight above it."""
    page = open_page(link="?lesson=barriers&step=5", **PHONE)
    page.locator(RECORD, has_text="Refuted").wait_for()
    answered(page)
    strip = page.locator("#wsr-lesson")
    assert strip.get_by_role("button", name="Refuted").bounding_box()["y"] > 0 and not page.evaluate(ON_SCREEN)
    strip.get_by_role("button", name="Refuted").tap()
    page.locator("button[data-id]:visible").last.tap()
    page.wait_for_function(ON_SCREEN)


def test_a_phone_shows_the_record_of_what_is_tapped(open_page):
    page = open_page(link="?tab=results", **PHONE)
    page.locator("td button:visible").first.tap()
    page.locator(RECORD, has_text="--data faces").wait_for()
    page.wait_for_function(ON_SCREEN)
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    tabs = page.locator("[role=tab]:visible")
    assert {tab.inner_text() for tab in tabs.all()} >= {"Atlas", "Audit", "Results"}
