// How points of PlotlyChart are found and picked: by pointer, by finger, by key. A part of plotly_chart.js, whose
// variables it uses.

function pick(id) {
  trigger("pick", { id, at: Date.now() }); // first: the ring can wait for Python's work to begin
  chosen = id;
  mark();
}

function listen() {
  const hover = (event) => {
    const id = event.points[0]?.customdata;
    hovered = points.find((p) => p.id === id) ?? null;
    if (hovered && !(pressed.touch && kind === "2d")) show(hovered, pointer); // after a tap nothing would take it away
  };
  plot.on("plotly_hover", hover);
  plot.on("plotly_unhover", () => {
    hovered = null;
    tip.hidden = true;
  });
  for (const moved of ["plotly_afterplot", "plotly_relayouting"]) plot.on(moved, over);
  plot.on("plotly_restyle", veil);
  // plotly_click knows a point only after its hover, so it misses a quick click; in 3D it also fires while a drag
  // passes over points. It only says where the pointer is, and clicked() decides.
  plot.on("plotly_click", hover);
  let dragged = false;
  plot.on("plotly_selecting", () => (dragged = true));
  plot.on("plotly_selected", (event) => {
    if (!dragged) return; // plotly says so as well, of no points, when it redraws a selection that is there already
    dragged = false;
    const found = (event?.points ?? []).filter((p) => p.curveNumber < figure.data.length && p.customdata !== undefined);
    trigger("choose", { ids: found.map((p) => p.customdata) });
  });
  plot.on("plotly_deselect", () => trigger("choose", { ids: [] }));
}

async function clicked(event) {
  if (!kind || Math.hypot(released.x - pressed.x, released.y - pressed.y) > 5) return;
  if (event.target.closest?.(".legend, .modebar, .wsr-tip")) return;
  // Of a tap plotly makes a click, twice, before the browser's own comes: by then the page may have moved below it.
  if (pressed.answered) return;
  pressed.answered = true;
  if (kind === "2d") {
    const found = below(pressed, Math.max(pressed.touch ? 24 : 12, pictured));
    if (found) pick(found.id), reveal(props.reveals, pressed.y);
    return;
  }
  for (let waited = 0; !hovered && waited < 1500; waited += 50) await new Promise((done) => setTimeout(done, 50));
  if (hovered) pick(hovered.id), reveal(props.reveals, pressed.y);
  if (pressed.touch) tip.hidden = true; // nothing else would take it away
}

// The point of a flat chart nearest to a place on the screen, if one is within reach (in pixels).
function below(place, reach) {
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  const [x, y] = [place.x - box.left - xaxis._offset, place.y - box.top - yaxis._offset];
  if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return null;
  let best = null;
  let nearest = reach;
  for (const point of points) {
    const distance = Math.hypot(xaxis.d2p(point.x) - x, yaxis.d2p(point.y) - y);
    if (distance <= nearest && plot._fullData[point.trace]?.visible === true) [best, nearest] = [point, distance];
  }
  return best;
}

function show(point, where) {
  tip.replaceChildren();
  if (props.sprite?.url && Number.isInteger(point.cell)) {
    const thumb = document.createElement("div");
    thumb.className = "wsr-thumb";
    cut(thumb, point.cell);
    tip.append(thumb);
  }
  for (const [name, text] of [["wsr-name", point.label], ["wsr-class", point.name]]) {
    const line = document.createElement("div");
    line.className = name;
    line.textContent = text ?? "";
    tip.append(line);
  }
  tip.hidden = false;
  const right = where.x + 16 + tip.offsetWidth < chart.clientWidth;
  tip.style.left = `${Math.max(0, right ? where.x + 16 : where.x - 16 - tip.offsetWidth)}px`;
  tip.style.top = `${Math.max(0, Math.min(where.y - 20, chart.clientHeight - tip.offsetHeight))}px`;
}

// The nearest visible point in the direction of the key; in 3D, where a direction means little, the next in order.
function step(key) {
  const visible = points.filter((p) => plot._fullData?.[p.trace]?.visible === true);
  if (!visible.length) return null;
  const from = cursor ?? visible.find((p) => p.id === ringed());
  if (!from) return visible[0];
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (kind === "3d") return visible.at((visible.indexOf(from) + (dx || -dy)) % visible.length);
  let best = null;
  let nearest = Infinity;
  for (const p of visible) {
    const along = (p.x - from.x) * dx + (p.y - from.y) * dy;
    const across = Math.abs((p.x - from.x) * dy) + Math.abs((p.y - from.y) * dx);
    const distance = Math.hypot(along, 2 * across);
    if (along > 0 && across <= along && distance < nearest) [best, nearest] = [p, distance];
  }
  return best ?? from;
}

// Once for every chart, before it is drawn.
function follow() {
  chart.addEventListener("keydown", (event) => {
    if (event.target !== chart || !points.length) return;
    if (event.key.startsWith("Arrow")) {
      cursor = step(event.key);
      if (!cursor) return; // all are hidden
      const area = plot._fullLayout;
      const onScreen = (axis, v) => axis._offset + axis.d2p(v);
      const where =
        kind === "2d" ? { x: onScreen(area.xaxis, cursor.x), y: onScreen(area.yaxis, cursor.y) } : { x: 8, y: 28 };
      show(cursor, where);
      spoken.textContent = `${cursor.label}, ${cursor.name ?? ""}`;
    } else if (event.key === "Enter" && cursor) pick(cursor.id);
    else if (event.key === "Escape") tip.hidden = true;
    else return;
    event.preventDefault();
  });
  chart.addEventListener("blur", () => (tip.hidden = true));
  chart.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") pressed.touch = false;
    const box = chart.getBoundingClientRect();
    pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
  }, true);
  chart.addEventListener("pointerdown", (event) => {
    pressed = { x: event.clientX, y: event.clientY, touch: event.pointerType === "touch" };
    released = pressed;
    if (pressed.touch) hovered = null; // a finger does not hover: this is from the last tap
  }, true);
  // on the document: while a button is down, plotly covers the page, and the chart hears nothing of its release
  document.addEventListener("pointerup", (event) => (released = { x: event.clientX, y: event.clientY }), true);
  chart.addEventListener("click", clicked, true);
}
