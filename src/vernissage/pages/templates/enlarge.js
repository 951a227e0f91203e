// The page works without this: links and :target enlarge a picture. Here come Escape, and the place on the page kept.
const enlarged = () => document.querySelector(".picture:target");
let height = 0;

const close = (picture) => {
  const link = picture.querySelector(".open");
  location.replace(picture.querySelector(".close").hash);
  window.scrollTo(0, height);
  link.focus({ preventScroll: true });
};

document.addEventListener("click", (event) => {
  const link = event.target.closest(".open, .close");
  if (!link) return;
  event.preventDefault();
  const picture = enlarged();
  if (picture) {
    close(picture);
  } else {
    height = window.scrollY;
    location.replace(link.hash);
    link.parentElement.querySelector(".close").focus({ preventScroll: true });
  }
});

document.addEventListener("keydown", (event) => {
  const picture = enlarged();
  if (picture && event.key === "Escape") close(picture);
});

// Nothing behind the picture may take the focus while it covers the page.
document.addEventListener("focusin", (event) => {
  const picture = enlarged();
  if (picture && !picture.contains(event.target)) picture.querySelector(".close").focus({ preventScroll: true });
});
