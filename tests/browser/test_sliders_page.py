"""gradio's sliders and numbers in a browser: the field beside them, what is beyond their ends, and the button that
brings the first value back."""

import pytest

from tests.browser.pixels import SHOWN
from tests.browser.steps import TWO_FRAMES, answered, open_tab, type_into, unfold

ALPHA = ".wsr-walk:visible"
DRAWN = "document.querySelector('.wsr-walked .wsr-field').ariaBusy !== 'true'"
OTHER = f"before => {DRAWN} && JSON.stringify(({SHOWN})()) !== before"
SAME = f"wanted => {DRAWN} && JSON.stringify(({SHOWN})()) === wanted"


def shown(page):
    """The six pictures with their notes, once they are whole."""
    page.wait_for_function(DRAWN)
    return page.evaluate(f"JSON.stringify(({SHOWN})())")


def walk(page):
    open_tab(page, "Connect")
    page.locator(".wsr-six figure img:visible").nth(5).wait_for()
    page.locator(".wsr-strip:visible button[aria-pressed=true]").wait_for()
    answered(page)  # a page that was open before has the pictures already, and gets them once more
    return page.locator(f"{ALPHA} input[type=range]"), page.locator(f"{ALPHA} input[type=number]")


@pytest.mark.kept
def test_the_first_value_of_a_slider_comes_back_with_what_it_draws(page):
    """In an earlier version, the slider was back at 0.5, and the pictures, the numbers and the chart were not."""
    slider, _ = walk(page)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")  # so that the page has drawn the pictures, too
    page.wait_for_timeout(300)
    first = shown(page)
    page.keyboard.press("Home")
    page.wait_for_function(OTHER, arg=first)
    page.locator(ALPHA).get_by_role("button", name="Reset to default value").click()
    page.wait_for_function(SAME, arg=first)
    assert slider.input_value() == "0.5"
    page.wait_for_function("location.search.includes('alpha=0.5&')")


@pytest.mark.kept
def test_a_number_beyond_a_slider_s_ends_counts_as_the_end(page):
    """In an earlier version, the weights at α = 7 were drawn, at −1389.9 dB, and stayed beside a slider at 1."""
    slider, field = walk(page)
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("location.search.includes('alpha=1&')")
    answered(page)
    end = shown(page)
    page.keyboard.press("Home")
    page.wait_for_function(OTHER, arg=end)
    answered(page)
    first = shown(page)
    for text in ("7", "-1", ""):
        field.fill(text)
        page.evaluate(TWO_FRAMES)
        assert shown(page) == first  # what is being typed is not counted yet
    field.fill("7")
    field.press("Tab")
    page.wait_for_function("location.search.includes('alpha=1&')")
    page.wait_for_function(SAME, arg=end)
    assert field.input_value() == "1" == slider.input_value()
    field.fill("")
    field.press("Enter")
    page.wait_for_function("document.querySelector('.wsr-walk input[type=number]').value === '1'")
    assert shown(page) == end


def test_a_seed_that_there_is_not_is_said_in_the_line(page):
    """gradio refused it, and the page showed nothing of that: a press on Sample did nothing, without a word."""
    open_tab(page, "Generate")
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    unfold(page, "Settings")
    seed = page.get_by_label("Seed").locator("visible=true")
    type_into(seed, "100000")
    page.get_by_role("button", name="Sample", exact=True).click()
    page.locator(
        ".wsr-failed:visible", has_text="The seed must lie between 0 and 99999, and '100000' does not."
    ).wait_for()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    assert not page.locator(".wsr-stale:visible").count()
