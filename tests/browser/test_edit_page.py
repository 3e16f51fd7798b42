"""The Edit row in a browser: a slider moves the open network, and its pixels change."""


def test_a_slider_changes_the_pixels_of_a_sample_and_reset_brings_them_back(page):
    page.get_by_role("tab", name="Generate").click()
    pictures = "[...document.querySelectorAll('.wsr-row img')].filter(i => i.offsetParent).map(i => i.src)"
    page.wait_for_function(f"{pictures}.length >= 1")
    before = page.evaluate(pictures)
    page.get_by_role("button", name="Edit").click()
    amount = page.get_by_label("number input for Amount").locator("visible=true")
    amount.wait_for()
    attribute = page.get_by_label("Attribute", exact=True).locator("visible=true")
    page.wait_for_function("input => input.value", arg=attribute.element_handle())
    amount.fill("3")
    amount.press("Enter")
    page.wait_for_function(f"before => {pictures}.length === 2 && !before.includes({pictures}[1])", arg=before)
    after = page.evaluate(pictures)
    assert after[1] != after[0]  # the unedited picture differs from the edited one
    assert "asked for" in page.locator(".wsr-ledger:visible", has_text=attribute.input_value()).inner_text()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function(f"before => JSON.stringify({pictures}) === JSON.stringify(before)", arg=before)
    assert amount.input_value() == "0"
