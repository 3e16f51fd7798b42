"""How many operations a picture takes that the page draws, how many a second this machine does in the browser, and what
the GPU of a laptop would do."""

from app.components.field import files
from precompute.browser import browser_page
from precompute.field_page import instances, serving_fields

SIZE = 128  # pixels along an edge
TIMES = 5
MEANS = ("processor", "WebAssembly", "WebGL")
FRAME = 64  # pixels along an edge of the six pictures of a frame of Connect
# An assumption, not a measurement: integrated GPUs of laptops reach one to three TFLOP/s in fp32 by their makers' data.
# Our shader reads each weight from a texture for each pixel, so that it is taken to reach a tenth of the least of them.
LAPTOP = 1e11
DECODE = """async ({ field, means, size, times }) => {
  const { decoded } = await import(new URL("wsr/field/page/decoder.js", document.baseURI).href);
  const task = { networks: [{ ...field, from: "a" }], means, width: size, height: size }, seconds = [];
  for (let time = 0; time <= times; time++) {
    const begun = performance.now(), answer = await decoded(task);
    if (time) seconds.push((performance.now() - begun) / 1000);
    if (time === times) return { operations: answer.operations, seconds: seconds.sort((a, b) => a - b)[times >> 1] };
  }
}"""


def measured() -> dict:
    """Median seconds and operations of a picture of SIZE pixels along an edge, for each representation on each means,
    with everything that a new vector costs."""
    rows = []
    with serving_fields() as address, browser_page() as page:
        page.goto(address)
        for name, (model, vector) in instances().items():
            row = {"representation": name, "field": files.field_of(model, {"a": vector})}
            for means in MEANS:
                asked = {"field": row["field"], "means": means, "size": SIZE, "times": TIMES}
                found = page.evaluate(DECODE, asked)
                row |= {"operations": found["operations"], f"{means} s": round(found["seconds"], 4)}
                row[f"{means} operations/s"] = round(found["operations"] / found["seconds"])
            row["laptop s"] = round(row["operations"] / LAPTOP, 5)
            rows.append({key: value for key, value in row.items() if key != "field"})
    frame = sum(row["operations"] for row in rows) * FRAME**2 / SIZE**2
    return {"size": SIZE, "laptop operations/s": LAPTOP, "rows": rows, "frame": _frame(frame, rows)}


def _frame(operations: float, rows: list[dict]) -> dict:
    """Frames a second of all six pictures of Connect at FRAME pixels along an edge, by the measured speeds."""
    speeds = {means: sum(row["operations"] for row in rows) / sum(row[f"{means} s"] for row in rows) for means in MEANS}
    speeds["laptop"] = LAPTOP
    rates = {f"{means} frames/s": round(speed / operations, 1) for means, speed in speeds.items()}
    return {"size": FRAME, "operations": round(operations), **rates}
