// The script of PlotlyChart. gradio runs it once for every chart on the page, as the body of a function of
// (element, trigger, props, server, upload, watch). It finds everything below `element`: no ids, no globals.

const chart = element.querySelector(".wsr-chart");
const plot = chart.querySelector(".wsr-plot");
const tip = chart.querySelector(".wsr-tip");
const spoken = chart.querySelector(".wsr-spoken");

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
const ROLES = ["neighbour", "picked", "placed"]; // drawn in this order: what was picked stays on top
const hasWebGL = (() => {
  const context = document.createElement("canvas").getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext(); // browsers allow few contexts: give it back
  return Boolean(context);
})();

let source; // the JSON, or its address, that `figure` was read from
let fetching; // the address that is being read
let figure; // {data, layout}, arrays decoded
let points = []; // every pickable point: {id, label, name, cell, trace, x, y, z}
let drawn = 0; // how often
let kind; // "2d" or "3d" as drawn, to start afresh when it changes
let chosen = null; // the id just picked here, ringed before Python answers
let cursor = null; // the point the arrow keys have reached
let hovered = null; // the point below the pointer
let pointer = { x: 0, y: 0 };
let pressed = { x: 0, y: 0 };
let released = { x: 0, y: 0 };

function decode(value) {
  if (!value || typeof value.bdata !== "string" || value.shape) return value;
  const bytes = Uint8Array.from(atob(value.bdata), (c) => c.charCodeAt(0));
  return new ARRAYS[value.dtype](bytes.buffer);
}

function read() {
  const value = props.value;
  if (source === value || fetching === value) return;
  fetching = undefined;
  if (!value || value.startsWith("{")) return take(value, value ? JSON.parse(value) : null);
  fetching = value; // until it is here, what was drawn stays
  fetch(value)
    .then((answer) => answer.json())
    .then((found) => {
      if (fetching !== value) return;
      fetching = undefined;
      take(value, found);
      draw();
    });
}

function take(value, found) {
  source = value;
  figure = found;
  points = [];
  chosen = cursor = null;
  (figure?.data ?? []).forEach((trace, number) => {
    for (const key of ["x", "y", "z"]) if (key in trace) trace[key] = decode(trace[key]);
    if (trace.marker) trace.marker.color = decode(trace.marker.color);
    if (!hasWebGL && trace.type === "scattergl") trace.type = "scatter";
    if (!hasWebGL && trace.type === "scatter3d") Object.assign(trace, { type: "scatter", z: undefined });
    (trace.customdata ?? []).forEach((id, i) =>
      points.push({
        id, trace: number, name: trace.meta?.names?.[i] ?? trace.name, label: trace.text?.[i] ?? id, cell: trace.meta?.cells?.[i],
        x: trace.x[i], y: trace.y[i], z: trace.z?.[i],
      }),
    );
  });
  if (!hasWebGL && figure?.layout.scene) figure.layout.yaxis = { ...figure.layout.yaxis, scaleanchor: "x" };
}

function ink() {
  const style = getComputedStyle(chart);
  const variable = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    text: variable("--body-text-color", "#333"),
    faint: variable("--border-color-primary", "#ddd"),
    page: variable("--background-fill-primary", "#fff"),
    accent: variable("--color-accent", "#0072b2"),
    font: style.fontFamily,
  };
}

function themed(layout) {
  const colour = ink();
  const axis = (a) => ({ gridcolor: colour.faint, zerolinecolor: colour.faint, linecolor: colour.faint, ...a });
  const result = {
    autosize: true, paper_bgcolor: "transparent", plot_bgcolor: "transparent", hoverlabel: { font: { family: colour.font } },
    modebar: { bgcolor: "transparent", color: colour.text, activecolor: colour.accent }, ...layout,
    font: { family: colour.font, size: 12, ...layout.font, color: colour.text },
  };
  for (const key of Object.keys(layout)) if (/^[xy]axis\d*$/.test(key)) result[key] = axis(layout[key]);
  if (layout.scene) {
    result.scene = { ...layout.scene, bgcolor: "transparent" };
    for (const key of ["xaxis", "yaxis", "zaxis"]) result.scene[key] = { showspikes: false, ...axis(layout.scene[key]) };
  }
  return result;
}

// The points drawn on top, with their role.
function marked() {
  const wanted = (props.highlight ?? []).filter((h) => chosen === null || h.role !== "picked");
  if (chosen !== null) wanted.push({ id: chosen, role: "picked" });
  return wanted
    .map((h) => ({ ...points.find((p) => p.id === h.id), ...h }))
    .filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y))
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
}

// On a flat chart, shapes and names: changing a trace would compute all of 100,000 points again.
function marks() {
  return {
    shapes: [...(figure.layout.shapes ?? []), ...rings()],
    annotations: [...(figure.layout.annotations ?? []), ...names()],
  };
}

function rings() {
  const colour = ink();
  return marked().map(({ role, id, x, y }) => {
    const size = { neighbour: 6.5, picked: 10, placed: 8 }[role];
    const diamond = { type: "path", path: `M0,${-size}L${size},0L0,${size}L${-size},0Z`, fillcolor: colour.accent };
    const circle = { type: "circle", x0: -size, x1: size, y0: -size, y1: size };
    return {
      ...(role === "placed" ? diamond : circle), xsizemode: "pixel", ysizemode: "pixel", xanchor: x, yanchor: y,
      name: `${role} ${id}`, line: { width: role === "neighbour" ? 1.5 : 3, color: colour.text },
    };
  });
}

function names() {
  const placed = marked().filter((p) => p.role === "placed" && p.label);
  return placed.map(({ x, y, label }) => ({ x, y, text: escaped(label), showarrow: false, yshift: 18 }));
}

function escaped(text) {
  const holder = document.createElement("div");
  holder.textContent = text;
  return holder.innerHTML;
}

// In space, always three traces, empty or not: a constant number lets Plotly.react keep the rest as it is.
function overlay() {
  const colour = ink();
  return ROLES.map((role) => {
    const found = marked().filter((p) => p.role === role);
    const placed = role === "placed";
    return {
      type: "scatter3d", mode: placed ? "markers+text" : "markers", name: role, showlegend: false, hoverinfo: "none",
      x: found.map((p) => p.x), y: found.map((p) => p.y), z: found.map((p) => p.z ?? 0), customdata: found.map((p) => p.id),
      text: found.map((p) => (placed ? p.label ?? "" : "")), textposition: "top center",
      textfont: { color: colour.text, size: 13 },
      marker: {
        symbol: placed ? "diamond" : "circle-open", color: placed ? colour.accent : colour.text,
        size: { neighbour: 9, picked: 14, placed: 10 }[role],
        line: { width: role === "neighbour" ? 1.5 : 3, color: colour.text },
      },
    };
  });
}

// What is selected, here or in a chart beside this one, stays bright.
function select() {
  const ids = props.selected?.length ? new Set(props.selected) : null;
  for (const trace of figure.data) {
    if (!trace.customdata) continue;
    trace.selectedpoints = ids ? trace.customdata.flatMap((id, i) => (ids.has(id) ? [i] : [])) : undefined;
    trace.unselected = { marker: { opacity: 0.08 } };
  }
}

function draw() {
  // on a phone no taller than wide, with room for a legend: what belongs to the chart should be on the same screen
  const narrow = chart.clientWidth && chart.clientWidth < 480;
  chart.style.height = `${narrow ? Math.min(props.height, chart.clientWidth + 60) : props.height}px`;
  if (!chart.clientWidth) return; // in a hidden tab: the ResizeObserver calls again
  read();
  const keys = points.length ? ". Arrow keys move between points, Enter picks one." : "";
  chart.setAttribute("aria-label", `${props.description}${keys}`);
  chart.querySelector(".wsr-message").textContent = figure ? "" : props.placeholder;
  if (!figure) {
    if (kind) Plotly.purge(plot);
    kind = undefined;
    return;
  }
  const next = figure.data.some((trace) => trace.type === "scatter3d") ? "3d" : "2d";
  if (kind && kind !== next) Plotly.purge(plot);
  const config = {
    displaylogo: false, scrollZoom: props.zoom, displayModeBar: props.zoom,
    modeBarButtons: [
      next === "3d" ? ["resetCameraDefault3d"] : ["zoomIn2d", "zoomOut2d", "resetScale2d"],
      next === "2d" && props.selectable ? ["pan2d", "select2d", "lasso2d"] : [],
      ["toImage"],
    ],
    toImageButtonOptions: { filename: props.description, scale: 2 },
  };
  const layout = themed(figure.layout);
  layout.dragmode ??= next === "3d" ? "orbit" : "pan";
  // A finger that drags over a flat chart scrolls the page; its buttons zoom.
  if (next === "2d" && (!props.zoom || matchMedia("(pointer: coarse)").matches)) layout.dragmode = false;
  select();
  // What is selected is said by `selected`: with the same revision plotly would put its own box back, in pixels that it
  // takes for data, find nothing in it and grey all points.
  Object.assign(layout, { selections: [], selectionrevision: ++drawn });
  if (next === "2d" && points.length) Object.assign(layout, marks());
  Plotly.react(plot, [...figure.data, ...(next === "3d" ? overlay() : [])], layout, config);
  if (kind !== next) listen(); // purge removes listeners as well
  kind = next;
}

// What `highlight` says, without drawing the rest again.
function mark() {
  if (kind === "2d" && source === props.value && points.length) Plotly.relayout(plot, marks());
  else draw();
}

function pick(id) {
  trigger("pick", { id }); // first: the ring can wait for Python's work to begin
  chosen = id;
  mark();
}

function listen() {
  const hover = (event) => {
    const id = event.points[0]?.customdata;
    hovered = points.find((p) => p.id === id) ?? null;
    if (hovered) show(hovered, pointer);
  };
  plot.on("plotly_hover", hover);
  plot.on("plotly_unhover", () => {
    hovered = null;
    tip.hidden = true;
  });
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
  if (kind === "2d") {
    const found = below(pressed, pressed.touch ? 24 : 12);
    if (found) pick(found.id);
    return;
  }
  for (let waited = 0; !hovered && waited < 1500; waited += 50) await new Promise((done) => setTimeout(done, 50));
  if (hovered) pick(hovered.id);
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
  const { url, columns, rows } = props.sprite ?? {};
  tip.replaceChildren();
  if (url && Number.isInteger(point.cell)) {
    const thumb = document.createElement("div");
    const [column, row] = [point.cell % columns, Math.floor(point.cell / columns)];
    thumb.className = "wsr-thumb";
    thumb.style.backgroundImage = `url("${url}")`;
    thumb.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
    thumb.style.backgroundPosition =
      `${(100 * column) / Math.max(1, columns - 1)}% ${(100 * row) / Math.max(1, rows - 1)}%`;
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
  const highlighted = (props.highlight ?? []).find((h) => h.role === "picked")?.id;
  const from = cursor ?? visible.find((p) => p.id === (chosen ?? highlighted));
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

chart.addEventListener("keydown", (event) => {
  if (event.target !== chart || !points.length) return;
  if (event.key.startsWith("Arrow")) {
    cursor = step(event.key);
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

watch(["value", "height"], draw);
watch(["selected"], draw);
watch(["highlight"], () => {
  chosen = null;
  mark();
});
let width = 0;
new ResizeObserver(() => {
  if (chart.clientWidth === width) return;
  width = chart.clientWidth;
  draw(); // which does nothing in a hidden tab
  if (kind && width) Plotly.Plots.resize(plot);
}).observe(chart);
const themes = new MutationObserver(() => (element.isConnected ? draw() : themes.disconnect()));
themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
draw();
