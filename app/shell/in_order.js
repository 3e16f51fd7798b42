// For the page's head: what a visitor asks for reaches the server in the order in which they asked. gradio asks with a
// request that is answered with a number, and shows an answer only once that number is there; on a busy machine numbers
// overtake each other, and an older answer would be shown last.

(() => {
  const LONGEST = 3000; // ms that one request may keep the next waiting
  const send = window.fetch;
  let before = Promise.resolve();

  const after = (ms) => new Promise((done) => setTimeout(done, ms));

  window.fetch = function (what, ...rest) {
    if (!String(what?.url ?? what).includes("/queue/join")) return send.call(this, what, ...rest);
    const sent = before.then(() => send.call(this, what, ...rest));
    const read = sent.then((answer) => answer.clone().arrayBuffer()).then(() => after(0), () => {});
    before = Promise.race([read, sent.then(() => after(LONGEST), () => {}), after(2 * LONGEST)]);
    return sent;
  };
})();
