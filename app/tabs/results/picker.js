// The script of Picker; gradio runs it as the body of a function of (element, trigger, props, server, upload, watch).

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-id]");
  if (!button) return;
  for (const other of document.querySelectorAll("button[data-id][aria-pressed=true]")) {
    other.setAttribute("aria-pressed", "false");
  }
  button.setAttribute("aria-pressed", "true");
  window.wsrPicked = button.dataset.id;
  trigger("pick", { id: button.dataset.id, at: Date.now() });
});

function say(event) {
  const told = event.target.closest("button[title]"), line = element.querySelector(".wsr-hint");
  if (told && line) line.textContent = told.title;
}
element.addEventListener("mouseover", say);
element.addEventListener("focusin", say);

const linked = () => new URLSearchParams(location.search).get("claim");
let followed; // what the page was last scrolled for: the address names a claim as long as it is open

watch("value", () => {
  const picked = window.wsrPicked, asked = picked ?? linked();
  if (!props.follows || !asked) return;
  // a lesson's question stands above the page, and comes before its answer
  if (!picked && (asked === followed || document.getElementById("wsr-lesson"))) return;
  followed = asked;
  window.wsrPicked = undefined;
  const { top, bottom } = element.getBoundingClientRect();
  if (bottom < 80 || top > 0.8 * window.innerHeight) element.scrollIntoView({ block: "start" });
});
