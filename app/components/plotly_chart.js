// The script of PlotlyChart, with the other plotly_*.js behind it. gradio runs all of them
// once for every chart on the page, as the body of one function of (element, trigger, props, server, upload, watch). They find everything
// below `element`: no ids, no globals.

const chart = element.querySelector(".wsr-chart");
const plot = chart.querySelector(".wsr-plot");
const layer = chart.querySelector(".wsr-over");
const pen = document.createElement("canvas").getContext("2d"); // measures texts and reads colours
const tip = chart.querySelector(".wsr-tip");
const spoken = chart.querySelector(".wsr-spoken");

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
const ROLES = ["neighbour", "picked", "placed"]; // drawn in this order: what was picked stays on top
const FEW = 60; // points in view up to which their thumbnails are drawn
const LINE = 16; // pixels of the line of a name that lies over the chart
const RAISED = 20; // pixels from what was placed to its name above it
const LEGIBLE = 4.5; // contrast of text and page, as WCAG asks for it
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
let plotly = Plotly; // what has drawn the chart: the part for flat charts, or the whole
let kind; // "2d" or "3d" as drawn, to start afresh when it changes
let veiled = ""; // numbers of the traces that the legend hides
let chosen = null; // the id just picked here, ringed before Python answers
let around = []; // the marks of the neighbours of what is ringed
let cursor = null; // the point the arrow keys have reached
let pictured = 0; // how far from a point a click means it, in pixels, where its thumbnail is drawn
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
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
    .then((found) => {
      if (fetching !== value) return;
      fetching = undefined;
      take(value, found);
      draw();
    }, () => {
      if (fetching !== value) return;
      fetching = undefined; // the next drawing asks again
      chart.querySelector(".wsr-message").textContent = "The chart could not be loaded: choose it again, or reload the page.";
    });
}

function take(value, found) {
  source = value;
  figure = found;
  points = [];
  cursor = null;
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
  if (props.picked === null || !points.some(({ id }) => id === chosen)) chosen = null; // picked while this map was on its way, it stays picked
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
    active: variable("--wsr-focus", "#0072b2"), // the accent is too dark on black
    font: style.fontFamily,
  };
}

function themed(layout) {
  const colour = ink();
  const axis = (a) => ({ gridcolor: colour.faint, zerolinecolor: colour.faint, linecolor: colour.faint, ...a });
  const result = {
    autosize: true, paper_bgcolor: "transparent", plot_bgcolor: "transparent", hoverlabel: { font: { family: colour.font } },
    modebar: { bgcolor: "transparent", color: colour.text, activecolor: colour.active }, ...layout,
    font: { family: colour.font, size: 12, ...layout.font, color: colour.text },
  };
  for (const key of Object.keys(layout)) if (/^[xy]axis\d*$/.test(key)) result[key] = axis(layout[key]);
  if (layout.scene) {
    result.scene = { ...layout.scene, bgcolor: "transparent" };
    for (const key of ["xaxis", "yaxis", "zaxis"]) result.scene[key] = { showspikes: false, ...axis(layout.scene[key]) };
  }
  return result;
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
    if (kind) plotly.purge(plot);
    kind = undefined;
    over();
    return;
  }
  const next = figure.data.some((trace) => trace.type === "scatter3d") ? "3d" : "2d";
  const library = next === "3d" ? whole() : Plotly;
  if (!library) return;
  if (kind && kind !== next) plotly.purge(plot);
  plotly = library;
  const config = {
    displaylogo: false, showTips: false, scrollZoom: props.zoom, displayModeBar: props.zoom,
    modeBarButtons: [
      next === "3d" ? ["resetCameraDefault3d"] : ["zoomIn2d", "zoomOut2d", "resetScale2d"],
      next === "2d" && props.selectable ? ["pan2d", "select2d", "lasso2d"] : [],
      ["toImage"],
    ],
    toImageButtonOptions: { filename: props.description, scale: 2 },
  };
  const layout = themed(figure.layout);
  // in lines as short as a phone's, the names below a chart need more of them
  if (narrow && layout.legend?.yref === "container") layout.margin = { ...layout.margin, b: layout.margin.b + 34 };
  layout.dragmode ??= next === "3d" ? "orbit" : "pan";
  // A finger that drags over a flat chart scrolls the page; its buttons zoom.
  const coarse = matchMedia("(pointer: coarse)").matches;
  if (next === "2d" && (!props.zoom || coarse)) layout.dragmode = false;
  // Nor does it hover: what plotly says of a point that is tapped would stay over its neighbours.
  if (next === "2d" && points.length && coarse) layout.hovermode = false;
  select();
  // What is selected is said by `selected`: with the same revision plotly would put its own box back, in pixels that it
  // takes for data, find nothing in it and grey all points.
  Object.assign(layout, { selections: [], selectionrevision: ++drawn });
  if (layout.shapes) layout.shapes = lines();
  if (next === "2d" && points.length) Object.assign(layout, marks());
  plotly.react(plot, [...figure.data, ...(next === "3d" ? overlay() : [])], layout, config);
  for (const stop of plot.querySelectorAll("[tabindex]")) stop.tabIndex = -1; // the chart itself is the stop
  nameLocally();
  if (kind !== next) listen(); // purge removes listeners as well
  kind = next;
  veil();
  over();
}

// The whole of plotly.js, which draws in space, once the page has fetched it for one of its charts; until then undefined,
// and the chart is drawn again when it is there. Flat charts go on with the part that has drawn them.
function whole() {
  const script = (document.wsrWhole ??= Object.assign(document.createElement("script"), { src: chart.dataset.whole }));
  if (script.plotly) return script.plotly;
  chart.querySelector(".wsr-message").textContent = "Loading the 3D view …";
  if (!script.isConnected) {
    const flat = Plotly;
    script.addEventListener("load", () => {
      script.plotly = window.Plotly;
      window.Plotly = flat;
    });
    document.head.append(script);
  }
  script.addEventListener("load", draw, { once: true });
  script.addEventListener("error", failed, { once: true });
  return undefined;
}

function failed() {
  document.wsrWhole?.remove();
  document.wsrWhole = undefined; // the next drawing asks again
  chart.querySelector(".wsr-message").textContent = "The 3D view could not be loaded: choose 2D, or reload the page.";
}

// plotly names its clip paths by the address that the page had at first: once it has another one, the browser would fetch
// the page again with every drawing.
function nameLocally() {
  if (!plot._context?._baseUrl) return;
  plot._context._baseUrl = "";
  for (const one of plot.querySelectorAll("[clip-path]"))
    one.setAttribute("clip-path", one.getAttribute("clip-path").replace(/^url\(['"]?[^#]*#/, "url('#").replace(/['"]?\)$/, "')"));
}

// What `highlight` says, without drawing the rest again.
function mark() {
  if (kind === "2d" && source === props.value && points.length) plotly.relayout(plot, marks());
  else draw();
}

follow();
followFingers();
watch(["value", "height"], draw);
watch(["selected"], draw);
watch(["sprite"], over);
watch(["at"], () => {
  const shapes = (figure?.layout.shapes ?? []).filter(({ name }) => name === "at");
  if (props.at === null || !shapes.length) return;
  for (const shape of shapes) Object.assign(shape, { x0: props.at, x1: props.at });
  draw(); // after Plotly.relayout, the browser would fetch the page again whenever its address has changed
});
watch(["highlight"], () => {
  if (props.picked === null || pickedIn(props.highlight ?? []) === chosen) chosen = null;
  mark();
});
watch(["picked"], () => {
  chosen = null;
  mark();
});
let width = 0;
new ResizeObserver(() => {
  if (chart.clientWidth === width) return;
  width = chart.clientWidth;
  draw(); // which does nothing in a hidden tab
  if (!kind || !width) return;
  // where the names now stand in fewer rows, plotly leaves them at their old place, over the curves, until all is drawn anew
  plotly.Plots.resize(plot).then(() => plot.querySelector(".legend") && plotly.redraw(plot));
}).observe(chart);
const themes = new MutationObserver(() => (element.isConnected ? draw() : themes.disconnect()));
themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
draw();
