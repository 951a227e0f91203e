// Buttons, legend and search; and the start of it all.

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

// Begin.

live.hidden = $("tools").hidden = $("keys").hidden = false;
$("drawing").setAttribute("aria-hidden", "true");
readColours();
new ResizeObserver(measure).observe(live);
measure();
choose(nearest(wide / 2, high / 2), false);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); repaint(); });
Promise.all(sheets.map((sheet) => sheet.decode().catch(() => {}))).then(repaint);
stage.classList.add("ready");
