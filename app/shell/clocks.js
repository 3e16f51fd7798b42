// For the page's head: gradio's clocks, which tell for how long something has been going on, are drawn five times a
// second. Each asks for the next frame in every frame, and the one of "Loading ..." goes on after it has left the page:
// a page that nobody touched kept 7 % of a core busy for as long as it was open.

(() => {
  const EVERY = 200; // ms
  const frame = window.requestAnimationFrame;

  const isClock = (callback) => {
    const text = String(callback);
    return text.length < 100 && text.includes("performance.now()-") && text.includes("/1e3");
  };

  window.requestAnimationFrame = (callback) =>
    isClock(callback) ? setTimeout(() => frame.call(window, callback), EVERY) : frame.call(window, callback);
})();
