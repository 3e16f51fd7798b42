// The script of Pictures; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

const strip = element.querySelector(".wsr-pictures");
const SIZES = [96, 48, 24, 12]; // pixels along an edge: the first is the server's, the others are for slow machines
const PATIENCE = 4; // times as long as a frame of what is dragged: sixteen pictures of weights that come out of noise
const drawn = new Map(); // {key, size, src} by item: what the page has drawn last
let chosen = props.chosen ?? null;
let waits = false, drawing = false, unable = false; // whether pictures wait to be drawn, are being drawn, cannot be
let module, pace;

function background(item) {
  if (item.src) return { backgroundImage: `url("${item.src}")`, backgroundSize: "contain", backgroundPosition: "center" };
  if (item.field) { // of the same collection, until its own is there
    const { network, src } = drawn.get(item.id) ?? {};
    return network === item.field.network ? { backgroundImage: `url("${src}")`, backgroundSize: "contain" } : {};
  }
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
  waits = items.some(({ src, field }) => field && !src);
  if (waits && unable) trigger("ask");
  else if (waits && !drawing) decode();
}

// Draws what the page draws itself: at first as large as is fluid, then larger until other weights come.
async function decode() {
  drawing = true;
  strip.setAttribute("aria-busy", "true");
  try {
    module ??= await import(new URL(`${props.scripts}/decoder.js`, document.baseURI).href);
    pace ??= new module.Pace(SIZES);
    let sizes = [], items;
    while (waits || sizes.length) {
      const finer = !waits;
      if (waits) {
        [items, waits] = [JSON.parse(props.value || "[]"), false];
        const largest = Math.max(...items.map(({ size }) => size)), first = Math.min(pace.size(NaN), largest);
        sizes = SIZES.filter((size) => size >= first && size <= largest).reverse();
        if (items.some(({ field }) => field?.shape)) sizes = [...new Set([first, largest])]; // one between takes as long
      }
      const begun = performance.now();
      await sharpened(items, sizes.shift(), finer);
      if (!finer) pace.took((performance.now() - begun) / 1000 / PATIENCE);
    }
  } catch (error) {
    console.info(`The server draws: ${error.message}`);
    unable = waits = true;
    trigger("ask");
  }
  drawing = false;
  strip.setAttribute("aria-busy", "false");
}

async function sharpened(items, size, finer) {
  for (const [number, { id, field }] of items.entries()) {
    if (finer && waits) return;
    const known = drawn.get(id), key = JSON.stringify(field);
    if (!field || (known?.key === key && known.size >= size)) continue;
    const task = field.shape ? { ...module.coarser(field.shape, size / SIZES[0]), fine: true } : { width: size, height: size };
    const { values } = await module.decoded({ networks: [{ from: "a", ...field }], ...task });
    const src = module.address(values[0], task.width, task.width);
    drawn.set(id, { key, size, src, network: field.network });
    const thumb = waits ? null : strip.children[number]?.firstChild;
    if (thumb) Object.assign(thumb.style, { backgroundImage: `url("${src}")`, backgroundSize: "contain" });
  }
}

function mark() {
  strip.classList.toggle("wsr-wraps", props.wrap ?? false);
  strip.classList.toggle("wsr-stale", props.stale ?? false);
  if (unable && waits) trigger("ask"); // those that have come meanwhile
}

watch(["value", "sprite"], draw);
watch(["wrap", "stale"], mark);
watch(["chosen"], () => {
  chosen = props.chosen ?? null;
  draw();
});
draw();
mark();
