// The picture of a work to look into: OpenSeadragon, loaded when it is asked for, with our own labels and keys.

"use strict";

{
  const dialog = document.getElementById("zoomed");
  const view = dialog.querySelector(".view");
  let viewer;

  function load(address) {
    return new Promise((done, failed) => {
      if (window.OpenSeadragon) return done();
      const script = Object.assign(document.createElement("script"), { src: address, onload: done, onerror: failed });
      document.head.append(script);
    });
  }

  async function open(link) {
    dialog.showModal();
    document.documentElement.classList.add("still");
    view.focus();
    await load(dialog.dataset.viewer);
    viewer = window.OpenSeadragon({
      element: view,
      tileSources: { type: "image", url: link.href },
      showNavigationControl: false,
      maxZoomPixelRatio: 2,
      visibilityRatio: 0.8,
      animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.6,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      drawer: "canvas",
    });
    viewer.innerTracker.keyDownHandler = null;
    viewer.innerTracker.keyHandler = null;
  }

  function act(what) {
    if (what === "close") return dialog.close();
    if (!viewer?.viewport) return;
    const port = viewer.viewport;
    if (what === "all") port.goHome();
    else if (what === "in" || what === "out") port.zoomBy(what === "in" ? 1.5 : 1 / 1.5);
    else {
      const { width } = port.getBounds();
      const [x, y] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[what];
      port.panBy(new window.OpenSeadragon.Point((x * width) / 6, (y * width) / 6));
    }
    port.applyConstraints();
  }

  const KEYS = { "+": "in", "=": "in", "-": "out", 0: "all", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

  view.addEventListener("keydown", (event) => {
    if (event.key in KEYS && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      act(KEYS[event.key]);
    }
  });
  dialog.addEventListener("click", (event) => {
    const what = event.target.closest("[data-do]")?.dataset.do;
    if (what) act(what);
  });
  dialog.addEventListener("close", () => {
    viewer?.destroy();
    viewer = undefined;
    document.documentElement.classList.remove("still");
  });
  for (const link of document.querySelectorAll("a.zoom")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(link).catch(() => location.assign(link.href));
    });
  }
}
