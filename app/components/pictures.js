// The script of Pictures; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

const strip = element.querySelector(".wsr-pictures");
const SIZES = [96, 48, 24, 12]; // pixels along an edge: the first is the server's, the others are for slow machines
const PATIENCE = 4; // times as long as a frame of what is dragged: sixteen pictures of weights that come out of noise
const drawn = new Map(); // {key, size, src} by item: what the page has drawn last
strip.dataset.waiting = props.waiting ?? "";
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
  node.dataset.id = item.id;
  if (props.blends) node.addEventListener("pointerdown", (event) => grasp(event, item));
  node.addEventListener("click", ({ detail, clientY }) => {
    if (second === item.id) return tell({ said: `Choose another one: blended with itself, sample ${Number(second) + 1} stays as it is.` });
    if (second) return blend(second, item.id);
    choose(item.id);
    trigger("pick", { id: item.id, at: Date.now() });
    // not by keyboard, which would lose sight of itself
    if (detail && strip.closest(".wsr-half")) reveal(".wsr-panel .wsr-frame", clientY);
  });
  return node;
}

function choose(id) {
  chosen = id;
  for (const one of strip.children) one.setAttribute("aria-pressed", String(one.dataset.id === id));
}

function draw() {
  const items = JSON.parse(props.value || "[]");
  if (props.chosen === false) chosen = null; // what a press has opened is not among those beside it, but may be beside another
  strip.style.gridTemplateColumns = props.columns ? `repeat(${props.columns}, minmax(0, 1fr))` : "";
  const focus = [...strip.children].indexOf(document.activeElement);
  strip.replaceChildren(...items.map(button));
  strip.children[focus]?.focus(); // a choice that redraws the strip must not throw the keyboard out of it
  follow(items);
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
  for (const [number, { id, src, field }] of items.entries()) {
    if (finer && waits) return;
    if (src) continue; // which the server has drawn
    const known = drawn.get(id), key = JSON.stringify(field);
    if (!field || (known?.key === key && known.size >= size)) continue;
    const task = field.shape ? { ...module.coarser(field.shape, size / SIZES[0]), fine: true } : { width: size, height: size };
    const { values } = await module.decoded({ networks: [{ from: "a", ...field }], ...task });
    const address = module.address(values[0], task.width, task.width);
    drawn.set(id, { key, size, src: address, network: field.network });
    const thumb = waits ? null : strip.children[number]?.firstChild;
    if (thumb) Object.assign(thumb.style, { backgroundImage: `url("${address}")`, backgroundSize: "contain" });
  }
}

// Two networks of one file can be blended: by dragging one onto the other, or by asking for it and choosing the second.
const blendable = ({ field }) => !props.stale && field && !field.vectors.startsWith("data:");
let second = null; // the id of the one that waits for another to be chosen
let dragged = null; // {id, network, ghost, x, y} of the one under the pointer
// {vectors} of the blend on screen, {pair, network} of one that waits for its samples, or {nothing} where there are none
let between = null;

const tell = (detail) => document.dispatchEvent(new CustomEvent("wsr-blend", { detail }));
const buttonOf = (id) => [...strip.children].find(({ dataset }) => dataset.id === id);

function blend(from, to) {
  const items = JSON.parse(props.value || "[]"), [one, other] = [from, to].map((id) => items.find((item) => item.id === id));
  const of = [Number(from) + 1, Number(to) + 1];
  drop();
  if (!one || !other) return;
  between = null;
  if (unable) return tell({ said: "This browser cannot draw a blend." });
  if ([one, other].some(({ src, field }) => src && !field)) return tell({ said: "The page cannot draw a blend of these." });
  if (![one, other].every(blendable) || one.field.vectors !== other.field.vectors) {
    between = { pair: [from, to], network: one.field?.network };
    return tell({ said: `Samples ${of.join(" and ")} are still being drawn: they are blended once they are there.` });
  }
  between = { vectors: one.field.vectors };
  const field = { ...one.field, to: other.field.from, ...(one.large && { shape: one.large }) };
  tell({ field, src: buttonOf(from).firstChild.style.backgroundImage.slice(5, -2), of });
}

// Other items have come: a drag goes on where they are the same samples or what becomes of them, a blend that waited for
// them is made, and one of samples that have gone goes as well.
function follow(items) {
  const goes = (network) => network && !items.some(({ field }) => !field || field.network === network);
  if (dragged && (!buttonOf(dragged.id) || goes(dragged.network))) drop();
  if (between?.nothing && items.length) forget();
  if (between?.vectors ? !items.some(({ field }) => field?.vectors === between.vectors) : goes(between?.network)) forget();
  if (between?.pair && items.every(blendable)) blend(...between.pair);
}

function forget() {
  if (between) tell({});
  between = null;
}

function drop() {
  letGo();
  second = null;
  strip.classList.remove("wsr-second");
}

// Ends a drag only: a click, too, begins and ends one, and may be the choice of a second sample.
function letGo() {
  dragged?.ghost?.remove();
  dragged = null;
  for (const one of strip.children) one.classList.remove("wsr-onto");
}

// A finger scrolls the page, so that only a mouse or a pen drags.
function grasp(event, { id, field }) {
  if (event.pointerType === "touch" || event.button > 0) return;
  event.preventDefault(); // no text is selected meanwhile
  buttonOf(id).focus({ preventScroll: true });
  dragged = { id, network: field?.network, x: event.clientX, y: event.clientY };
}

const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest(".wsr-pictures button");

function pull(event) {
  if (!dragged) return;
  if (!event.buttons) return letGo(); // outside the page
  if (!dragged.ghost && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) < 8) return;
  dragged.ghost ??= document.body.appendChild(Object.assign(buttonOf(dragged.id).firstChild.cloneNode(), { className: "wsr-ghost" }));
  Object.assign(dragged.ghost.style, { left: `${event.clientX}px`, top: `${event.clientY}px` });
  const onto = under(event);
  for (const one of strip.children) one.classList.toggle("wsr-onto", one === onto && one.dataset.id !== dragged.id);
}

function release(event) {
  const { id, ghost } = dragged ?? {}, onto = ghost && under(event);
  letGo();
  if (onto && strip.contains(onto) && onto.dataset.id !== id) blend(id, onto.dataset.id);
}

if (props.blends) {
  document.addEventListener("pointermove", pull);
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && drop());
  document.addEventListener("wsr-blend-with", () => {
    const there = JSON.parse(props.value || "[]").map(({ id }) => id), from = there.includes(chosen) ? chosen : there[0];
    drop();
    if (from === undefined) {
      between = { nothing: true };
      return tell({ said: "There are no samples to blend yet: press Sample first." });
    }
    second = from ?? null;
    strip.classList.toggle("wsr-second", second !== null);
    strip.querySelector(`[data-id="${second}"]`)?.focus();
  });
}

function mark() {
  strip.classList.toggle("wsr-wraps", props.wrap ?? false);
  strip.classList.toggle("wsr-stale", props.stale ?? false);
  if (props.stale) { // what was chosen is about to go
    drop();
    if (between?.vectors) forget();
  } else follow(JSON.parse(props.value || "[]"));
  if (unable && waits) trigger("ask"); // those that have come meanwhile
}

watch(["value", "sprite"], draw);
watch(["wrap", "stale"], mark);
watch(["chosen"], () => choose(props.chosen ?? null));
draw();
mark();
