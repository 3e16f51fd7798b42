// What lies over a flat chart of PlotlyChart and moves with it: where few points are in view their thumbnails, and the names
// of groups, each in the middle of its points. A part of plotly_chart.js, whose variables it uses.

// The part of the chart in which points are drawn, and where a point is in it, also while a drag or a wheel moves them.
function area() {
  const { xaxis, yaxis } = plot._fullLayout;
  const along = ({ range, _length }, value) => ((value - range[0]) / (range[1] - range[0])) * _length;
  return {
    left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length,
    at: ({ x, y }) => [along(xaxis, x), yaxis._length - along(yaxis, y)],
  };
}

function over() {
  layer.hidden = !figure || !points.length || !plot._fullLayout?.xaxis || !plot._fullLayout._has("cartesian");
  if (layer.hidden) return layer.replaceChildren();
  const room = area();
  for (const side of ["left", "top", "width", "height"]) layer.style[side] = `${room[side]}px`;
  layer.replaceChildren(...pictures(room), ...groups(room));
}

function pictures(room) {
  pictured = 0;
  if (!props.sprite?.url) return [];
  const near = [];
  for (const point of points) {
    if (!Number.isInteger(point.cell) || plot._fullData[point.trace]?.visible !== true) continue;
    const [x, y] = room.at(point);
    if (x < 0 || y < 0 || x > room.width || y > room.height) continue;
    if (near.length === FEW) return [];
    near.push({ point, x, y });
  }
  if (!near.length) return [];
  const size = fitting(near);
  pictured = 0.6 * size;
  const roles = new Map(marked().map(({ id, role }) => [id, role]));
  const bright = props.selected?.length ? new Set(props.selected) : null;
  return near.map(({ point, x, y }) => {
    const node = document.createElement("div"), { marker } = figure.data[point.trace];
    node.className = `wsr-seen ${roles.get(point.id) ?? ""}`;
    const faint = marker.opacity < 0.5 || (bright && !bright.has(point.id));
    const edge = typeof marker.color === "string" ? marker.color : "";
    Object.assign(node.style, {
      left: `${x}px`, top: `${y}px`, width: `${size}px`, height: `${size}px`, borderColor: edge, opacity: faint ? 0.2 : 1,
    });
    cut(node, point.cell);
    return node;
  });
}

// The size of pictures, in pixels, at which most leave each other room and each can be recognised.
function fitting(near) {
  const apart = near.map((one) =>
    Math.min(...near.map((other) => (other === one ? Infinity : Math.hypot(other.x - one.x, other.y - one.y)))));
  apart.sort((a, b) => a - b);
  return Math.max(32, Math.min(apart[Math.floor(0.7 * apart.length)], 56));
}

// Shows a cell of the sheet of thumbnails in an element.
function cut(node, cell) {
  const { url, columns, rows } = props.sprite;
  const [column, row] = [cell % columns, Math.floor(cell / columns)];
  node.style.backgroundImage = `url("${url}")`;
  node.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  node.style.backgroundPosition =
    `${(100 * column) / Math.max(1, columns - 1)}% ${(100 * row) / Math.max(1, rows - 1)}%`;
}

// The name of each group, the largest first: where another name is in the way, above or below the middle, and if there is
// no room either, nowhere. The name of what a visitor has placed comes before all.
function groups(room) {
  const colour = ink(), page = rgb(colour.page);
  pen.font = `600 13px ${colour.font}`;
  const taken = placed().map((one) => {
    const [across, middle] = room.at(one);
    return { across, down: middle - RAISED, width: pen.measureText(one.label).width + 8, height: LINE + 6 };
  });
  const shown = figure.data.filter((trace, i) => trace.meta?.middle && plot._fullData[i]?.visible === true);
  shown.sort((a, b) => b.customdata.length - a.customdata.length);
  return shown.flatMap((trace) => {
    const [x, y] = room.at({ x: trace.meta.middle[0], y: trace.meta.middle[1] });
    if (x < 0 || y < 0 || x > room.width || y > room.height) return [];
    const width = pen.measureText(trace.name).width + 8;
    const across = Math.max(width / 2, Math.min(x, room.width - width / 2));
    const free = (down) =>
      down >= LINE / 2 && down <= room.height - LINE / 2 &&
      !taken.some((one) =>
        Math.abs(one.down - down) < (one.height + LINE) / 2 && Math.abs(one.across - across) < (one.width + width) / 2);
    const down = [0, -1, 1, -2, 2].map((lines) => y + lines * LINE).find(free);
    if (down === undefined) return [];
    taken.push({ across, down, width, height: LINE });
    return [name(trace, { left: across, top: down }, legible(rgb(trace.marker.color), rgb(colour.text), page), colour.page)];
  });
}

function name(trace, place, colour, page) {
  const node = document.createElement("div");
  node.className = "wsr-group";
  node.textContent = trace.name;
  const around = [[-2, 0], [2, 0], [0, -2], [0, 2], [-1.5, -1.5], [1.5, -1.5], [-1.5, 1.5], [1.5, 1.5]];
  const halo = around.map(([x, y]) => `${x}px ${y}px 1px ${page}`);
  Object.assign(node.style, {
    left: `${place.left}px`, top: `${place.top}px`, color: `rgb(${colour.join()})`, textShadow: halo.join(),
  });
  return node;
}

function rgb(colour) {
  pen.fillStyle = colour; // which a canvas gives back as #rrggbb
  return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
}

function luminance(colour) {
  const [r, g, b] = colour.map((one) => (one <= 10.3 ? one / 3295 : ((one / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// The colour, with as much of the text's colour in it as it takes to be read on the page.
function legible(colour, text, page) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((one, i) => Math.round(one + share * (text[i] - one)));
    const [dark, bright] = [luminance(mixed), luminance(page)].sort((a, b) => a - b);
    if ((bright + 0.05) / (dark + 0.05) >= LEGIBLE) return mixed;
  }
  return text;
}
