"""Links in a browser: the page names the parts of a link that it does not understand, and the address follows what is
shown."""

import pytest

from app.main import ICON

NOTE = ".wsr-note:visible"


@pytest.mark.parametrize(("link", "said", "tab"), [
    ("?tab=nonsense", "a tab “nonsense” that is not here", "Atlas"),
    ("?alpha=nan", "“alpha” but not for which tab", "Atlas"),
    ("?tab=fit&rank=inf&way=six", "Rank “inf” in this link was not understood", "Fit"),
    ("?tab=connect&alpha=nan", "Alpha “nan” in this link was not understood", "Connect"),
    ("?tab=connect&alpha=0.2&pair=fitted", "fitted live and are not kept", "Connect"),
    ("?tab=results&claim=nobody", "Claim “nobody” in this link was not understood", "Results"),
])  # fmt: skip
def test_what_of_a_link_is_not_understood_is_said_over_the_page(open_page, link, said, tab):
    page = open_page(link=link)
    page.locator(NOTE, has_text=said).wait_for()
    assert page.get_by_role("tab", name=tab).get_attribute("aria-selected") == "true"
    place = "[...document.querySelectorAll('[role=tab]')].map(tab => tab.getBoundingClientRect().top)"
    before = page.evaluate(place)
    page.locator(NOTE).get_by_role("button", name="Close").click()
    page.locator(NOTE).wait_for(state="detached")
    assert page.evaluate(place) == before  # the note lies over the page, so closing it moves nothing
    if tab != "Atlas":
        page.wait_for_function("!location.search.includes('inf') && !location.search.includes('nan')")
    if tab == "Fit":
        assert page.get_by_label("all six side by side").is_checked()  # the other parts of the link are followed


@pytest.mark.kept
def test_a_plain_visit_is_told_nothing_and_keeps_its_plain_address(page):
    assert not page.locator(NOTE).count() and page.evaluate("location.search") == ""


def test_a_tab_that_is_opened_before_the_page_has_read_its_link_is_in_the_address(open_page):
    """Whoever was that quick came back to the Atlas after a reload."""
    held = []
    page = open_page(link="?", before=lambda page: page.route("**/run/predict*", lambda one: held.append(one)))
    page.get_by_role("tab", name="Fit").click()
    page.locator("[role=tab][aria-selected=true]:has-text('Fit')").wait_for()
    page.wait_for_timeout(200)
    assert held and page.evaluate("location.search") == ""
    page.unroute_all()  # lets them go on
    page.wait_for_function("location.search.includes('tab=fit')")


@pytest.mark.kept
def test_the_address_is_right_as_soon_as_the_change_is_on_screen(page):
    neighbour = page.locator(".wsr-pictures button:visible").nth(2)
    item = neighbour.get_attribute("title")
    page.evaluate("""item => {
      const watch = new MutationObserver(() => {
        if (document.querySelector('.wsr-facts b')?.textContent !== item) return;
        watch.disconnect();
        const begun = performance.now();
        const ask = () => location.search.includes(`pick=${item}`)
          ? (window.late = performance.now() - begun) : setTimeout(ask, 5);
        ask();
      });
      watch.observe(document.body, {childList: true, subtree: true, characterData: true});
    }""", item)  # fmt: skip
    neighbour.click()
    page.wait_for_function("window.late !== undefined")
    assert page.evaluate("window.late") < 500  # milliseconds, too few to wait for an answer of the server


def test_a_reloaded_page_says_that_an_uploaded_file_is_gone(page, tmp_path):
    import numpy as np
    from PIL import Image

    path = tmp_path / "stripes.png"
    Image.fromarray(np.tile(np.uint8([[[255, 0, 0]] * 8 + [[0, 0, 255]] * 8]), (64, 4, 1))).save(path)
    page.get_by_role("tab", name="Fit").click()
    page.set_input_files("input[type=file]", path)
    page.locator(".wsr-state:visible", has_text="Stripes is chosen").wait_for()
    page.wait_for_function("location.search.includes('sample=own-file')")
    page.reload()
    page.locator(NOTE, has_text="visitor's own file, which is not part of a link").wait_for()
    page.wait_for_function("location.search.includes('sample=photo')")
    # it stayed over the page, also when another file had been brought
    page.locator(".wsr-pictures:visible button").nth(1).click()
    assert page.locator(NOTE).count()
    page.wait_for_timeout(4100)
    page.locator(".wsr-pictures:visible button").nth(2).click()
    page.locator(NOTE).wait_for(state="detached")


@pytest.mark.kept
def test_back_and_forward_go_between_tabs(page):
    def selected(name):
        page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()

    begun = page.evaluate("performance.timeOrigin")
    for name in ("Connect", "Results"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_function("tab => location.search.includes(`tab=${tab}`)", arg=name.lower())
    page.evaluate("history.back()")
    selected("Connect")
    page.evaluate("history.back()")
    selected("Atlas")
    page.evaluate("history.forward()")
    selected("Connect")
    page.wait_for_timeout(500)  # a tab writes its address when it is selected, which must not end what lies ahead
    page.evaluate("history.forward()")
    selected("Results")
    assert page.evaluate("performance.timeOrigin") == begun  # the page was not loaded again


@pytest.mark.kept
def test_the_page_is_shown_as_ours(page, address):
    tags = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll("meta[property^='og:']")]
      .map((tag) => [tag.getAttribute("property"), tag.content]))""")
    assert "weight-space" in tags["og:title"] and "neural network" in tags["og:description"]
    assert tags["og:image"].startswith(address) and tags["og:url"] == address
    assert page.request.get(tags["og:image"]).headers["content-type"] == "image/jpeg"
    assert page.request.get(f"{address}favicon.ico").body() == ICON.read_bytes()
    assert "gradio.app" not in page.evaluate("document.head.innerHTML.replace(/<script[^]*?<\\/script>/g, '')")


@pytest.mark.kept
def test_all_text_is_set_in_the_page_s_font(page):
    """In an earlier version, headings and buttons fell back to another font: a file held only the letters A and B."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    for selector in ("h1", "[role=tab]", ".wsr-facts b"):
        node = devtools.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        if not node:
            continue
        fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        ours = [font["isCustomFont"] and font["familyName"].startswith("Source Sans") for font in fonts]
        assert fonts and all(ours), (selector, fonts)


def test_an_opened_tab_is_never_blank(page):
    """Tests what is shown before the server has answered: requests do not reach it here."""
    page.route("**/gradio_api/queue/join*", lambda route: None)
    for name in ("Connect", "Symmetry", "Audit"):
        page.get_by_role("tab", name=name).click()
        page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()
        page.locator(".wsr-blank:visible", has_text="Decoding").first.wait_for()
        charts = page.locator(".wsr-chart:visible")
        assert charts.count() and all(chart.inner_text().strip() for chart in charts.all()), name


# Steps over the small assets of these tests, in place of the lesson's own.
LINKS = (
    "?tab=connect&data=shapes10&alpha=0.25&aligned=false&init=own",
    "?tab=connect&data=shapes10&alpha=0.75&aligned=true&init=own",
    "?tab=audit&data=shapes10&kind=mlora-asym&point=held out:3",
    "?tab=atlas&data=shapes10&kind=mlora-asym&find=chair",
    "?tab=fit&sample=photo:coffee&way=six&rank=3",
    "?tab=results",
)


def own_steps(page):
    steps = [
        {"link": f"{link}&lesson=copies&step={i}", "look": f"Look {i}.", "question": f"Question {i}?",
         "options": ["Yes", "No"], "right": 0, "answer": "It is."}
        for i, link in enumerate(LINKS, 1)
    ]  # fmt: skip
    after = [{**steps[0], "link": f"{LINKS[1]}&lesson=after&step=1", "question": "Question after?"}]
    told = {"copies": {"title": "A lesson", "steps": steps}, "after": {"title": "Another", "steps": after}}
    page.route("**/wsr/lessons.json", lambda route: route.fulfill(json=told))


def test_the_last_step_leads_to_the_next_lesson_and_the_last_lesson_to_all_of_them(open_page):
    """In an earlier version, "To the next lesson" led to the list of lessons."""
    page = open_page(link=f"{LINKS[-1]}&lesson=copies&step={len(LINKS)}", before=own_steps)
    strip = page.locator("#wsr-lesson")
    strip.get_by_role("link", name="Next lesson: Another").click()
    strip.get_by_text("Question after?").wait_for()
    page.wait_for_function("location.search.includes('alpha=0.75') && location.search.includes('lesson=after')")
    assert strip.get_by_role("link", name="To all lessons").get_attribute("href") == "lessons"
    said = page.locator(".wsr-look .wsr-label", has_text="Look halfway")
    said.wait_for(state="attached")
    assert not said.is_visible()  # a pupil is asked that
    strip.get_by_role("button", name="Leave").click()
    said.wait_for()


def test_a_lesson_goes_on_without_loading_the_page_anew(open_page):
    """After a lesson, a visitor says: it asked me first, and then I saw why."""
    page = open_page(link=LINKS[0] + "&lesson=copies&step=1&__theme=dark", before=own_steps)
    begun, strip = "performance.timeOrigin", page.locator("#wsr-lesson")
    said = strip.locator(".wsr-head span")
    page.wait_for_function("location.search.includes('target=')")  # the address has been read and written
    page.locator(".wsr-six figure img:visible").first.wait_for()
    drawn = "document.querySelector('.wsr-six figure img').src"
    page_was, before = page.evaluate(begun), page.evaluate(drawn)

    def step(number, tab, part, name="Next"):
        strip.get_by_role("link", name=name).click()
        arrived(number, tab, part)
        assert page.evaluate("document.activeElement.id") == "wsr-lesson"

    def arrived(number, tab, part):
        strip.get_by_text(f"Question {number}?").wait_for()
        assert said.inner_text() == f"{number} of {len(LINKS)}"
        page.locator(f"[role=tab][aria-selected=true]:has-text('{tab}')").wait_for()
        page.wait_for_function("part => location.search.includes(part)", arg=f"tab={tab.lower()}")
        page.wait_for_function("part => location.search.includes(part)", arg=part)
        assert page.evaluate(begun) == page_was and "__theme=dark" in page.evaluate("location.search")

    def walked(alpha):  # the address names it before the tab does
        page.wait_for_function("at => document.querySelector('.wsr-walk input[type=number]').value === at", arg=alpha)

    step(2, "Connect", "alpha=0.75")
    walked("0.75")
    assert page.get_by_label("aligned with the first").is_checked()
    page.wait_for_function(f"was => {drawn} !== was", arg=before)  # filled anew
    strip.get_by_role("button", name="No").click()
    assert strip.locator(".wsr-answer").inner_text().startswith("Not quite.")
    step(3, "Audit", "point=held")
    page.locator(".wsr-state:visible", has_text="Held out no. 4 is").wait_for()
    step(4, "Atlas", "find=chair")
    page.locator(".wsr-shares:visible", has_text="networks").wait_for()
    assert page.get_by_label("Shapes", exact=True).locator("visible=true").is_checked()
    step(5, "Fit", "sample=photo%3Acoffee")
    assert page.get_by_label("all six side by side").is_checked()
    page.evaluate("history.go(-3)")
    arrived(2, "Connect", "alpha=0.75")
    strip.locator(".wsr-answer", has_text="Not quite.").wait_for()
    step(1, "Connect", "alpha=0.25", name="Back")
    walked("0.25")
    assert not page.get_by_label("aligned with the first").is_checked()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("window.wsrCopied?.includes('lesson=copies') && window.wsrCopied.includes('step=1')")
    assert not page.locator(".wsr-note:visible").count()
    page.evaluate("document.querySelector('.wsr-halt').disabled = false")  # as during a fit, which ends with its page
    strip.get_by_role("link", name="Next").click()
    page.wait_for_function(f"was => {begun} !== was", arg=page_was)
    strip.get_by_text("Question 2?").wait_for()
    strip.get_by_role("button", name="Leave").click()


def test_a_lesson_goes_on_when_its_tab_is_reset(open_page):
    """In an earlier version, whoever had tried something and reset the tab had lost the lesson without a word."""
    page = open_page(link="?lesson=copies&step=3")
    page.locator("#wsr-lesson .wsr-head", has_text="3 of 5").wait_for()
    page.locator("[role=tab][aria-selected=true]:has-text('Audit')").wait_for()
    page.wait_for_function("location.search.includes('point=')")
    page.evaluate("window.old = true")
    page.get_by_role("button", name="Reset tab").click()
    page.wait_for_function("!window.old && window.wsrLinkRead")
    page.locator("#wsr-lesson .wsr-head", has_text="3 of 5").wait_for()
    page.locator("[role=tab][aria-selected=true]:has-text('Audit')").wait_for()
    page.locator(".wsr-row:visible img").first.wait_for()
    page.wait_for_function("location.search.includes('lesson=copies') && !location.search.includes('point=average')")
