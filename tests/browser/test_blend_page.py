"""Samples that are dragged onto others: however busy the page or the server is, the drag ends in their blend."""

from tests.browser.steps import answered, asked_from_now_on, unfold
from tests.browser.test_late_answers import HELD

BLEND = "between sample 2 and sample 3"


def dragged(page, hold="true"):
    """Drags sample 2 onto sample 3, and lets go once `hold` is true in the page."""
    places = page.evaluate("""() => [1, 2].map((id) => {
        const all = [...document.querySelectorAll(`.wsr-pictures [data-id="${id}"] .wsr-thumb`)];
        const box = all.find((one) => one.checkVisibility()).getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    })""")
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.wait_for_function(hold)
    page.mouse.up()


def opened(page):
    page.get_by_role("tab", name="Generate").click()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    return page.locator(".wsr-blend:visible")


def test_a_blend_stays_when_an_answer_comes_late(page):
    blend = opened(page)
    page.locator(".wsr-pictures:visible [data-id='3']").click()
    dragged(page)  # before the server has answered the click
    blend.locator("figure", has_text=BLEND).wait_for()
    page.locator(".wsr-row:visible", has_text="sample 4").locator("img").first.wait_for()
    page.wait_for_timeout(300)
    assert blend.locator("figure", has_text=BLEND).count() == 1


def test_samples_that_are_dragged_while_they_are_drawn_are_blended_once_they_are_there(page):
    blend = opened(page)
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('tab=generate&data=emoji')")
    answered(page)
    page.get_by_role("button", name="Sample", exact=True).click()
    page.wait_for_function("window.pale = [...document.querySelectorAll('.wsr-stale [data-id]')][1]")
    dragged(page, "!pale.isConnected")
    blend.get_by_text("Samples 2 and 3 are still being drawn").or_(blend.get_by_text(BLEND)).wait_for()
    blend.locator("figure", has_text=BLEND).wait_for()
    assert not page.evaluate("pale.isConnected")  # the blend is one of the new samples
    page.locator(".wsr-blend .wsr-field[aria-busy=false]").wait_for()
    assert blend.locator("img").get_attribute("src").startswith("data:image/png")


def test_the_second_sample_may_be_chosen_with_the_mouse(page):
    blend = opened(page)
    page.locator(".wsr-pictures:visible [data-id='1']").click()
    page.locator(".wsr-row:visible", has_text="sample 2").locator("img").first.wait_for()
    page.get_by_role("button", name="Blend with another").click()
    page.locator(".wsr-pictures:visible [data-id='1']").click()
    blend.get_by_text("blended with itself, sample 2 stays as it is").wait_for()  # and another can be chosen still
    page.locator(".wsr-pictures:visible [data-id='2']").click()
    blend.locator("figure", has_text=BLEND).wait_for()
    assert page.locator(".wsr-second").count() == 0


def test_a_blend_of_no_samples_is_a_sentence_until_there_are_some(page):
    """An empty frame waited for the second of none."""
    blend = opened(page)
    unfold(page, "Settings")
    page.get_by_label("Generator").locator("visible=true").click()
    page.get_by_role("option", name="Gaussian (baseline)").click()
    page.locator(".wsr-state:visible", has_text="Press Sample").wait_for()
    answered(page)
    assert not page.locator(".wsr-pictures:visible [data-id]").count()
    page.get_by_role("button", name="Blend with another").click()
    blend.get_by_text("There are no samples to blend yet").wait_for()
    assert page.locator(".wsr-second").count() == 0
    page.get_by_role("button", name="Sample", exact=True).click()
    blend.get_by_text("There are no samples to blend yet").wait_for(state="detached")


def test_the_sample_that_a_link_has_opened_is_marked_and_is_the_first_of_a_blend(open_page):
    """The blend began with sample 1, whichever was open, until one was pressed; and no sample was marked as open."""
    page = open_page(link="?tab=generate&sample=1")
    page.locator(".wsr-row:visible", has_text="sample 2").locator("img").first.wait_for()
    page.locator(".wsr-pictures:visible [data-id='1'][aria-pressed=true]").wait_for()
    page.get_by_role("button", name="Blend with another").click()
    page.locator(".wsr-pictures:visible [data-id='2']").click()
    page.locator(".wsr-blend:visible figure", has_text=BLEND).wait_for()
    page.locator(".wsr-pictures:visible [data-id='3']").click()
    page.locator(".wsr-pictures:visible [data-id='3'][aria-pressed=true]").wait_for()
    page.wait_for_function("location.search.includes('sample=3')")
    assert page.locator(".wsr-pictures:visible [aria-pressed=true]").count() == 1


def test_a_number_that_no_sample_has_is_a_sentence_below_the_walk(page):
    """gradio's own sentence came as a toast, "Value 99 is greater than maximum value 16", and "Error" stayed below."""
    opened(page)
    unfold(page, "Walk to another sample")
    page.get_by_label("To sample").fill("99")
    page.locator(".wsr-failed:visible", has_text="Samples are numbered 1 to 16, not 99.").wait_for()
    page.get_by_label("To sample").fill("3")
    page.locator(".wsr-failed:visible").wait_for(state="detached")
    answered(page)
    assert not page.locator(".toast-body:visible").count()


def test_a_walk_that_is_asked_for_before_the_first_has_come_is_the_one_that_stays(page):
    """The first walk was drawn at the same time, came later on a busy machine, and took the place of the second."""
    opened(page)
    asked = asked_from_now_on(page, "queue/join")
    page.evaluate(HELD)
    unfold(page, "Walk to another sample")
    page.wait_for_function("window.held.length === 1")
    page.get_by_label("To sample").fill("99")
    page.wait_for_timeout(1000)
    assert len(asked) == 1
    page.evaluate("() => { window.held.forEach((done) => done()); window.held.push = (done) => done(); }")
    answered(page)
    page.locator(".wsr-failed:visible", has_text="Samples are numbered 1 to 16, not 99.").wait_for()
    assert not page.get_by_text("of the way from sample 1").locator("visible=true").count()
