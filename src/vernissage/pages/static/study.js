// Every page works without this. Here come pictures in a dialog, and forms that are sent once.
(() => {
  "use strict";

  const dialog = document.getElementById("large");
  const picture = dialog?.querySelector("img");
  const full = dialog?.querySelector("[aria-pressed]");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.enlarge");
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    picture.src = link.dataset.picture;
    picture.alt = link.querySelector("img").alt;
    dialog.querySelector("p").textContent = link.dataset.title;
    full.setAttribute("aria-pressed", "false");
    full.hidden = true;
    link.focus(); // Safari gives links no focus when they are clicked, and closing gives it back
    dialog.showModal();
  });
  if (dialog) {
    const turn = () => {
      if (full.hidden) return;
      full.setAttribute("aria-pressed", full.getAttribute("aria-pressed") !== "true");
      const view = picture.parentElement;
      view.scrollTo((view.scrollWidth - view.clientWidth) / 2, (view.scrollHeight - view.clientHeight) / 2);
    };
    picture.addEventListener("load", () => {
      full.hidden = picture.naturalWidth <= picture.clientWidth && picture.naturalHeight <= picture.clientHeight;
    });
    full.addEventListener("click", turn);
    picture.addEventListener("click", turn);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => picture.removeAttribute("src"));
  }

  // The server takes a form once however often it is sent; this only spares a second click its wait.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "yes";
  });

  // A page that the back button takes out of the browser's memory may be an old one: ask for the present one.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });

  const summary = document.getElementById("summary");
  if (summary) summary.focus();
})();
