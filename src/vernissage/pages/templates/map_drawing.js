// Drawing the works on the canvas, as dots or pictures, and names over them.

const readColours = () => {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(name).trim();
  colours = { ground: value("--ground"), ink: value("--ink"), accent: value("--accent") };
  colours.groups = works.groups.map((group) => value(`--group-${group.style < 0 ? "other" : group.style}`));
  glyphs = new Map();
};

const trace = (path, shape, x, y, size) => {
  if (shape === "square") path.rect(x - 0.886 * size, y - 0.886 * size, 1.772 * size, 1.772 * size);
  else if (shape === "triangle" || shape === "diamond") {
    const half = size * (shape === "diamond" ? 1.253 : 1.35);
    const corners = shape === "diamond"
      ? [[0, -half], [half, 0], [0, half], [-half, 0]]
      : [[0, -1.15 * half], [half, 0.58 * half], [-half, 0.58 * half]];
    corners.forEach(([dx, dy], number) => (number ? path.lineTo(x + dx, y + dy) : path.moveTo(x + dx, y + dy)));
    path.closePath();
  } else path.arc(x, y, size, 0, 2 * Math.PI);
};

// Eight thousand copies of a small picture are drawn faster than as many shapes.
const glyph = (group, size) => {
  const key = `${group}/${size}`;
  if (!glyphs.has(key)) {
    const tile = document.createElement("canvas");
    const half = Math.ceil(1.7 * size) + 1;
    tile.width = tile.height = Math.ceil(2 * half * dense);
    const pen = tile.getContext("2d");
    pen.scale(dense, dense);
    pen.beginPath();
    trace(pen, works.groups[group].shape, half, half, size);
    pen.fillStyle = colours.groups[group];
    pen.strokeStyle = colours.ground;
    pen.lineWidth = 0.8;
    pen.fill();
    pen.stroke();
    glyphs.set(key, { tile, half });
  }
  return glyphs.get(key);
};

const dotSize = () => {
  const base = count <= 500 ? 4.5 : count <= 3000 ? 3.4 : 2.4;
  return Math.round(2 * limit(base * Math.pow(scale / whole, 0.3) * limit(wide / 900, 0.7, 1), 1.6, 7)) / 2;
};

const inView = () => {
  const list = [];
  for (const i of order) if (visible(i) && inside(screenX(i), screenY(i), 60)) list.push(i);
  return list;
};

const thumbnail = (pen, i, x, y, width, height) => {
  const slot = works.slot[i], inSheet = slot % works.perSheet;
  pen.drawImage(
    sheets[Math.floor(slot / works.perSheet)],
    (inSheet % works.columns) * works.side, Math.floor(inSheet / works.columns) * works.side, works.wide[i], works.high[i],
    x, y, width, height,
  );
};

const pictureSide = (number) => {
  if (!withPictures || !number) return 0;
  const room = 0.72 * Math.sqrt((wide * high) / number);
  return room < 16 ? 0 : Math.min(room, works.side);
};

const pictureSize = (i, side) => {
  const factor = side / Math.max(works.wide[i], works.high[i]);
  return [works.wide[i] * factor, works.high[i] * factor];
};

const paintWork = (i, side, size) => {
  const x = screenX(i), y = screenY(i), group = works.group[i];
  const apart = searching && !found[i];
  brush.globalAlpha = apart ? 0.4 : 1;
  if (!apart && side && works.slot[i] >= 0) {
    const [width, height] = pictureSize(i, side);
    brush.fillStyle = colours.groups[group];
    const edge = side < 24 ? 1 : 2;
    brush.fillRect(x - width / 2 - edge, y - height / 2 - edge, width + 2 * edge, height + 2 * edge);
    thumbnail(brush, i, x - width / 2, y - height / 2, width, height);
  } else {
    const { tile, half } = glyph(group, apart || isOther(i) ? 0.7 * size : size);
    brush.drawImage(tile, x - half, y - half, tile.width / dense, tile.height / dense);
  }
};

const write = (text, x, y) => {
  brush.strokeText(text, x, y);
  brush.fillText(text, x, y);
};

const paintNames = (list, side, size) => {
  brush.globalAlpha = 1;
  brush.fillStyle = colours.ink;
  brush.strokeStyle = colours.ground;
  brush.lineWidth = 4;
  brush.lineJoin = "round";
  brush.textBaseline = "middle";
  const family = getComputedStyle(document.body).fontFamily;
  if (withNames && scale < 3.5 * whole) {
    brush.font = `600 ${wide < 600 ? 12 : 15}px ${family}`;
    brush.textAlign = "center";
    paintGroupNames();
  }
  if (withNames && list.length <= 120 && scale >= 3.5 * whole) paintTitles(list, side, size, family);
};

// Names of larger groups first; one that would cover another comes out on zooming in.
const paintGroupNames = () => {
  const taken = [];
  works.groups.forEach((group, number) => {
    if (!group.label || !shown[number]) return;
    const half = brush.measureText(group.name).width / 2 + 4;
    const x = limit(group.label[0] * scale + left, half, Math.max(half, wide - half));
    const y = limit(group.label[1] * scale + top, 12, high - 12);
    if (!inside(group.label[0] * scale + left, group.label[1] * scale + top)) return;
    if (taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < (wide < 600 ? 15 : 19))) return;
    taken.push({ x, y, half });
    write(group.name, x, y);
  });
};

const paintTitles = (list, side, size, family) => {
  brush.font = `12px ${family}`;
  brush.textAlign = "left";
  const taken = [];
  for (const i of list) {
    if ((side && works.slot[i] >= 0) || (searching && !found[i])) continue;
    const title = works.titles[i].length > 30 ? `${works.titles[i].slice(0, 28).trimEnd()}…` : works.titles[i];
    const x = screenX(i) + size + 4, y = screenY(i), end = x + brush.measureText(title).width;
    if (taken.some((box) => Math.abs(box.y - y) < 15 && box.end > x && box.x < end)) continue;
    taken.push({ x, y, end });
    write(title, x, y);
  }
};

// The work whose label is open, so that a finger's choice can be seen too.
const markHovered = (size) => {
  if (hovered < 0 || document.activeElement === ring) return;
  const [width, height] = drawnSide && works.slot[hovered] >= 0 ? pictureSize(hovered, drawnSide) : [2 * size, 2 * size];
  brush.globalAlpha = 1;
  brush.strokeStyle = colours.accent;
  brush.lineWidth = 3;
  brush.strokeRect(screenX(hovered) - width / 2 - 4, screenY(hovered) - height / 2 - 4, width + 8, height + 8);
};

const paint = () => {
  asked = 0;
  brush.setTransform(dense, 0, 0, dense, 0, 0);
  brush.clearRect(0, 0, wide, high);
  const all = inView(), size = dotSize();
  const list = searching ? [...all.filter((i) => !found[i]), ...all.filter((i) => found[i])] : all;
  drawnSide = pictureSide(all.length);
  if ($("hint")) $("hint").hidden = !withPictures || drawnSide > 0 || !list.some((i) => works.slot[i] >= 0) || hovered >= 0;
  for (const i of list) if (i !== hovered && i !== current) paintWork(i, drawnSide, size);
  for (const i of new Set([current, hovered])) if (i >= 0 && visible(i)) paintWork(i, drawnSide, size);
  paintNames(list, drawnSide, size);
  markHovered(size);
  placeRing(size);
  placeCard();
};

const repaint = () => { asked ||= requestAnimationFrame(paint); };
