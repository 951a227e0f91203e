// The label of one work, and the focusable ring that walks from work to work.

const words = (i) => [works.artists[works.artist[i]], works.years[i]].filter(Boolean).join(", ");
const groupName = (i) => works.names[works.name[i]];
const spoken = (i) => [works.titles[i], words(i), groupName(i), works.shown[works.shows[i]]].filter(Boolean).join(". ");

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

const go = (next) => {
  if (next < 0) {
    $("said").textContent = "No work further this way";
    return;
  }
  choose(next);
  bring(next);
  kept = false;
  hover(next);
};

const walk = (dx, dy) => go(current < 0 ? nearest(wide / 2, high / 2) : towards(dx, dy));

// Through all works in the order of the collection: walking by direction alone may pass some by.
const step = (by) => {
  let next = current + by;
  while (next >= 0 && next < count && (!visible(next) || (searching && !found[next]))) next += by;
  go(next < count ? next : -1);
};

const settle = () => {
  const lost = current < 0 || !visible(current) || (searching && !found[current]);
  if (lost) choose(nearest(wide / 2, high / 2), false);
  if (hovered >= 0 && !visible(hovered)) { kept = false; hover(-1); }
  repaint();
};
