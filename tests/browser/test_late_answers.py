"""Answers of the server that come after the visitor has gone on."""

from tests.browser.pixels import DIFFERENCE

# Answers of the server wait until they are let go.
HELD = """() => {
  const ask = window.fetch;
  window.held = [];
  window.fetch = async (url, ...more) => {
    const answer = await ask(url, ...more);
    if (String(url.url ?? url).includes("queue/data")) await new Promise((done) => window.held.push(done));
    return answer;
  };
}"""


def test_a_late_answer_is_shown_at_the_place_that_the_slider_has_by_then(page):
    page.get_by_role("tab", name="Connect").click()
    picture, slider = page.locator(".wsr-six figure:visible img").first, page.locator("input[type=range]:visible").first
    picture.wait_for()
    other = "before => document.querySelector('.wsr-six figure img')?.src !== before"

    def change(act):
        """Waits for another picture, and until it stays."""
        before = picture.get_attribute("src")
        act()
        page.wait_for_function(other, arg=before)
        page.wait_for_timeout(1000)
        page.locator(".wsr-six .wsr-field[aria-busy=true]").wait_for(state="detached")

    def press(key):
        slider.focus()
        page.keyboard.press(key)

    targets = page.locator(".wsr-pictures button:visible")
    change(targets.nth(1).click)
    change(lambda: press("Home"))
    begun = picture.get_attribute("src")
    change(targets.nth(0).click)
    change(lambda: press("End"))
    page.evaluate(HELD)
    targets.nth(1).click()
    page.wait_for_function("window.held.length === 1")
    page.evaluate("window.held[0]()")  # which target it is
    page.wait_for_function("window.held.length === 2")  # its pictures are on their way, as at the end
    change(lambda: press("Home"))
    page.evaluate("window.held[1]()")
    for _ in range(100):
        page.wait_for_timeout(200)
        if (apart := page.evaluate(DIFFERENCE, [begun, picture.get_attribute("src")])) <= 1:
            break
    assert apart <= 1
