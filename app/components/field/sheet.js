// The script of FieldSheet; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

const host = element.querySelector(".wsr-field");
const RESTS = 500; // ms without another place, after which the visitor has let go
const QUIET = 150; // ms without another place, after which pictures get finer: a large one keeps the next frame waiting
const AT_ONCE = 2; // surfaces in a frame of what moves
let lanes = []; // {image, note, about, field} of each picture that can be drawn here
let whole = false; // whether every picture that moves can
let wanted = null; // the place that is to be drawn next
let last = null; // the one that was wanted before; null as long as the server's pictures are there
let drawing = false, frames = 0, turn = 0, pressed = false, moved = 0, resting;
let module; // of the decoder, loaded when it is first needed
let pace; // of frames while the place moves

function show() {
  host.innerHTML = props.value ?? "";
  read();
}

function read() {
  wanted = last = null; // what has come is newer
  const moving = [...host.querySelectorAll("[data-moves]")];
  lanes = moving.filter((one) => one.dataset.moves).map((about) => {
    const field = split(JSON.parse(about.dataset.moves)), whole = about.closest("figure") ?? about, frame = whole.querySelector(".wsr-frame") ?? whole;
    const image = frame.querySelector("img") ?? (field.field.shape && added(frame));
    const note = [...(about.querySelector("span")?.childNodes ?? [])].find((one) => /\d/.test(one.data ?? ""));
    return { about, image, note, ...field };
  });
  whole = lanes.length > 0 && lanes.length === moving.length && lanes.every(({ image }) => image);
  host.dataset.moving = moving.length;
}

const split = ({ curves, ...field }) => ({ curves, field });

// A picture in a frame where the server has found no surface.
function added(frame) {
  const alt = `what ${frame.parentElement.querySelector("b")?.textContent ?? "it"} shows`;
  return frame.appendChild(Object.assign(document.createElement("img"), { alt, hidden: true, draggable: false }));
}

// Says instead of a picture that there is nothing to draw, or no longer.
function emptied({ image }, empty) {
  const said = image.parentElement.querySelector(".wsr-blank") ?? image.parentElement.appendChild(document.createElement("div"));
  Object.assign(said, { className: "wsr-blank", textContent: "Empty: it has no surface.", hidden: !empty });
  image.hidden = empty;
}

function quality({ alphas, of, decimals }, { alpha, to }) {
  const next = Math.max(1, alphas.findIndex((one) => one >= alpha)), curve = of[to];
  const share = (alpha - alphas[next - 1]) / (alphas[next] - alphas[next - 1]);
  return (curve[next - 1] + share * (curve[next] - curve[next - 1])).toFixed(decimals);
}

// As Python writes it: 0, 0.0000003 or 0.25.
function small(value) {
  return value > 0 && value < 1e-3 ? value.toFixed(-Math.floor(Math.log10(value))) : String(Number(value.toPrecision(2)));
}

// Says in the card's ledger how far weights have been moved.
function tell({ distance, size, broken, changed, difference }, unit = props.unit ?? 1) {
  const said = { changed: changed?.toLocaleString("en") };
  if (distance !== undefined) {
    Object.assign(said, {
      distance: Number(distance.toPrecision(3)), size: Number(size.toPrecision(3)),
      broken: broken ? `${broken.toLocaleString("en")} moved` : "all in place",
      difference: difference === undefined ? " by more than …" : difference ? ` by more than ${small(difference * unit)}` : "",
    });
  }
  for (const one of element.closest(".wsr-card")?.querySelectorAll("[data-told]") ?? []) {
    const text = said[one.dataset.told];
    if (text !== undefined) one.textContent = text && `${text}${one.dataset.unit ?? ""}`;
  }
}

async function sized(lane, longest) {
  if (!lane.sides && lane.image.getAttribute("src")) await lane.image.decode();
  // as the server has drawn it; a sample that has not been drawn yet is a square
  lane.sides ??= [lane.image.naturalWidth || 1, lane.image.naturalHeight || 1];
  return lane.sides.map((side) => Math.max(1, Math.round((longest * side) / Math.max(...lane.sides))));
}

async function drawn(lane, place, longest, last) {
  const asked = { from: "a", ...lane.field, ...place };
  if (asked.part) {
    const answer = await module.decoded({ matrix: asked });
    if (answer.told) tell(answer.told[0]);
    return answer;
  }
  if (asked.shape) return surface(lane, asked, longest / props.sizes[0], last);
  const [width, height] = await sized(lane, longest);
  const answer = await module.decoded({ networks: [asked], width, height, compare: last });
  lane.operations = answer.operations / (width * height);
  if (answer.told[0]) tell(answer.told[0]);
  if (lane.about.dataset.field) { // zoomed into, it shows the same network
    lane.about.dataset.field = JSON.stringify(asked);
    lane.about.dispatchEvent(new Event("wsr-moved", { bubbles: true }));
  }
  return { ...answer, width, height };
}

async function surface(lane, asked, share, last) {
  const task = { ...module.coarser(asked.shape, share), moves: !last, compare: last }, frame = lane.image.parentElement;
  if (frame.dataset.turns) frame.dataset.turns = JSON.stringify(asked); // turned, it shows the same network
  task.view = JSON.parse(frame.closest(".wsr-row")?.dataset.view ?? "null") ?? undefined;
  const answer = await module.decoded({ networks: [asked], ...task });
  if (answer.told[0]) tell(answer.told[0], 1);
  emptied(lane, !answer.filled[0]);
  return { ...answer, width: task.width, height: task.width };
}

// Draws all pictures, beginning with the one whose turn it is. A frame that only makes them finer stops where another
// place is wanted, and so does one that takes too long; every frame where the server has sent other pictures.
async function frame(place, longest, finer, last) {
  const all = lanes, begun = performance.now(), surfaces = all.every(({ field }) => field.shape);
  const enough = (1000 * module.BUDGET) / (surfaces ? AT_ONCE : 1);
  let done = 0;
  for (; done < all.length; done++, turn++) {
    if (wanted && (finer || (done && performance.now() - begun > enough))) break;
    const lane = all[turn % all.length];
    const { values, means, width, height } = await drawn(lane, place, longest, last);
    if (all !== lanes || !lane.image.isConnected) return;
    lane.image.src = module.address(values[0], width, height);
    if (means) host.dataset.means = means;
  }
  host.dataset.frames = ++frames;
  // a finer surface shows more: a few of them in a frame are enough for what moves
  const share = surfaces ? Math.min(1, AT_ONCE / Math.max(1, done)) : 1;
  if (!finer) {
    pace.took(((performance.now() - begun) / 1000) * share);
    host.dataset.coarsest = pace.coarsest;
  }
}

// The sizes from the first to the whole one. Surfaces become as fine as they get at once, and then are sampled everywhere.
function steps(first) {
  if (lanes.every(({ field }) => field.part)) return [props.sizes[0]];
  if (lanes.some(({ field }) => field.shape)) return [first, props.sizes[0], props.sizes[0]];
  return props.sizes.filter((size) => size >= first).reverse();
}

// Draws what is wanted: at first as large as is fluid, then larger until another place is wanted.
async function draw() {
  drawing = true;
  host.setAttribute("aria-busy", "true");
  try {
    module ??= await import(new URL(`${props.scripts}/decoder.js`, document.baseURI).href);
    pace ??= new module.Pace(props.sizes);
    let place, drawn, left = [];
    while (wanted || (left.length && drawn === lanes)) {
      const finer = !wanted;
      if (finer && performance.now() - moved < QUIET) {
        await new Promise((done) => setTimeout(done, 10));
        continue;
      }
      if (wanted) {
        [place, wanted, drawn] = [wanted, null, lanes];
        const first = pace.size(lanes.reduce((sum, lane) => sum + (lane.operations ?? NaN), 0));
        left = steps(first);
      }
      const size = left.shift();
      await frame(place, size, finer, !left.length);
      await new Promise((done) => setTimeout(done)); // lets the slider speak
    }
  } catch (error) {
    console.info(`The server draws: ${error.message}`);
    wanted = null;
    whole = false;
    if (props.blends) host.textContent = "This browser cannot draw a blend.";
    trigger("ask");
  }
  drawing = false;
  host.setAttribute("aria-busy", "false");
}

// Tells the server once the visitor has let go.
function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => (pressed ? rest() : whole && trigger("rest")), RESTS);
}

function move() {
  const { again, ...place } = props.place ?? {};
  if (place.ask) return trigger("ask");
  if (!props.place || host.dataset.moving === "0") return; // nothing on screen depends on it
  if (!whole) return trigger("ask");
  if (again && lanes.every(({ field }) => Object.keys(place).every((name) => (last ?? field)[name] === place[name]))) return;
  begin(place);
  rest();
  for (const { note, curves } of lanes) {
    if (note && curves) note.textContent = note.textContent.replace(/-?\d[\d.]*/, quality(curves, place));
  }
}

function begin(place) {
  [wanted, last, moved] = [place, place, performance.now()];
  if (!drawing) draw();
}

for (const [kind, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(kind, () => (pressed = down), true);
}
// Shows what lies between two networks (`Pictures`), halfway at first; without them what is said instead, or how to ask.
function blended({ detail: { field, src, of: [one, other] = [], said } }) {
  if (!element.isConnected) return;
  if (!field) {
    if (said) host.textContent = said;
    else host.innerHTML = props.value;
    return read();
  }
  const part = (name, given = {}, ...inside) => {
    const made = Object.assign(document.createElement(name), given);
    made.append(...inside);
    return made;
  };
  const image = part("img", { src, alt: `a blend of samples ${one} and ${other}`, draggable: false });
  const caption = part("figcaption", { textContent: `between sample ${one} and sample ${other}` });
  caption.dataset.moves = JSON.stringify(field);
  const frame = part("div", { className: "wsr-frame" }, image), figure = part("figure", {}, frame, caption);
  if (field.shape) { // which turns as well (turn.js)
    frame.dataset.turns = JSON.stringify({ ...field, alpha: 0.5 });
    Object.assign(frame, { tabIndex: 0, role: "group", ariaLabel: `${image.alt}: turn it by dragging or with the arrow keys` });
  }
  const value = part("div", { className: "wsr-row" }, figure).outerHTML, slider = element.closest(".wsr-blend")?.querySelector("input[type=range]");
  if (slider) {
    slider.value = 0.5;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
  host.innerHTML = value;
  read();
  begin({ alpha: 0.5 });
  host.scrollIntoView({ block: "nearest" });
}

if (props.blends) document.addEventListener("wsr-blend", blended);
watch(["value"], show);
watch(["place"], move);
show();
