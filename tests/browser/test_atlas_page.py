"""The Atlas in a browser: what a visitor sees and does."""

import pytest
from on_map import DRAWN, PLACE, picked

from app.components import plotly_script
from app.main import SENTENCE

PATIENCE = 120_000  # ms for pages that are not the fixture's


@pytest.mark.kept
def test_something_is_picked_and_on_screen_at_once(page):
    """After this tab, a visitor says: nobody told it what a chair is, and the chairs are together."""
    assert page.locator("h1").inner_text() == "wsr"
    assert page.locator(".wsr-title p").inner_text() == SENTENCE
    assert page.evaluate(f"{DRAWN}.map(t => t.type)") == ["scattergl"] * 3
    page.locator(".wsr-frame img").first.wait_for()
    assert page.locator(".wsr-pictures button:visible").count() == 6
    tabs = [tab.inner_text() for tab in page.get_by_role("tab").all()]
    assert tabs == ["Atlas", "Fit", "Connect", "Symmetry", "Generate", "Audit", "Results"]


COLOURED = """() => {
  const canvas = document.querySelector(".wsr-first canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200) colours.add(pixels.slice(i, i + 3).join());
  return colours.size;
}"""


def test_the_first_picture_needs_none_of_gradios_scripts(browsers, address):
    page = browsers().new_context().new_page()
    page.route("**/assets/**", lambda route: route.abort())
    page.goto(address)
    page.locator(".wsr-first canvas").wait_for()
    assert page.evaluate(COLOURED) >= 3, "a colour of points for each class"
    page.goto(f"{address}?tab=fit")
    page.wait_for_function("document.readyState === 'complete'")
    assert not page.locator(".wsr-first").count(), "a link opens something else"
    page.context.close()


# Bytes of a first visit with all of its answers. On the data in assets/ it is 1.25 MB, of which Plotly has 0.46. Here
# the pictures are of random networks, which no format makes small.
MOST = 2_000_000


def test_a_first_visit_fetches_little(browsers, address):
    page = browsers().new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    network, sizes, named = page.context.new_cdp_session(page), {}, {}
    network.on("Network.requestWillBeSent", lambda event: named.update({event["requestId"]: event["request"]["url"]}))

    def more(event):  # as they come, since the stream of answers does not end
        sizes[event["requestId"]] = sizes.get(event["requestId"], 0) + event["encodedDataLength"]

    network.on("Network.dataReceived", more)
    network.send("Network.enable")
    page.goto(address)
    page.locator(".wsr-pictures button").first.wait_for()
    page.wait_for_timeout(3000)
    found = sorted((size, named.get(one, "")) for one, size in sizes.items())
    assert any("/queue/data" in what for _, what in found)
    assert 800_000 < sum(size for size, _ in found) < MOST, found[-5:]
    page.context.close()


@pytest.mark.kept
def test_the_first_picture_leaves_when_the_map_is_there(page):
    page.wait_for_function("!document.querySelector('.wsr-first')")


@pytest.mark.kept
def test_a_click_opens_the_point(page):
    x, y, item = page.evaluate(PLACE, [1, 3])
    before = page.locator(".wsr-frame img").first.get_attribute("src")
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    page.locator(".wsr-tip:visible .wsr-name", has_text=item).wait_for()
    page.mouse.click(x, y)
    picked(page, item)
    assert page.locator(".wsr-frame img").first.get_attribute("src") != before
    assert "dB PSNR" in page.locator(".wsr-facts").inner_text()


@pytest.mark.kept
def test_the_last_of_several_quick_clicks_counts(page):
    for trace in (0, 1, 2):
        x, y, item = page.evaluate(PLACE, [trace, 3])
        page.mouse.click(x, y)
    picked(page, item)
    page.wait_for_timeout(1500)  # no late answer replaces it
    picked(page, item)


# Each other request is answered with its number late.
LATE = """(() => {
  const send = window.fetch;
  let late = false;
  window.fetch = async (what, ...rest) => {
    const answer = await send(what, ...rest);
    if (String(what?.url ?? what).includes("/queue/join") && window.slow && (late = !late))
      await new Promise((done) => setTimeout(done, 1500));
    return answer;
  };
})()"""


def test_a_late_number_of_an_older_question_does_not_bring_its_answer_last(open_page):
    """gradio shows an answer once the request that asked for it has been answered with a number."""
    sessions = []  # with which it also ends, unlike Playwright's own initial scripts

    def made_late(page):
        sessions.append(page.context.new_cdp_session(page))
        sessions[0].send("Page.enable")
        sessions[0].send("Page.addScriptToEvaluateOnNewDocument", {"source": LATE})

    page = open_page(before=made_late)
    page.evaluate("window.slow = true")
    for trace in (0, 2):
        x, y, item = page.evaluate(PLACE, [trace, 3])
        page.mouse.click(x, y)
    picked(page, item)
    page.wait_for_timeout(2500)
    picked(page, item)
    sessions[0].detach()


def test_another_data_set_at_once_leaves_nothing_of_the_first(page):
    """The first answer, which fills the page, may still be on its way."""
    page.get_by_label("Shapes", exact=True).click()
    page.locator("[data-testid=model3d] canvas").wait_for()
    page.wait_for_timeout(1500)
    on_map = page.evaluate(f"{DRAWN}.flatMap(t => [...t.customdata])")
    near = [picture.get_attribute("title") for picture in page.locator(".wsr-pictures button:visible").all()]
    assert len(near) == 6 and set(near) <= set(on_map)


@pytest.mark.kept
def test_a_drag_is_not_a_pick(page):
    x, y, _ = page.evaluate(PLACE, [1, 3])
    before = page.locator(".wsr-facts b").inner_text()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert page.locator(".wsr-facts b").inner_text() == before


@pytest.mark.kept
def test_pointing_shows_the_thumbnail(page):
    # shapes come with a sheet of thumbnails; that of emoji is decoded first, which takes a while
    page.get_by_label("Shapes", exact=True).click()
    page.wait_for_function(f"{DRAWN}.some(t => t.name === 'chair')")
    x, y, item = page.evaluate(PLACE, [0, 2])
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    tip = page.locator(".wsr-tip:visible")
    tip.filter(has_text=item).wait_for()
    assert "shapes10-mlora-asym.webp" in tip.locator(".wsr-thumb").evaluate("e => e.style.backgroundImage")
    assert tip.locator(".wsr-class").inner_text() == "chair"


@pytest.mark.kept
def test_a_neighbour_opens_and_the_keyboard_reaches_everything(page):
    neighbour = page.locator(".wsr-pictures button:visible").nth(2)
    item = neighbour.get_attribute("title")
    neighbour.focus()
    page.keyboard.press("Enter")
    picked(page, item)
    chart = page.locator(".wsr-chart").first
    chart.focus()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    said = chart.locator(".wsr-spoken").inner_text()
    page.keyboard.press("Enter")
    picked(page, said.split(",")[0])


def test_the_map_turns_and_what_was_zoomed_stays_zoomed(page):
    range_of = "document.querySelector('.wsr-plot')._fullLayout.xaxis.range"
    box = page.locator(".wsr-chart").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.evaluate(range_of)
    page.mouse.wheel(0, -600)
    page.wait_for_function(f"before => {range_of}[0] !== before[0]", arg=before)
    zoomed = page.evaluate(range_of)
    neighbour = page.locator(".wsr-pictures button:visible").first
    title = neighbour.get_attribute("title")  # read before the click, after which other neighbours are shown
    neighbour.click()
    picked(page, title)
    assert page.evaluate(range_of) == zoomed
    page.get_by_label("3D", exact=True).click()
    page.locator(".wsr-plot .gl-container canvas").first.wait_for(state="attached")
    page.wait_for_function(f"{DRAWN}.every(t => t.type === 'scatter3d')")
    page.get_by_label("PCA", exact=True).click()
    page.wait_for_function("document.querySelector('.wsr-plot').layout.scene.xaxis.title.text.startsWith('PCA')")
    page.get_by_label("2D", exact=True).click()
    page.wait_for_function(f"{DRAWN}.every(t => t.type === 'scattergl')")
    x, y, item = page.evaluate(PLACE, [1, 2])
    page.mouse.click(x, y)
    picked(page, item)


def test_what_draws_in_space_is_fetched_when_it_is_needed_and_asked_for_again_if_that_fails(browsers, address):
    page = browsers().new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator(".wsr-plot .main-svg").first.wait_for()
    whole = f"**/{plotly_script.WHOLE.address}"
    page.route(whole, lambda route: route.abort())
    page.get_by_label("3D", exact=True).click()
    page.locator(".wsr-message", has_text="The 3D view could not be loaded").wait_for()
    page.get_by_label("2D", exact=True).click()
    page.wait_for_function("!document.querySelector('.wsr-message').textContent")
    page.unroute(whole)
    with page.expect_response(whole):
        page.get_by_label("3D", exact=True).click()
    page.wait_for_function(f"{DRAWN}.every(t => t.type === 'scatter3d')")
    page.context.close()


def test_shapes_can_be_orbited(page):
    with page.expect_response(lambda response: ".glb" in response.url and response.ok):
        page.get_by_label("Shapes", exact=True).click()
    page.locator("[data-testid=model3d] canvas").wait_for()
    assert "IoU" in page.locator(".wsr-facts").inner_text()


@pytest.mark.kept
def test_dark_follows_the_page(page):
    ink = "document.querySelector('.wsr-plot')._fullLayout.font.color"
    light = page.evaluate(ink)
    page.evaluate("document.body.classList.add('dark')")
    page.wait_for_function(f"light => {ink} !== light", arg=light)


def test_without_webgl_the_map_is_there_all_the_same(open_page):
    page = open_page(flags=("--disable-3d-apis",))
    assert page.evaluate(f"{DRAWN}.every(t => t.type === 'scatter')")
    x, y, item = page.evaluate(PLACE, [1, 2])
    page.mouse.click(x, y)  # clicks at once, before the chart has noticed the pointer
    picked(page, item)


@pytest.mark.kept
def test_a_map_alone_has_all_the_room_and_two_share_it_equally(page):
    """The column of the second map took its half of the room while nothing was in it; and below two maps, which are
    lower than one, room was left for the height of one."""
    sizes = """() => [...document.querySelectorAll(".wsr-maps .wsr-plot")].map((p) => p.getBoundingClientRect())
      .filter((r) => r.width).map((r) => [Math.round(r.width), Math.round(r.height)])"""
    (alone,) = page.evaluate(sizes)
    room = page.locator(".wsr-maps").first.bounding_box()["width"]
    assert alone[0] > 0.95 * room
    page.get_by_label("Beside it, the same targets fitted with").click()
    page.locator("[role=listbox]:visible [role=option]").nth(1).click()
    page.wait_for_function(f"({sizes})().length === 2 && ({sizes})().every(([w]) => w < {0.6 * room})")
    # one after the other gets its new size
    page.wait_for_function(f"""() => {{
      const [one, other] = ({sizes})(), room = document.querySelector(".wsr-maps").getBoundingClientRect();
      return Math.abs(one[0] - other[0]) <= 2 && one[1] === other[1] && room.height <= one[1] + 8;
    }}""")


@pytest.mark.kept
def test_a_press_on_a_name_below_the_map_hides_its_class_and_says_nothing_of_traces(page):
    """In an earlier version, plotly told how to isolate a trace, in a note that stuck out of a phone's screen."""
    seen = "document.querySelector('.wsr-plot')._fullData[0].visible"
    for wanted in ("legendonly", True):
        page.locator(".wsr-plot .legendtoggle").first.click()
        page.wait_for_function(f"wanted => {seen} === wanted", arg=wanted)
        page.wait_for_timeout(600)  # two presses at once would be another question
        assert not page.locator(".notifier-note").count()


def test_what_enter_opens_comes_into_view_on_a_phone(open_page):
    """It was opened below the map, out of sight."""
    page = open_page(viewport={"width": 390, "height": 844})
    item = page.locator(".wsr-pictures button:visible").nth(1).get_attribute("title")
    box = page.get_by_label("Find a network").locator("visible=true")
    box.fill(item)
    page.get_by_text("Enter opens it.").locator("visible=true").wait_for()
    box.press("Enter")
    page.locator(".wsr-facts b", has_text=item).wait_for()
    page.wait_for_function("""() => {
      const frame = [...document.querySelectorAll(".wsr-frame")].find((one) => one.offsetParent);
      const { top, height } = frame.getBoundingClientRect();
      const { bottom } = document.activeElement.getBoundingClientRect();
      return bottom > 0 && (top + Math.min(height, 240) < innerHeight + 2 || bottom < 64);
    }""")
