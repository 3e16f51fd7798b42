"""JavaScript that compares pictures as they are drawn."""

# The largest difference of any channel of two pictures, 0 to 255, as they are drawn.
DIFFERENCE = """async ([a, b]) => {
  const pixels = async (src) => {
    const image = new Image();
    image.src = src;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height).data;
  };
  const [x, y] = [await pixels(a), await pixels(b)];
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
}"""
