// For the page's head: follows a link of this page to another state of it without loading the page anew.

(() => {
  let before; // the title of the tab that was on screen, while a link is being followed
  let another = false; // whether the visitor has gone on meanwhile

  const selected = () => document.querySelector("[role=tab][aria-selected=true]")?.textContent.trim();
  // A job ends with its page, and a page that is not ready yet reads its link anyway.
  const mustLoad = () => !window.wsrTitles || [...document.querySelectorAll(".wsr-halt")].some((one) => !one.disabled);

  function read() {
    window.wsrLinkRead = false; // until then, what tabs write into the address is older than the link
    document.getElementById("wsr-follow").click();
  }

  // Opens the state of a link, or of the address if none is given. Returns whether it can be done.
  window.wsrFollow = (link) => {
    if (mustLoad()) return false;
    if (link !== undefined) {
      const query = new URLSearchParams(link);
      new URLSearchParams(location.search).forEach((value, name) => name.startsWith("__") && query.set(name, value));
      history.pushState(history.state, "", `${location.pathname}?${query}`);
    }
    if (before !== undefined) {
      another = true;
      return true;
    }
    before = selected();
    read();
    return true;
  };

  // Called once the tab's widgets have the link's values. always: tabs that fill themselves after each link.
  window.wsrFollowed = (always) => {
    if (another) {
      another = false;
      return read();
    }
    const tab = new URLSearchParams(location.search).get("tab"), stayed = window.wsrTitles[tab] === before;
    before = undefined;
    window.wsrLinkRead = true;
    if (stayed || always.includes(tab)) document.getElementById(`wsr-again-${tab}`)?.click();
  };
})();
