"""Answers of the server that come after the visitor has gone on."""

from on_map import PLACE, picked

from app.shell import compute
from app.tabs.connect.view import OLD
from tests.browser.pixels import DIFFERENCE
from tests.browser.steps import answered, unfold

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

PALE = """() => [".wsr-look", ".wsr-walked", ".wsr-curves"].every(
  (part) => Number(getComputedStyle(document.querySelector(part)).opacity) < 0.5)"""
PALE_CARD = """() => [...document.querySelectorAll(".wsr-nth-1 .wsr-card > * + *")].every(
  (part) => Number(getComputedStyle(part).opacity) < 0.5)"""
NAMES = "[...document.querySelectorAll('.wsr-plot .legendtext')].map((one) => one.textContent).join()"


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
    page.wait_for_function(PALE)  # it tells of the target before
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
    page.wait_for_function("!document.querySelector('[class*=wsr-old]')")


def test_what_tells_of_the_target_before_stays_pale_until_the_last_answer(page):
    """A target that was pressed while another data set was on its way was answered first: what told of the data set
    before looked valid again, beside the name of the new one."""
    page.get_by_role("tab", name="Connect").click()
    page.locator(".wsr-six figure:visible img").first.wait_for()
    for by in ("data", "target"):
        page.evaluate(compute.outdated(OLD, by))
    page.wait_for_function(PALE)
    page.evaluate(compute.answered("target"))
    page.wait_for_timeout(600)  # longer than the change of colour takes
    assert page.evaluate(PALE)
    page.evaluate(compute.answered("data"))
    page.wait_for_function(f"!({PALE})()")
    answered(page)
    page.evaluate(HELD)
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()
    page.wait_for_function(PALE)
    page.evaluate("() => { window.held.forEach((done) => done()); window.held.push = (done) => done(); }")
    page.wait_for_function(f"!({PALE})()")


def test_cards_about_the_item_before_are_pale_until_their_answers_have_come(page):
    """Pictures of one data set stood beside the name of another, for as long as its first item was looked for."""
    page.get_by_role("tab", name="Symmetry").click()
    page.locator(".wsr-card figure:visible img").first.wait_for()
    answered(page)
    page.evaluate(HELD)
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()
    page.wait_for_function(PALE_CARD)
    page.evaluate("() => { window.held.forEach((done) => done()); window.held.push = (done) => done(); }")
    page.wait_for_function("!document.querySelector('[class*=wsr-old]')")


def test_a_choice_counts_that_is_made_before_the_one_before_is_answered(page):
    """gradio dropped it: the data set that was chosen last was marked, and the map stayed that of the first."""
    before = page.evaluate(NAMES)
    here, other = (page.get_by_label(name, exact=True).locator("visible=true") for name in ("Emoji", "Shapes"))
    answered(page)  # answers that come in a stream which is open already are not held
    page.evaluate(HELD)
    other.click()
    page.wait_for_function("window.held.length === 1")
    here.click()
    page.evaluate("() => { window.held.forEach((done) => done()); window.held.push = (done) => done(); }")
    page.wait_for_function("location.search.includes('data=emoji')")
    answered(page)
    assert here.is_checked() and page.evaluate(NAMES) == before


def other_data_set(page):
    """Chooses one, and returns what its map names once it is there."""
    before = page.evaluate(NAMES)
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()
    page.wait_for_function(f"before => {NAMES} && {NAMES} !== before", arg=before)
    return page.evaluate(NAMES)


def test_what_was_judged_of_a_map_goes_with_it(page):
    """Scores of a map stayed, and were false, when another data set was chosen."""
    scores = page.locator("dt:visible", has_text="trustworthiness")
    unfold(page, "How far to trust the map")
    unfold(page, "Another projection")
    page.get_by_role("button", name="Judge the map on screen").click()
    scores.wait_for()
    other_data_set(page)
    answered(page)
    assert not scores.count()


def test_a_projection_that_is_done_after_another_data_set_was_chosen_is_not_its_map(page):
    """The map of the data set that had been left took the place of the one on screen."""
    unfold(page, "Another projection")
    page.get_by_label("PCA", exact=True).locator("visible=true").last.click()
    page.get_by_role("button", name="Compute").click()
    page.wait_for_function("[...document.querySelectorAll('.wsr-halt')].some((one) => !one.disabled)")
    names = other_data_set(page)
    page.get_by_text("among the projections of Emoji").wait_for()
    answered(page)
    assert page.evaluate(NAMES) == names and not page.get_by_label("yours", exact=True).locator("visible=true").count()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.get_by_label("yours", exact=True).locator("visible=true").wait_for()


# The page hears two seconds late that a stream of answers has ended.
LATE_END = """(() => {
  const ask = window.fetch;
  window.fetch = async (what, ...more) => {
    const answer = await ask(what, ...more);
    if (!String(what.url ?? what).includes("queue/data")) return answer;
    const slow = new TransformStream({
      async transform(part, control) {
        const end = new TextDecoder().decode(part).includes("close_stream");
        if (end) await new Promise((done) => setTimeout(done, 2000));
        control.enqueue(part);
      },
    });
    return new Response(answer.body.pipeThrough(slow), { headers: answer.headers });
  };
})()"""


def test_what_is_asked_while_a_stream_of_answers_ends_is_answered(open_page):
    """On a busy machine, gradio's page hears late of the end of a stream: it opened no other one for what was asked
    meanwhile, and waited for good."""
    page = open_page(before=lambda page: page.add_init_script(LATE_END))
    page.get_by_role("tab", name="Connect").click()
    picture = page.locator(".wsr-six figure:visible img").first
    picture.wait_for()
    page.wait_for_timeout(3000)
    targets = page.locator(".wsr-pictures button:visible")
    for number in (1, 0):
        before = picture.get_attribute("src")
        targets.nth(number).click()
        page.wait_for_function("before => document.querySelector('.wsr-six figure img')?.src !== before", arg=before)


def test_what_is_pressed_before_another_data_set_has_come_is_about_that_one(page):
    """A point of the map before was looked for in the new data, which was an error; a projection that was chosen then
    was another, and lost."""
    (x, y, item), near = page.evaluate(PLACE, [1, 3]), page.locator(".wsr-pictures button:visible").first
    answered(page)
    page.evaluate(HELD)
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()
    page.wait_for_function("window.held.length === 1")
    page.mouse.click(x, y)
    near.click()
    page.get_by_label("by distance").click()
    page.get_by_label("PCA", exact=True).locator("visible=true").first.click()
    page.evaluate("() => { window.held.forEach((done) => done()); window.held.push = (done) => done(); }")
    page.wait_for_function("location.search.includes('data=shapes10') && location.search.includes('map=PCA')")
    answered(page)
    assert page.evaluate("document.querySelector('.wsr-plot').layout.xaxis.title.text") == "PCA 1"
    assert page.get_by_label("PCA", exact=True).first.is_checked() and page.get_by_label("by distance").is_checked()
    assert not page.locator(".toast-body").count() and item not in page.evaluate("location.search")


# The number of the next question, once `window.slowNext` is set, waits for `window.release()`. Until then gradio does
# not show its answer, and others overtake it.
SLOW = """() => {
  const ask = window.fetch;
  window.fetch = async (what, ...more) => {
    const mine = String(what.url ?? what).includes("queue/join") && window.slowNext;
    if (mine) window.slowNext = false;
    const answer = await ask(what, ...more);
    if (mine) await new Promise((done) => (window.release = done));
    return answer;
  };
}"""
RINGS = """() => document.querySelector(".wsr-plot").layout.shapes.map(({ name }) => name).sort()"""


def test_what_is_picked_stays_ringed_when_a_map_that_was_asked_for_before_comes(open_page):
    """The map came with the ring of what had been picked when it was asked for, and kept it until the next pick."""
    sessions = []  # with which it also ends, unlike Playwright's own initial scripts

    def made_slow(page):
        sessions.append(page.context.new_cdp_session(page))
        sessions[0].send("Page.enable")
        sessions[0].send("Page.addScriptToEvaluateOnNewDocument", {"source": f"({SLOW})()"})

    page = open_page(before=made_slow)
    answered(page)
    page.evaluate("window.slowNext = true")
    page.get_by_label("PCA", exact=True).locator("visible=true").first.click()
    page.wait_for_function("!!window.release")
    one = page.locator(".wsr-pictures button:visible").nth(2)  # its place on the map would move with the page
    item = one.get_attribute("title")
    one.click()
    picked(page, item)
    page.wait_for_function(f"item => ({RINGS})().includes(`picked ${{item}}`) && ({RINGS})().length === 7", arg=item)
    near = [one.get_attribute("title") for one in page.locator(".wsr-pictures button:visible").all()]
    page.evaluate("window.release()")
    page.wait_for_function("document.querySelector('.wsr-plot').layout.xaxis.title.text === 'PCA 1'")
    answered(page)
    assert page.evaluate(RINGS) == sorted([f"picked {item}", *(f"neighbour {one}" for one in near)])
    sessions[0].detach()
