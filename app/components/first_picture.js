// The page's first picture, in its head: the map's points, painted from the page's own config while gradio's scripts are
// still on their way, which takes a second and a half longer. It goes when the chart is there.

(() => {
  const asked = [...new URLSearchParams(location.search).keys()].filter((key) => !key.startsWith("__"));
  if (asked.length) return; // a link opens something else than the first map

  const ARRAYS = { f4: Float32Array, f8: Float64Array };
  const decode = (value) =>
    value?.bdata ? new ARRAYS[value.dtype](Uint8Array.from(atob(value.bdata), (c) => c.charCodeAt(0)).buffer) : value;

  function firstFigure() {
    for (const { props } of window.gradio_config?.components ?? []) {
      if (typeof props?.value === "string" && props.value.startsWith('{"data":[{"type":"scattergl"')) return JSON.parse(props.value);
    }
  }

  function paint(canvas, traces) {
    const { clientWidth: width, clientHeight: height } = canvas, scale = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: width * scale, height: height * scale });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const extent = (axis, of) =>
      traces.reduce((so, trace) => trace[axis].reduce((a, b) => of(a, b), so), traces[0][axis][0]);
    const [left, right, bottom, top] = [extent("x", Math.min), extent("x", Math.max), extent("y", Math.min), extent("y", Math.max)];
    const unit = Math.min((0.92 * width) / (right - left), (0.92 * height) / (top - bottom)); // both axes have one scale
    for (const trace of traces) {
      Object.assign(pen, { fillStyle: trace.marker.color, globalAlpha: trace.marker.opacity });
      for (let i = 0; i < trace.x.length; i++) {
        pen.beginPath();
        const across = trace.x[i] - (left + right) / 2, up = trace.y[i] - (bottom + top) / 2;
        pen.arc(width / 2 + across * unit, height / 2 - up * unit, 3.5, 0, 7);
        pen.fill();
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const figure = firstFigure();
    if (!figure) return;
    const theme = new URLSearchParams(location.search).get("__theme");
    const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const cover = document.createElement("div");
    cover.className = "wsr-first";
    cover.setAttribute("aria-hidden", "true");
    cover.style.cssText = `position:fixed;inset:0;z-index:9;pointer-events:none;background:${dark ? "#0f1117" : "#fbfbfd"}`;
    const canvas = document.createElement("canvas");
    // about where the chart will be
    canvas.style.cssText = innerWidth < 640
      ? "position:absolute;left:55px;top:425px;width:calc(100vw - 95px);height:calc(100vw - 123px)"
      : "position:absolute;left:max(55px,calc(50% - 665px));top:267px;width:min(calc(63vw - 34px),876px);height:467px";
    cover.append(canvas);
    document.body.append(cover);
    paint(canvas, figure.data.map((t) => ({ ...t, x: decode(t.x), y: decode(t.y) })));
    const begun = performance.now();
    const watch = setInterval(() => {
      if (!document.querySelector(".wsr-plot .main-svg") && performance.now() - begun < 15000) return;
      clearInterval(watch);
      cover.remove();
    }, 30);
  });
})();
