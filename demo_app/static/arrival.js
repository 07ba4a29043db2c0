// Tell in the footer how long the server took to send this page.
addEventListener("load", () => setTimeout(() => {
  const [page] = performance.getEntriesByType("navigation");
  const place = document.querySelector("[data-arrival]");
  if (page && place) {
    const milliseconds = Math.max(1, Math.round(page.responseEnd - page.requestStart));
    place.textContent = `, and arrived in ${milliseconds} ms`;
  }
}));
