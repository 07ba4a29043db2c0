// Search and try routes. Without this script the map is a list.
(() => {
  "use strict";
  const form = document.getElementById("try");
  const search = document.getElementById("search");
  const routes = [...document.querySelectorAll(".route")];
  document.documentElement.classList.add("has-script");

  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const route of routes) {
      const text = route.textContent.toLowerCase();
      route.hidden = !words.every((word) => text.includes(word));
      count += route.hidden ? 0 : 1;
    }
    for (const folder of document.querySelectorAll("details.folder")) {
      folder.hidden = !folder.querySelector(".route:not([hidden])");
    }
    document.getElementById("count").textContent = `${count} of ${routes.length} routes`;
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-url]");
    if (!button) return;
    form.elements.path.value = button.dataset.url;
    form.elements.method.value = button.dataset.method;
    form.scrollIntoView({ block: "nearest" });
    form.elements.path.focus();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { method, path, type, body } = form.elements;
    const output = document.getElementById("response");
    const options = { method: method.value, redirect: "manual", headers: {} };
    if (body.value && !["GET", "HEAD"].includes(method.value)) {
      options.body = body.value;
      options.headers["Content-Type"] = type.value;
    }
    const start = performance.now();
    try {
      const response = await fetch(path.value, options);
      const text = await response.text();
      const took = Math.round(performance.now() - start);
      const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
      const status = response.type === "opaqueredirect"
        ? "a redirect" : `${response.status} ${response.statusText}`;
      output.textContent =
        [`${status} in ${took} ms`, ...headers, "", text.slice(0, 20000)].join("\n");
    } catch (error) {
      output.textContent = `No response: ${error.message}`;
    }
    output.hidden = false;
    output.focus();
  });
})();
