// What is shown of the map: the works, the groups and search results in view, scale and place.

const $ = (id) => document.getElementById(id);
const works = JSON.parse($("works").textContent);
const count = works.x.length;
const sheets = [...document.querySelectorAll(".sheet")];
const stage = $("stage"), live = $("live"), canvas = $("canvas"), ring = $("ring"), card = $("card");
const brush = canvas.getContext("2d");

const shown = new Uint8Array(works.groups.length).fill(1);
const found = new Uint8Array(count).fill(1);
let searching = false, withPictures = sheets.length > 0, withNames = true;
let wide = 1, high = 1, dense = 1;              // the canvas in CSS pixels, and device pixels to one of them
let scale = 1, left = 0, top = 0, whole = 1;    // on the screen = on the map * scale + (left, top)
let current = -1, hovered = -1, kept = false, asked = 0;
let colours = {}, glyphs = new Map(), drawnSide = 0;

// What has no colour of its own lies at the bottom.
const order = [...works.x.keys()].sort((a, b) => isOther(b) - isOther(a) || a - b);
function isOther(i) { return works.groups[works.group[i]].style < 0 ? 1 : 0; }

const visible = (i) => shown[works.group[i]] === 1;
const screenX = (i) => works.x[i] * scale + left;
const screenY = (i) => works.y[i] * scale + top;
const inside = (x, y, room = 0) => x > -room && y > -room && x < wide + room && y < high + room;
const limit = (value, low, most) => Math.min(Math.max(value, low), most);

// Where we look.

const fit = () => {
  whole = Math.min(wide / works.width, high / works.height);
  scale = whole;
  left = (wide - works.width * scale) / 2;
  top = (high - works.height * scale) / 2;
  repaint();
};

const measure = () => {
  const first = wide === 1, atRest = Math.abs(scale - whole) < 1e-9;
  const centre = [(wide / 2 - left) / scale, (high / 2 - top) / scale];
  wide = Math.max(live.clientWidth, 1);
  high = Math.max(live.clientHeight, 1);
  dense = Math.min(window.devicePixelRatio || 1, 3);
  canvas.width = Math.round(wide * dense);
  canvas.height = Math.round(high * dense);
  glyphs = new Map();
  if (first || atRest) fit();
  else {
    whole = Math.min(wide / works.width, high / works.height);
    left = wide / 2 - centre[0] * scale;
    top = high / 2 - centre[1] * scale;
    repaint();
  }
};

// The middle of the screen always lies on the map, so that nobody gets lost beside it.
const stay = () => {
  left = limit(left, wide / 2 - works.width * scale, wide / 2);
  top = limit(top, high / 2 - works.height * scale, high / 2);
};

const zoom = (factor, x = wide / 2, y = high / 2) => {
  const next = limit(scale * factor, whole * 0.8, whole * Math.max(8, Math.sqrt(count) / 2.5));
  left = x - (x - left) * (next / scale);
  top = y - (y - top) * (next / scale);
  scale = next;
  stay();
  repaint();
};

const pan = (dx, dy) => {
  left += dx;
  top += dy;
  stay();
  repaint();
};

const bring = (i) => {
  const margin = Math.min(60, wide / 4, high / 4), x = screenX(i), y = screenY(i);
  pan(limit(x, margin, wide - margin) - x, limit(y, margin, high - margin) - y);
};
