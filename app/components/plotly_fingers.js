// Two fingers on a flat chart of PlotlyChart zoom and move it; one finger scrolls the page. A part of plotly_chart.js,
// whose variables it uses.

let held = null; // where the two fingers were at first, and the ranges of the axes then

function fingers({ touches }) {
  const box = plot.getBoundingClientRect(), { xaxis, yaxis } = plot._fullLayout;
  const [[ax, ay], [bx, by]] = [...touches].map(({ clientX, clientY }) => [clientX - box.left, clientY - box.top]);
  // shares of the axes, from where each begins: y grows upwards
  const middle = [((ax + bx) / 2 - xaxis._offset) / xaxis._length, 1 - ((ay + by) / 2 - yaxis._offset) / yaxis._length];
  return { gap: Math.max(Math.hypot(ax - bx, ay - by), 10), middle };
}

function moved(axis, share, scale, first) {
  const [low, high] = first, wide = (high - low) * scale;
  return { [`${axis}.range`]: [low + (high - low) * share.then - wide * share.now, low + (high - low) * share.then + wide * (1 - share.now)] };
}

function followFingers() {
  const begin = (event) => {
    held = null;
    if (kind !== "2d" || !props.zoom || event.touches.length !== 2) return;
    const { xaxis, yaxis } = plot._fullLayout;
    held = { ...fingers(event), x: [...xaxis.range], y: [...yaxis.range] };
    tip.hidden = true;
    event.preventDefault();
  };
  let next = null; // the latest place of the fingers, until the browser paints
  chart.addEventListener("touchstart", begin, { passive: false });
  chart.addEventListener("touchmove", (event) => {
    if (!held || event.touches.length !== 2) return;
    event.preventDefault();
    const waiting = next !== null;
    next = { now: fingers(event), from: held }; // the fingers may have left before the browser paints
    if (waiting) return;
    requestAnimationFrame(() => {
      const { now, from } = next;
      next = null;
      const scale = from.gap / now.gap;
      const ranges = ["x", "y"].map((name, i) => moved(`${name}axis`, { then: from.middle[i], now: now.middle[i] }, scale, from[name]));
      plotly.relayout(plot, Object.assign({}, ...ranges));
    });
  }, { passive: false });
  // On a chart that one finger does not drag, the browser sends the presses of a mouse after a tap: plotly takes both for
  // two taps, which undo the zoom.
  chart.addEventListener("touchend", (event) => {
    const tapped = plot._fullLayout?.dragmode === false && event.target.closest?.(".draglayer");
    if (tapped && event.cancelable) event.preventDefault();
  }, { passive: false });
  for (const end of ["touchend", "touchcancel"]) chart.addEventListener(end, begin, { passive: false });
}
