// The interactive map: one canvas, one focusable ring that walks from work to work, and a label.
(() => {
  "use strict";
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

  // ---- drawing

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
    return room < 22 ? 0 : Math.min(room, works.side);
  };

  const pictureSize = (i, side) => {
    const factor = side / Math.max(works.wide[i], works.high[i]);
    return [works.wide[i] * factor, works.high[i] * factor];
  };

  const paintWork = (i, side, size) => {
    const x = screenX(i), y = screenY(i), group = works.group[i];
    const apart = searching && !found[i];
    brush.globalAlpha = apart ? 0.25 : 1;
    if (!apart && side && works.slot[i] >= 0) {
      const [width, height] = pictureSize(i, side);
      brush.fillStyle = colours.groups[group];
      brush.fillRect(x - width / 2 - 2, y - height / 2 - 2, width + 4, height + 4);
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

  const paint = () => {
    asked = 0;
    brush.setTransform(dense, 0, 0, dense, 0, 0);
    brush.clearRect(0, 0, wide, high);
    const all = inView(), size = dotSize();
    const list = searching ? [...all.filter((i) => !found[i]), ...all.filter((i) => found[i])] : all;
    drawnSide = pictureSide(all.length);
    for (const i of list) if (i !== hovered && i !== current) paintWork(i, drawnSide, size);
    for (const i of new Set([current, hovered])) if (i >= 0 && visible(i)) paintWork(i, drawnSide, size);
    paintNames(list, drawnSide, size);
    placeRing(size);
    placeCard();
  };

  const repaint = () => { asked ||= requestAnimationFrame(paint); };

  // ---- where we look

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

  // ---- the label and the ring

  const words = (i) => [works.artists[works.artist[i]], works.years[i]].filter(Boolean).join(", ");
  const groupName = (i) => works.names[works.name[i]];
  const spoken = (i) => [works.titles[i], words(i), groupName(i)].filter(Boolean).join(". ");

  const fillCard = (i) => {
    card.hidden = i < 0;
    if (i < 0) return;
    $("title").textContent = works.titles[i];
    $("by").textContent = words(i);
    $("group").textContent = groupName(i);
    $("group").parentElement.hidden = !groupName(i);
    const path = document.querySelectorAll("#groups path")[works.group[i]];
    $("mark").setAttribute("d", path.getAttribute("d"));
    $("mark").setAttribute("fill", colours.groups[works.group[i]]);
    const picture = $("picture");
    picture.hidden = works.slot[i] < 0;
    if (picture.hidden) return;
    const factor = Math.min(1.75, (wide < 600 ? 84 : 150) / Math.max(works.wide[i], works.high[i]));
    const width = Math.round(works.wide[i] * factor), height = Math.round(works.high[i] * factor);
    picture.width = width * dense;
    picture.height = height * dense;
    picture.style.width = `${width}px`;
    const pen = picture.getContext("2d");
    pen.imageSmoothingQuality = "high";
    thumbnail(pen, i, 0, 0, picture.width, picture.height);
  };

  const placeCard = () => {
    const i = hovered;
    if (i < 0 || card.hidden) return;
    card.classList.toggle("kept", kept);
    if (wide < 600) {
      const y = screenY(i) > high - card.offsetHeight - 40 ? 8 : high - card.offsetHeight - 8;
      card.style.translate = `8px ${y}px`;
      return;
    }
    const gap = (drawnSide && works.slot[i] >= 0 ? drawnSide / 2 : 0) + 14;
    const x = screenX(i), y = screenY(i), width = card.offsetWidth, height = card.offsetHeight;
    const beside = x + gap + width < wide ? x + gap : x - gap - width > 0 ? x - gap - width : limit(x - width / 2, 4, wide - width - 4);
    const over = beside + width > x && beside < x;
    const below = y + gap + height < high ? y + gap : y - gap - height;
    card.style.translate = `${beside}px ${limit(over ? below : y - height / 2, 4, Math.max(4, high - height - 4))}px`;
  };

  const placeRing = (size) => {
    ring.hidden = current < 0;
    if (current < 0) return;
    const [width, height] = drawnSide && works.slot[current] >= 0 ? pictureSize(current, drawnSide) : [2 * size, 2 * size];
    const side = [Math.max(width + 8, 24), Math.max(height + 8, 24)];
    ring.style.width = `${side[0]}px`;
    ring.style.height = `${side[1]}px`;
    ring.style.translate = `${screenX(current) - side[0] / 2}px ${screenY(current) - side[1] / 2}px`;
  };

  const hover = (i) => {
    if (i === hovered) return;
    hovered = i;
    fillCard(i);
    repaint();
  };

  const choose = (i, say = true) => {
    current = i;
    if (i < 0) return;
    ring.setAttribute("aria-label", spoken(i));
    if (say) $("said").textContent = spoken(i);
  };

  const keep = (on) => {
    kept = on && hovered >= 0;
    repaint();
  };

  const nearest = (x, y, reach = Infinity) => {
    let best = -1, least = reach * reach;
    for (let i = 0; i < count; i++) {
      if (!visible(i) || (searching && !found[i])) continue;
      const distance = (screenX(i) - x) ** 2 + (screenY(i) - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  };

  // The nearest work within 45 degrees of the direction; what lies off its line counts double.
  const towards = (dx, dy) => {
    let best = -1, least = Infinity;
    for (let i = 0; i < count; i++) {
      if (i === current || !visible(i) || (searching && !found[i])) continue;
      const x = works.x[i] - works.x[current], y = works.y[i] - works.y[current];
      const along = x * dx + y * dy, aside = Math.abs(x * dy - y * dx);
      if (along > 0 && aside <= along && along + 2 * aside < least) [best, least] = [i, along + 2 * aside];
    }
    return best;
  };

  const walk = (dx, dy) => {
    const next = current < 0 ? nearest(wide / 2, high / 2) : towards(dx, dy);
    if (next < 0) {
      $("said").textContent = "No work further this way";
      return;
    }
    choose(next);
    bring(next);
    kept = false;
    hover(next);
  };

  const settle = () => {
    const lost = current < 0 || !visible(current) || (searching && !found[current]);
    if (lost) choose(nearest(wide / 2, high / 2), false);
    if (hovered >= 0 && !visible(hovered)) { kept = false; hover(-1); }
    repaint();
  };

  // ---- pointers

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

  // ---- keys

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  ring.addEventListener("focus", () => { if (current >= 0) { bring(current); kept = false; hover(current); } });
  ring.addEventListener("blur", () => { if (!kept) hover(-1); });
  ring.addEventListener("click", () => { hover(current); keep(!kept); });
  ring.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) pan(-80 * arrow[0], -80 * arrow[1]);
    else if (arrow) walk(...arrow);
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

  // ---- tools and legend

  const toggle = (button, act) => {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      act(on);
    });
  };

  $("in").addEventListener("click", () => zoom(1.5));
  $("out").addEventListener("click", () => zoom(1 / 1.5));
  $("reset").addEventListener("click", fit);
  toggle($("names"), (on) => { withNames = on; repaint(); });
  if ($("pictures")) toggle($("pictures"), (on) => { withPictures = on; repaint(); });

  const entries = [...$("groups").children].map((line, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "entry";
    button.setAttribute("aria-pressed", "true");
    button.append(...line.firstElementChild.childNodes);
    line.replaceChildren(button);
    toggle(button, (on) => { shown[number] = on ? 1 : 0; search(); });
    return button;
  });

  const all = document.createElement("div");
  all.className = "all";
  for (const [text, on] of [["Show all", true], ["Hide all", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      shown.fill(on ? 1 : 0);
      entries.forEach((entry) => entry.setAttribute("aria-pressed", String(on)));
      search();
    });
    all.append(button);
  }
  if (entries.length > 1) $("groups").after(all);

  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  let folded = null;
  const search = () => {
    const wanted = fold($("find").value.trim());
    searching = wanted !== "";
    folded ||= searching ? works.titles.map((_, i) => fold(`${works.titles[i]}\n${words(i)}\n${groupName(i)}`)) : null;
    let matches = 0;
    for (let i = 0; i < count; i++) {
      found[i] = !searching || folded[i].includes(wanted) ? 1 : 0;
      if (searching && found[i] && visible(i)) matches++;
    }
    $("found").textContent = searching ? `${matches.toLocaleString("en")} found` : "";
    settle();
  };
  $("find").addEventListener("input", search);
  $("find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || current < 0) return;
    event.preventDefault();
    if (searching && !found[current]) return;
    ring.focus();
  });

  // ---- begin

  live.hidden = $("tools").hidden = $("keys").hidden = false;
  $("drawing").setAttribute("aria-hidden", "true");
  readColours();
  new ResizeObserver(measure).observe(live);
  measure();
  choose(nearest(wide / 2, high / 2), false);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); repaint(); });
  Promise.all(sheets.map((sheet) => sheet.decode().catch(() => {}))).then(repaint);
  stage.classList.add("ready");
})();
