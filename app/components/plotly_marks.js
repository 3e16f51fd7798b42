// What PlotlyChart draws on top of a figure: the picked point, its neighbours, and what was placed. A part of
// plotly_chart.js, whose variables it uses.

// What the legend hides is not marked either.
function veil() {
  const hidden = plot._fullData.flatMap((trace, i) => (trace.visible === "legendonly" ? [i] : [])).join();
  if (!points.length || hidden === veiled) return;
  veiled = hidden;
  mark();
}

function pickedIn(marks) {
  return marks.find(({ role }) => role === "picked")?.id;
}

// The id that is ringed: what was just picked here, or what the page says is picked.
function ringed() {
  return chosen ?? props.picked ?? pickedIn(props.highlight ?? []);
}

// The points drawn on top, with their role. Marks that come late, about what was picked before, do not replace those of
// what is picked now.
function marked() {
  const hidden = veiled.split(","), given = props.highlight ?? [], id = ringed();
  if (pickedIn(given) === id) around = given.filter(({ role }) => role === "neighbour");
  const wanted = [...around, ...given.filter(({ role }) => role === "placed")];
  if (id !== undefined) wanted.push({ id, role: "picked" });
  return wanted
    .map((h) => ({ ...points.find((p) => p.id === h.id), ...h }))
    .filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y) && !hidden.includes(String(p.trace)))
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
}

// On a flat chart, shapes and names: changing a trace would compute all of 100,000 points again.
function marks() {
  return {
    shapes: [...lines(), ...rings()],
    annotations: [...(figure.layout.annotations ?? []), ...names()],
  };
}

// A figure's own lines, in the colour of the text unless they bring one: plotly's is a grey that the dark swallows.
function lines() {
  const colour = ink();
  return (figure.layout.shapes ?? []).map((one) => ({ ...one, line: { color: colour.text, ...one.line } }));
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

// What a visitor has placed, and its name.
function placed() {
  return marked().filter(({ role, label }) => role === "placed" && label);
}

function names() {
  const look = { showarrow: false, yshift: RAISED, bgcolor: ink().page, opacity: 0.9, borderpad: 2 };
  return placed().map(({ x, y, label }) => ({ x, y, text: escaped(label), ...look }));
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
    const named = role === "placed";
    return {
      type: "scatter3d", mode: named ? "markers+text" : "markers", name: role, showlegend: false, hoverinfo: "none",
      x: found.map((p) => p.x), y: found.map((p) => p.y), z: found.map((p) => p.z ?? 0), customdata: found.map((p) => p.id),
      text: found.map((p) => (named ? p.label ?? "" : "")), textposition: "top center",
      textfont: { color: colour.text, size: 13 },
      marker: {
        symbol: named ? "diamond" : "circle-open", color: named ? colour.accent : colour.text,
        size: { neighbour: 9, picked: 14, placed: 10 }[role],
        line: { width: role === "neighbour" ? 1.5 : 3, color: colour.text },
      },
    };
  });
}
