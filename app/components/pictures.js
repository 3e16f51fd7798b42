// The script of Pictures; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

const strip = element.querySelector(".wsr-pictures");
let chosen = props.chosen ?? null;

function background(item) {
  if (item.src) return { backgroundImage: `url("${item.src}")`, backgroundSize: "contain", backgroundPosition: "center" };
  const { url, columns, rows } = props.sprite ?? {};
  if (!url || !Number.isInteger(item.cell)) return {};
  const [column, row] = [item.cell % columns, Math.floor(item.cell / columns)];
  return {
    backgroundImage: `url("${url}")`,
    backgroundSize: `${100 * columns}% ${100 * rows}%`,
    backgroundPosition:
      `${(100 * column) / Math.max(1, columns - 1)}% ${(100 * row) / Math.max(1, rows - 1)}%`,
  };
}

function button(item) {
  const node = document.createElement("button");
  node.type = "button";
  node.title = item.title ?? item.label;
  node.setAttribute("aria-pressed", String(item.id === chosen));
  const thumb = document.createElement("div");
  thumb.className = "wsr-thumb";
  Object.assign(thumb.style, background(item));
  node.append(thumb);
  for (const [name, text] of [["wsr-name", item.label], ["wsr-remark", item.note]]) {
    if (!text) continue;
    const line = document.createElement("div");
    line.className = name;
    line.textContent = text;
    node.append(line);
  }
  node.addEventListener("click", () => {
    chosen = item.id;
    for (const other of strip.children) other.setAttribute("aria-pressed", String(other === node));
    trigger("pick", { id: item.id, at: Date.now() });
  });
  return node;
}

function draw() {
  const items = JSON.parse(props.value || "[]");
  strip.style.gridTemplateColumns = props.columns ? `repeat(${props.columns}, minmax(0, 1fr))` : "";
  const focus = [...strip.children].indexOf(document.activeElement);
  strip.replaceChildren(...items.map(button));
  strip.children[focus]?.focus(); // a choice that redraws the strip must not throw the keyboard out of it
}

function mark() {
  strip.classList.toggle("wsr-wraps", props.wrap ?? false);
  strip.classList.toggle("wsr-stale", props.stale ?? false);
}

watch(["value", "sprite"], draw);
watch(["wrap", "stale"], mark);
watch(["chosen"], () => {
  chosen = props.chosen ?? null;
  draw();
});
draw();
mark();
