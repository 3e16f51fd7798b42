"""Where things are on the map of the page, for tests in a browser."""

# Where a point of the map is on the page: [x, y, id].
PLACE = """([trace, i]) => {
  const plot = document.querySelector(".wsr-plot"), {xaxis, yaxis} = plot._fullLayout, data = plot._fullData[trace];
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.d2p(data.x[i]), box.top + yaxis._offset + yaxis.d2p(data.y[i]),
          data.customdata[i]];
}"""
DRAWN = "document.querySelector('.wsr-plot')._fullData.filter(t => t.customdata?.length && t.showlegend !== false)"


def picked(page, item):
    page.locator(".wsr-facts b", has_text=item).wait_for()
