// The script of FieldSheet; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

const host = element.querySelector(".wsr-field");
let lanes = []; // {image, note, field} of each picture that can be drawn here
let whole = false; // whether every picture can
let wanted = null; // the place that is to be drawn next
let drawing = false;
let module; // of the decoder, loaded when it is first needed

function show() {
  host.innerHTML = props.value ?? "";
  wanted = null; // what the server has drawn is newer
  const captions = [...host.querySelectorAll("figcaption")];
  lanes = captions.filter((one) => one.dataset.field).map((caption) => ({
    image: caption.parentElement.querySelector("img"), note: caption.querySelector("span")?.firstChild,
    field: JSON.parse(caption.dataset.field),
  }));
  whole = lanes.length > 0 && lanes.length === captions.length && lanes.every(({ image }) => image);
}

function quality({ alphas, curves, decimals }, { alpha, second }) {
  const next = Math.max(1, alphas.findIndex((one) => one >= alpha)), curve = curves[second];
  const share = (alpha - alphas[next - 1]) / (alphas[next] - alphas[next - 1]);
  return (curve[next - 1] + share * (curve[next] - curve[next - 1])).toFixed(decimals);
}

function tell(place) {
  for (const { note, field } of lanes) {
    if (note) note.textContent = note.textContent.replace(/^-?[\d.]+/, quality(field, place));
  }
}

// Draws all pictures. A frame that only makes them finer stops where another place is wanted; every frame where the
// server has sent other pictures.
async function frame({ decoded, address }, { alpha, second }, size, finer) {
  const all = lanes;
  for (const lane of all) {
    if (finer && wanted) return;
    const { network, vectors } = lane.field;
    const task = { networks: [{ network, vectors, from: "a", to: second, alpha }], width: size, height: size };
    const { values, operations, means } = await decoded(task);
    if (all !== lanes || !lane.image.isConnected) return;
    lane.operations = operations / size ** 2;
    lane.image.src = address(values[0], size, size);
    host.dataset.means = means;
  }
}

// Draws what is wanted: at first as large as is fluid, then larger until another place is wanted.
async function draw() {
  drawing = true;
  host.setAttribute("aria-busy", "true");
  try {
    module ??= await import(new URL(`${props.scripts}/decoder.js`, document.baseURI).href);
    let place, drawn, left = [];
    while (wanted || (left.length && drawn === lanes)) {
      const finer = !wanted;
      if (wanted) {
        [place, wanted, drawn] = [wanted, null, lanes];
        const each = lanes.reduce((sum, lane) => sum + (lane.operations ?? NaN), 0);
        const first = Number.isNaN(each) ? props.sizes.at(-1) : module.fluid(props.sizes, each);
        left = props.sizes.filter((size) => size >= first).reverse();
      }
      await frame(module, place, left.shift(), finer);
      await new Promise((done) => setTimeout(done)); // lets the slider speak
    }
  } catch (error) {
    console.info(`The server draws: ${error.message}`);
    wanted = null;
    whole = false;
    trigger("ask");
  }
  drawing = false;
  host.setAttribute("aria-busy", "false");
}

function move() {
  if (typeof props.alpha !== "number") return;
  if (!whole) return trigger("ask");
  wanted = { alpha: props.alpha, second: props.second };
  tell(wanted);
  if (!drawing) draw();
}

watch(["value"], show);
watch(["alpha", "second"], move);
show();
