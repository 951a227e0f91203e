// The theme wraps tables that may be wider than a phone; the keyboard must reach what scrolls.
addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap")) each.tabIndex = 0;
});
