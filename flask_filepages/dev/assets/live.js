// Reloads the page after a change, and shows errors over it. Only in debug mode.
(() => {
  "use strict";
  const element = document.currentScript;
  // An element of the page may be named "currentScript".
  if (window.filepagesLive || !(element instanceof HTMLScriptElement)) return;
  window.filepagesLive = true;
  const tools = element.src.slice(0, element.src.lastIndexOf("/") + 1);
  const INTERVAL = 500; // milliseconds
  const loaded = performance.getEntriesByType("navigation")[0];
  // Loaded now, because the server may not be able to send it when it is needed.
  const sheet = new CSSStyleSheet();
  fetch(`${tools}dev.css`).then((r) => r.text()).then((text) => sheet.replaceSync(text));
  let version = element.dataset.version;
  let styles = null;
  let overlay = null;
  let timer = null;
  let isBroken = false;

  async function look() {
    timer = null;
    try {
      const response = await fetch(`${tools}state`, { cache: "no-store" });
      if (response.status === 403 || response.status === 404) return; // Not for us.
      isBroken = !response.ok;
      if (isBroken) show(await described(response));
      else await react(await response.json());
    } catch {
      // The server is restarting.
    }
    schedule();
  }

  function schedule() {
    // The server logs a traceback for each request to an app that cannot start.
    const wait = isBroken ? 2 * INTERVAL : INTERVAL;
    if (timer === null && !document.hidden) timer = setTimeout(look, wait);
  }

  async function react(state) {
    if (styles !== null && styles !== state.styles) swapStyles(state.styles);
    styles = state.styles;
    if (version === state.version) return;
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    const text = await response.text();
    const isSame = loaded && response.status === loaded.responseStatus;
    if (response.ok || isSame || text.includes("filepages-failure")) {
      location.reload();
      return;
    }
    version = state.version;
    const now = await (await fetch(`${tools}state`, { cache: "no-store" })).json();
    const title = `${response.status} ${response.statusText}`;
    show(response.status >= 500 && now.error ? now.error : { title });
  }

  // Werkzeug's debugger has the traceback in a comment.
  async function described(response) {
    const found = /<!--\s*(Traceback[\s\S]*?)\s*-->/.exec(await response.text());
    const lines = found ? found[1].split("\n").slice(-12) : [];
    const message = lines.join("\n");
    return { title: "The app cannot start", message, fix: "The terminal shows more." };
  }

  function swapStyles(to) {
    for (const link of document.querySelectorAll('link[rel~="stylesheet"]')) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("filepages", to);
      link.href = url.href;
    }
  }

  function make(parent, name, text, className) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    parent.append(made);
    return made;
  }

  function show(error) {
    const text = JSON.stringify(error);
    if (overlay && overlay.dataset.error === text) return;
    if (overlay) overlay.remove();
    overlay = document.createElement("filepages-overlay");
    overlay.dataset.error = text;
    const root = overlay.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const box = make(root, "section", "", "overlay");
    box.setAttribute("role", "alert");
    make(box, "h2", error.title);
    if (error.message) make(box, "pre", error.message).tabIndex = 0;
    if (error.place) make(box, "p", error.place, "place");
    if (error.source && error.source.length) {
      const lines = make(box, "pre", "", "source");
      lines.tabIndex = 0;
      for (const [number, text, isIt] of error.source) {
        make(lines, isIt ? "mark" : "span", `${String(number).padStart(4)}  ${text}`);
      }
    }
    if (error.fix) make(box, "p", error.fix, "fix");
    if (error.chain && error.chain.length) {
      const list = make(box, "ol", "", "chain");
      for (const line of error.chain) make(list, "li", line);
    }
    make(box, "p", "This goes away when the error is fixed.", "note");
    const close = make(box, "button", "Close");
    close.type = "button";
    close.addEventListener("click", () => overlay.remove());
    document.documentElement.append(overlay);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer === null) look();
  });
  if (!document.hidden) look();
})();
