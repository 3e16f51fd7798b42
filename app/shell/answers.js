// For the page's head: every question is answered. gradio's server ends its stream of answers when nothing is asked any
// more, and gradio's page opens another one with the next question, unless it believes that one is open. It learnt of
// the end too late where it was busy: a question asked meanwhile had an answer that nobody read, and the page waited for
// good. So the page hears of an end only when nothing is asked; until then the next stream is added to the first. It
// hears of it when the request is over: the server takes a request that is cut off for a visitor who leaves, and drops
// what they have asked.

(() => {
  const LONGEST = 10000; // ms that the end of a stream waits for the number of a question
  const BETWEEN = "\n\n"; // messages
  const send = window.fetch;
  const waiting = new Set(); // numbers of questions without an answer
  const early = new Set(); // of questions that were answered before their numbers came
  const asking = new Set(); // promises of the numbers that are on their way

  window.wsrUnanswered = () => asking.size + waiting.size; // also while no request is open

  const after = (ms) => new Promise((done) => setTimeout(done, ms));

  function ask(sent) {
    const known = sent
      .then((answer) => answer.clone().json())
      .then(({ event_id: number }) => number && !early.delete(number) && waiting.add(number))
      .catch(() => {}) // gradio tells of a question that was refused
      .finally(() => asking.delete(known));
    asking.add(known);
    return sent;
  }

  function hear(message) {
    if (message.msg === "unexpected_error") waiting.clear();
    else if (message.msg === "process_completed" && !waiting.delete(message.event_id)) early.add(message.event_id);
    return message.msg !== "close_stream";
  }

  // Whether another stream is needed when one has ended.
  async function more() {
    let late = false;
    const longest = after(LONGEST).then(() => (late = true));
    while (asking.size && !waiting.size && !late) await Promise.race([...asking, longest]);
    return waiting.size > 0;
  }

  async function* messages(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      const whole = text.split(BETWEEN);
      text = whole.pop();
      yield* whole;
    }
    if (text) yield text;
  }

  async function* answers(first, again) {
    let end = null;
    for (let answer = first; ; answer = await again()) {
      if (!answer.ok) throw new Error(`The stream of answers cannot be opened: ${answer.status}`);
      end = null;
      for await (const message of messages(answer.body)) {
        if (hear(JSON.parse(message.replace(/^data:\s*/, "")))) yield message;
        else end = message;
      }
      if (!end || !(await more())) break;
    }
    if (end) yield end;
  }

  function joined(first, again) {
    const all = answers(first, again), bytes = new TextEncoder();
    const body = new ReadableStream({
      async pull(control) {
        const { value, done } = await all.next();
        if (done) control.close();
        else control.enqueue(bytes.encode(value + BETWEEN));
      },
    });
    return new Response(body, { status: first.status, headers: first.headers });
  }

  window.fetch = function (what, ...rest) {
    const url = String(what?.url ?? what);
    if (url.includes("/queue/join")) return ask(send.call(this, what, ...rest));
    if (!url.includes("/queue/data") || !(what instanceof Request)) return send.call(this, what, ...rest);
    const open = () => send.call(this, what.clone(), ...rest);
    return open().then((first) => (first.ok ? joined(first, open) : first));
  };
})();
