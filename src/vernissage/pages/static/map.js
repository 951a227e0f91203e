// The map of a collection: tiles drawn beforehand, moved by transforms alone, so that ten thousand works cost no frame.

const $ = (id) => document.getElementById(id);
const map = $("map"), stage = $("stage"), ring = $("ring"), card = $("card"), find = $("find"), choice = $("choice");
const told = map.dataset, embedded = $("works");
const limit = (value, low, most) => Math.min(Math.max(value, low), most);
const still = matchMedia("(prefers-reduced-motion: reduce)");

const load = async () => {
  if (embedded) return JSON.parse(embedded.textContent);
  const answer = await fetch(`${told.tiles}works.json`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
};
const list = (on) => {
  document.documentElement.classList.toggle("listed", on);
  $("as-list").setAttribute("aria-pressed", String(on));
  $("as-map").setAttribute("aria-pressed", String(!on));
};
const works = await load().catch((error) => { map.classList.add("failed"); $("waiting").textContent = told.failed; throw error; });
const count = works.keys.length, { cell, across, levels } = works, [columns, rows] = works.size;
const tileUrl = (name) => (works.tiles ? works.tiles[name] : `${told.tiles}${name}.webp`);

const grid = new Int32Array(columns * rows).fill(-1);
for (let i = 0; i < count; i++) grid[works.y[i] * columns + works.x[i]] = i;
const at = (x, y) => (x >= 0 && y >= 0 && x < columns && y < rows ? grid[y * columns + x] : -1);
const plain = new Uint8Array(count);
for (const i of works.plain) plain[i] = 1;
const occupied = [];
for (let level = 0; level < levels; level++) {
  occupied.push(new Set(works.x.map((x, i) => `${level}/${Math.floor(x / across) >> level}-${Math.floor(works.y[i] / across) >> level}`)));
}

// What is looked at: on the screen = on the map * k + (x, y), the map in pixels of its finest tiles.

const width = columns * cell, height = rows * cell;
let wide = 1, high = 1, whole = 1, finest = 1, view = { k: 1, x: 0, y: 0 }, goal = null, asked = 0, resting = 0;
let current = -1, hovered = -1, kept = false, fits = new Uint8Array(count).fill(1), narrowed = false;

const clamped = ({ k, x, y }) => ({
  k, x: limit(x, wide / 2 - width * k, wide / 2), y: limit(y, high / 2 - height * k, high / 2),
});
const zoomed = (from, factor, x = wide / 2, y = high / 2) => {
  const k = limit(from.k * factor, whole * 0.8, finest);
  return clamped({ k, x: x - (x - from.x) * (k / from.k), y: y - (y - from.y) * (k / from.k) });
};
const centred = () => ({ k: whole, x: (wide - width * whole) / 2, y: (high - height * whole) / 2 });
const jump = (to) => { view = to; goal = null; repaint(); };
const glide = (to) => (still.matches ? jump(to) : (goal = to, repaint()));
const zoom = (factor, x, y) => glide(zoomed(goal || view, factor, x, y));
const repaint = () => { asked ||= requestAnimationFrame(paint); };

// Offsets are linear in the scale while a point of the screen stays where it is, so one share moves all three.
const step = () => {
  if (!goal) return;
  const k = view.k * (goal.k / view.k) ** 0.28;
  const share = Math.abs(goal.k / view.k - 1) < 1e-3 ? 0.28 : (k - view.k) / (goal.k - view.k);
  view = { k, x: view.x + (goal.x - view.x) * share, y: view.y + (goal.y - view.y) * share };
  const near = Math.abs(goal.k / k - 1) < 2e-3 && Math.hypot(goal.x - view.x, goal.y - view.y) < 0.5;
  if (near) [view, goal] = [goal, null];
  else asked = requestAnimationFrame(paint);
};

const measure = () => {
  if (!stage.clientWidth) return;  // the list is shown
  const atRest = Math.abs(view.k / whole - 1) < 1e-6 || wide === 1;
  const middle = { x: (wide / 2 - view.x) / view.k, y: (high / 2 - view.y) / view.k };
  [wide, high] = [stage.clientWidth, stage.clientHeight];
  whole = Math.min((wide - 16) / width, (high - 16) / height, 1);
  finest = Math.max(whole, 192 / cell, 1);
  jump(atRest ? centred() : clamped({ k: view.k, x: wide / 2 - middle.x * view.k, y: high / 2 - middle.y * view.k }));
};

// Tiles, a plane for each level: the coarsest that is needed lies below until those in view are there.

const planes = Array.from({ length: levels }, () => {
  const plane = document.createElement("div");
  plane.className = "plane";
  plane.tiles = new Map();
  return plane;
});
$("tiles").append(...planes.toReversed());

const fill = (level, box) => {
  const plane = planes[level], side = across * cell, k = view.k * 2 ** level, seen = new Set();
  plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${k})`;
  const [left, right] = [box.left, box.right].map((x) => Math.floor(x / across) >> level);
  const [top, bottom] = [box.top, box.bottom].map((y) => Math.floor(y / across) >> level);
  let complete = true;
  for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) {
    const name = `${level}/${x}-${y}`;
    if (!occupied[level].has(name)) continue;
    seen.add(name);
    let tile = plane.tiles.get(name);
    if (!tile) {
      tile = document.createElement("img");
      tile.alt = "";
      tile.draggable = false;
      tile.width = tile.height = side;
      tile.style.transform = `translate(${x * side}px, ${y * side}px)`;
      tile.src = tileUrl(name);
      // A tile that cannot be had counts as there, else what is coarser would lie below for ever.
      tile.decode().catch(() => {}).then(() => { tile.ready = true; repaint(); });
      plane.tiles.set(name, tile);
      plane.append(tile);
    }
    complete &&= tile.ready === true;
  }
  if (plane.tiles.size > seen.size + 48) for (const [name, tile] of plane.tiles) if (!seen.has(name)) {
    tile.remove();
    plane.tiles.delete(name);
  }
  return complete;
};

const levelOf = (k) => limit(Math.floor(Math.log2(1 / (k * devicePixelRatio)) + 0.3), 0, levels - 1);
const paintTiles = (box) => {
  const level = levelOf(view.k), below = Math.max(level, levelOf(whole));
  const complete = fill(level, box);
  if (below !== level) fill(below, box);
  planes.forEach((plane, each) => { plane.hidden = each !== level && (complete || each !== below); });
};

// Titles on the cards of works without pictures, where they can be read.

let worded = "";
const paintWords = (box) => {
  const words = $("words"), large = works.plain.length > 0 && cell * view.k >= 84;
  words.hidden = !large;
  if (!large) return;
  words.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`;
  const key = Object.values(box).join();
  if (key === worded) return;
  worded = key;
  const found = [];
  for (let y = box.top; y <= box.bottom; y++) for (let x = box.left; x <= box.right; x++) {
    const i = at(x, y);
    if (i < 0 || !plain[i]) continue;
    const word = document.createElement("span");
    word.dir = "auto";
    word.textContent = works.titles[i] || told.untitled;
    word.style.cssText = `left:${x * cell}px;top:${y * cell}px;width:${cell}px;height:${cell}px;font-size:${cell / 9.5}px`;
    found.push(word);
  }
  words.replaceChildren(...found);
};

// Names of groups, each where most of its works are together; none lies over another, larger groups first. Where
// pictures are large, names would only hide them.

const sizes = works.groups.map(() => 0);
const crowds = works.groups.map(() => ({ near: -1, x: 0, y: 0 }));
for (let i = 0; i < count; i++) {
  const group = works.group[i];
  if (group < 0) continue;
  sizes[group]++;
  let near = 0;
  for (let y = -3; y <= 3; y++) for (let x = -3; x <= 3; x++) {
    const other = at(works.x[i] + x, works.y[i] + y);
    if (other >= 0 && works.group[other] === group) near++;
  }
  if (near > crowds[group].near) crowds[group] = { near, x: (works.x[i] + 0.5) * cell, y: (works.y[i] + 0.5) * cell };
}
const names = works.groups.map((name) => {
  const label = document.createElement("span");
  label.textContent = name;
  label.dir = "auto";
  return label;
});
$("names").append(...names);
let spans = [];

const paintNames = () => {
  if (!spans.length) spans = names.map((name) => [name.offsetWidth / 2 + 3, name.offsetHeight / 2 + 3]);
  const taken = [], share = (count / 100) * (whole / view.k) ** 2;
  names.forEach((name, group) => {
    const [half, up] = spans[group], x = crowds[group].x * view.k + view.x, y = crowds[group].y * view.k + view.y;
    const shown = cell * view.k < 110 && sizes[group] >= share && (choice.value === "" || Number(choice.value) === group)
      && x > half && y > up && x < wide - half && y < high - up
      && !taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < box.up + up);
    name.style.visibility = shown ? "visible" : "hidden";
    if (!shown) return;
    taken.push({ x, y, half, up });
    name.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  });
};

// Works that a group or a search leaves out are veiled: a pixel of a small canvas each, scaled with the map.

const veil = $("veil"), pen = veil.getContext("2d");
[veil.width, veil.height] = [columns, rows];
const narrow = () => {
  const wanted = fold(find.value.trim()), group = choice.value === "" ? -2 : Number(choice.value);
  narrowed = wanted !== "" || group >= -1;
  let matches = 0;
  pen.fillStyle = getComputedStyle(stage).backgroundColor;
  pen.fillRect(0, 0, columns, rows);
  for (let i = 0; i < count; i++) {
    fits[i] = (group === -2 || works.group[i] === group) && (wanted === "" || folded()[i].includes(wanted)) ? 1 : 0;
    if (fits[i]) pen.clearRect(works.x[i], works.y[i], 1, 1);
    matches += fits[i];
  }
  veil.hidden = !narrowed;
  $("found").textContent = narrowed ? told.found.replace("{n}", matches.toLocaleString(document.documentElement.lang)) : "";
  if (current >= 0 && !fits[current]) { kept = false; choose(nearest(wide / 2, high / 2)); }
  if (hovered >= 0 && !fits[hovered]) { kept = false; show(-1); }
  repaint();
};
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
let texts = null;
const folded = () => (texts ||= works.titles.map((title, i) => fold(`${title}\n${line(i)}\n${groupOf(i)}`)));

// One work: the ring that keys move, and its card.

const line = (i) => works.lines[works.line[i]];
const groupOf = (i) => works.groups[works.group[i]] || "";
const screen = (i) => [(works.x[i] + 0.5) * cell * view.k + view.x, (works.y[i] + 0.5) * cell * view.k + view.y];
const address = (i) => (told.work ? told.work.replace("{key}", works.keys[i]) : "");

const nearest = (x, y, reach = Infinity) => {
  let best = -1, least = reach * reach;
  for (let i = 0; i < count; i++) {
    if (!fits[i]) continue;
    const [left, top] = screen(i), distance = (left - x) ** 2 + (top - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
};
const hit = (x, y, reach) => {
  const i = at(Math.floor((x - view.x) / view.k / cell), Math.floor((y - view.y) / view.k / cell));
  return i >= 0 && fits[i] ? i : cell * view.k > 2 * reach ? -1 : nearest(x, y, reach);
};
// The nearest work within 45 degrees of the direction; what lies off its line counts double.
const towards = (dx, dy) => {
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    if (i === current || !fits[i]) continue;
    const x = works.x[i] - works.x[current], y = works.y[i] - works.y[current];
    const along = x * dx + y * dy, aside = Math.abs(x * dy - y * dx);
    if (along > 0 && aside <= along && along + 2 * aside < least) [best, least] = [i, along + 2 * aside];
  }
  return best;
};
const through = (by) => {
  let next = current + by;
  while (next >= 0 && next < count && !fits[next]) next += by;
  return next < count ? next : -1;
};

const choose = (i) => {
  current = i;
  ring.hidden = i < 0;
  if (i < 0) return;
  ring.setAttribute("aria-label", [works.titles[i] || told.untitled, line(i), groupOf(i)].filter(Boolean).join(". "));
  if (address(i)) ring.href = address(i);
};
const bring = (i, least = view.k) => {
  const to = zoomed(goal || view, Math.max(1, least / (goal || view).k));
  const x = (works.x[i] + 0.5) * cell * to.k, y = (works.y[i] + 0.5) * cell * to.k, room = Math.min(90, wide / 4, high / 4);
  if (least > view.k) return glide(clamped({ k: to.k, x: wide / 2 - x, y: high / 2 - y }));
  const inside = { k: to.k, x: limit(x + to.x, room, wide - room) - x, y: limit(y + to.y, room, high - room) - y };
  if (Math.hypot(inside.x - to.x, inside.y - to.y) > 1) glide(clamped(inside));
};
const go = (next) => {
  if (next < 0) { $("said").textContent = told.none; return; }
  choose(next);
  bring(next);
  kept = false;
  show(next);
  $("said").textContent = ring.getAttribute("aria-label");
};

let cropping = 0;
const show = (i) => {
  hovered = i;
  card.hidden = i < 0;
  clearTimeout(cropping);
  repaint();
  if (i < 0) return;
  $("title").textContent = works.titles[i] || told.untitled;
  if (address(i)) $("title").href = address(i);
  $("by").textContent = line(i);
  $("group").textContent = groupOf(i);
  const crop = $("crop"), picture = crop.firstElementChild, [x, y] = [works.x[i], works.y[i]];
  crop.hidden = plain[i] === 1;
  picture.removeAttribute("src");
  if (crop.hidden) return;
  crop.style.setProperty("--cell", `${Math.min(cell, 192)}px`);
  const factor = Math.min(cell, 192);
  picture.style.cssText = `width:${across * factor}px;left:${-(x % across) * factor}px;top:${-(y % across) * factor}px`;
  cropping = setTimeout(() => { picture.src = tileUrl(`0/${Math.floor(x / across)}-${Math.floor(y / across)}`); }, 60);
};

const paintCard = () => {
  const side = Math.max(cell * view.k, 24), i = hovered;
  if (current >= 0) {
    const [x, y] = screen(current);
    ring.style.transform = `translate(${x - side / 2}px, ${y - side / 2}px)`;
    ring.style.width = ring.style.height = `${side}px`;
  }
  card.classList.toggle("kept", kept);
  if (i < 0) return;
  const [x, y] = screen(i), gap = side / 2 + 10, { offsetWidth: w, offsetHeight: h } = card;
  const narrowly = wide < 600, right = x + gap + w < wide ? x + gap : x - gap - w;
  const left = narrowly ? (wide - w) / 2 : limit(right, 8, Math.max(8, wide - w - 8));
  const up = narrowly ? (y > high - h - gap ? 8 : high - h - 8) : limit(y - h / 2, 8, Math.max(8, high - h - 8));
  card.style.transform = `translate(${left}px, ${up}px)`;
};

// A frame.

function paint() {
  asked = 0;
  step();
  const cells = cell * view.k, box = {
    left: limit(Math.floor(-view.x / cells), 0, columns - 1), right: limit(Math.floor((wide - view.x) / cells), 0, columns - 1),
    top: limit(Math.floor(-view.y / cells), 0, rows - 1), bottom: limit(Math.floor((high - view.y) / cells), 0, rows - 1),
  };
  stage.classList.add("moving");
  clearTimeout(resting);
  resting = setTimeout(() => stage.classList.remove("moving"), 200);
  paintTiles(box);
  veil.style.transform = `translate(${view.x}px, ${view.y}px) scale(${cells})`;
  paintWords(box);
  paintNames();
  paintCard();
}

// Pointers (mouse, pen, one or two fingers), wheel and keys.

const beside = (event) => event.target.closest("#card, .map-zoom, #keys") !== null;
const pointers = new Map();
let moved = 0, pinch = null;
const point = (event) => {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};
const spread = () => {
  const [one, other] = [...pointers.values()];
  return { size: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
};
stage.addEventListener("pointerdown", (event) => {
  if (beside(event) || event.button) return;
  stage.setPointerCapture(event.pointerId);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, point(event));
  pinch = pointers.size === 2 ? spread() : null;
});
stage.addEventListener("pointermove", (event) => {
  const now = point(event), before = pointers.get(event.pointerId);
  if (!before) {
    if (kept || event.pointerType === "touch" || beside(event)) return;
    const over = hit(now.x, now.y, 10);
    stage.classList.toggle("over", over >= 0);
    if (over !== hovered) show(over);
    return;
  }
  pointers.set(event.pointerId, now);
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (pinch) {
    const next = spread();
    jump(zoomed({ ...view, x: view.x + next.x - pinch.x, y: view.y + next.y - pinch.y }, next.size / (pinch.size || 1), next.x, next.y));
    pinch = next;
    moved = Infinity;
  } else if (moved > 5) jump(clamped({ ...view, x: view.x + now.x - before.x, y: view.y + now.y - before.y }));
});
const release = (event) => {
  if (!pointers.delete(event.pointerId)) return;
  pinch = null;
  if (pointers.size || moved > 5 || event.type === "pointercancel") return;
  const { x, y } = point(event), over = hit(x, y, event.pointerType === "touch" ? 22 : 10);
  kept = over >= 0;
  if (kept) choose(over);
  show(over);
};
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);
stage.addEventListener("pointerleave", () => { if (!kept && document.activeElement !== ring) show(-1); });
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = point(event);
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.06 : event.ctrlKey ? 0.01 : 0.002)), x, y);
}, { passive: false });
stage.addEventListener("dblclick", (event) => {
  if (beside(event)) return;
  const { x, y } = point(event);
  zoom(2, x, y);
});
// A click on the ring is one on the map; Enter follows it.
ring.addEventListener("click", (event) => { if (event.detail) event.preventDefault(); });
ring.addEventListener("focus", () => { if (ring.matches(":focus-visible")) { bring(current); kept = false; show(current); } });
ring.addEventListener("blur", () => { if (!kept) show(-1); });

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
ring.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = arrows[event.key], { x, y } = view;
  if (arrow && event.shiftKey) jump(clamped({ ...view, x: x - 80 * arrow[0], y: y - 80 * arrow[1] }));
  else if (arrow) go(towards(...arrow));
  else if (event.key === "PageDown") go(through(1));
  else if (event.key === "PageUp") go(through(-1));
  else if (event.key === "+" || event.key === "=") { const [left, top] = screen(current); zoom(1.5, left, top); }
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "0") glide(centred());
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || hovered < 0) return;
  kept = false;
  show(-1);
});

// Buttons, groups and search.

$("in").addEventListener("click", () => zoom(1.5));
$("out").addEventListener("click", () => zoom(1 / 1.5));
$("reset").addEventListener("click", () => glide(centred()));
$("as-map").addEventListener("click", () => list(false));
$("as-list").addEventListener("click", () => list(true));
works.groups.forEach((name, group) => choice.add(new Option(`${name} (${sizes[group]})`, group)));
if (works.groups.length && works.group.includes(-1)) choice.add(new Option(told.others, -1));
choice.parentElement.hidden = !works.groups.length;
choice.addEventListener("change", narrow);
find.addEventListener("input", narrow);
find.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const next = find.value.trim() === "" ? -1 : kept && through(1) >= 0 ? through(1) : fits.indexOf(1);
  if (next < 0) return;
  choose(next);
  kept = true;
  show(next);
  bring(next, 96 / cell);
  $("said").textContent = ring.getAttribute("aria-label");
});

// Begin.

document.documentElement.classList.add("mapped");
list(location.hash === "#list");
$("waiting").remove();
$("tools").hidden = $("live").hidden = false;
new ResizeObserver(measure).observe(stage);
measure();
choose(nearest(wide / 2, high / 2));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", narrow);
