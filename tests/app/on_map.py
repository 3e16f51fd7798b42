"""Where things are on the map of the page, for tests in a browser."""

# Where a point of the map is on the page: [x, y, id].
PLACE = """([trace, i]) => {
  const plot = document.querySelector(".wsr-plot"), {xaxis, yaxis} = plot._fullLayout, data = plot._fullData[trace];
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.d2p(data.x[i]), box.top + yaxis._offset + yaxis.d2p(data.y[i]),
          data.customdata[i]];
}"""
DRAWN = "document.querySelector('.wsr-plot')._fullData.filter(t => t.customdata?.length && t.showlegend !== false)"
# From afar all lies at one place. Whether the names of groups leave that of what was placed free then.
NAME_IS_FREE = """async () => {
  const plot = document.querySelector(".wsr-plot"), [{ x, y }] = plot.layout.annotations.slice(-1);
  const far = (value) => [value - 1e4, value + 1e4];
  await Plotly.relayout(plot, { "xaxis.range": far(x), "yaxis.range": far(y) });
  await new Promise((done) => setTimeout(done, 300));
  const own = plot.querySelector(".annotation-text-g").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".wsr-over .wsr-group")].map((one) => one.getBoundingClientRect());
  return boxes.length > 0 && boxes.every((one) =>
    one.right <= own.left || one.left >= own.right || one.bottom <= own.top + 2 || one.top >= own.bottom - 2);
}"""


def picked(page, item):
    page.locator(".wsr-facts b", has_text=item).wait_for()
