"""JavaScript that compares pictures as they are drawn, and counts them."""

# Begins a function of the addresses of two pictures: their pixels x and y, at the size of the first.
_PIXELS = """async ([a, b]) => {
  const [one, other] = await Promise.all([a, b].map(async (src) => {
    const image = Object.assign(new Image(), { src });
    await image.decode();
    return image;
  }));
  const pixels = (image) => {
    const context = new OffscreenCanvas(one.width, one.height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, one.width, one.height);
    return context.getImageData(0, 0, one.width, one.height).data;
  };
  const [x, y] = [pixels(one), pixels(other)];
"""

# The largest difference of any channel, 0 to 255.
DIFFERENCE = _PIXELS + "return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0); }"

# The mean difference, 0 to 255.
CLOSE = _PIXELS + "return x.reduce((sum, value, i) => sum + Math.abs(value - y[i]), 0) / x.length; }"

# Drags for two seconds, as fast as the page takes it; returns the frames of a second, and whether they were as coarse
# as they get: on a machine that is busy with other things, more frames are not to be had.
FRAMES = """async () => {
  const slider = document.querySelector(".wsr-walk input[type=range]");
  const sheet = document.querySelector(".wsr-walked .wsr-field");
  const drag = (until) => new Promise((done) => {
    const step = () => {
      slider.value = (Number(slider.value) + 0.05) % 1;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      if (performance.now() < until) setTimeout(step, 20); else done();
    };
    step();
  });
  await drag(performance.now() + 1500); // finds its pace
  const before = Number(sheet.dataset.frames), begun = performance.now();
  await drag(begun + 2000);
  const rate = (1000 * (Number(sheet.dataset.frames) - before)) / (performance.now() - begun);
  return [rate, sheet.dataset.coarsest === "true"];
}"""

# The six pictures of Connect, each with its first note.
SHOWN = """() => [...document.querySelectorAll(".wsr-six figure")].map(
  (one) => ({ src: one.querySelector("img").src, note: one.querySelector("figcaption span").textContent }))"""
