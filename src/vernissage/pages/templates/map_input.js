// Pointers (mouse, pen, one or two fingers) and keys.

const pointers = new Map();
let moved = 0, pinch = 0;
const at = (event) => {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};
const spread = () => {
  const [one, other] = [...pointers.values()];
  return { size: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
};
const hit = ({ x, y }, reach) => nearest(x, y, Math.max(reach, drawnSide / 2));

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, at(event));
  if (pointers.size === 2) pinch = spread();
});

canvas.addEventListener("pointermove", (event) => {
  const now = at(event), before = pointers.get(event.pointerId);
  if (!before) {
    if (kept) return;
    const over = event.pointerType === "touch" ? -1 : hit(now, 18);
    canvas.classList.toggle("over", over >= 0);
    hover(over);
    return;
  }
  pointers.set(event.pointerId, now);
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (pointers.size === 2) {
    const next = spread();
    pan(next.x - pinch.x, next.y - pinch.y);
    if (pinch.size > 0) zoom(next.size / pinch.size, next.x, next.y);
    pinch = next;
    moved = Infinity;
  } else if (moved > 5) {
    canvas.classList.add("moving");
    pan(now.x - before.x, now.y - before.y);
  }
});

const release = (event) => {
  if (!pointers.delete(event.pointerId)) return;
  canvas.classList.remove("moving");
  if (pointers.size || moved > 5 || event.type === "pointercancel") return;
  const over = hit(at(event), event.pointerType === "touch" ? 28 : 18);
  kept = false;
  if (over >= 0) choose(over);
  hover(over);
  keep(over >= 0);
};
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => {
  if (!kept && document.activeElement !== ring) hover(-1);
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = at(event);
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0015)), x, y);
  if (!kept) hover(hit({ x, y }, 18));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => {
  const { x, y } = at(event);
  zoom(2, x, y);
});

// Keys.

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
ring.addEventListener("focus", () => { if (current >= 0) { bring(current); kept = false; hover(current); } });
ring.addEventListener("blur", () => { if (!kept) hover(-1); });
ring.addEventListener("click", () => { hover(current); keep(!kept); });
ring.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = arrows[event.key];
  if (arrow && event.shiftKey) pan(-80 * arrow[0], -80 * arrow[1]);
  else if (arrow) walk(...arrow);
  else if (event.key === "PageDown") step(1);
  else if (event.key === "PageUp") step(-1);
  else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
  if (current >= 0 && (event.key === "+" || event.key === "=")) bring(current);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || hovered < 0) return;
  kept = false;
  hover(-1);
});
