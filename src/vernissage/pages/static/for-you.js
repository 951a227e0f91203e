// For you: ratings stay in this browser. The server makes the page of what the form holds, as it does without this
// script; here it is asked for when something changes, and put in place without losing what one looks at.
const form = document.querySelector("#for-you");
const said = JSON.parse(form.dataset.said);
const [status, linked] = form.querySelectorAll(".told");
const part = (name, root = form) => root.querySelector(`[data-part="${name}"]`);
const place = `vernissage ${new URL(form.action).pathname}`;
const isField = ([name, value]) => /^((r|keep|hide)\.[^]+|ask|n)$/.test(name) && typeof value === "string" && !["", "0"].includes(value);
const only = (pairs) => Object.fromEntries([...pairs].filter(isField));
const rated = (fields) => Object.entries(fields).filter(([name]) => name.startsWith("r.")).sort().join();

let memory = null; // where nothing may be stored
const own = () => {
  if (memory) return memory;
  try {
    return only(Object.entries(JSON.parse(localStorage.getItem(place)) ?? {}));
  } catch {
    return {};
  }
};
const given = () => only(new URLSearchParams(location.search));
const address = (fields = {}) => {
  const made = new URL(form.action);
  for (const [name, value] of Object.entries(fields)) made.searchParams.set(name, value);
  return made;
};
// What came with a link is shown, and never takes the place of one's own unasked.
let byLink = rated(given()) !== "" && rated(given()) !== rated(own());
const fields = () => (byLink ? given() : own());

const store = (next) => {
  if (byLink && rated(own())) return history.replaceState(null, "", address(next));
  byLink = false;
  try {
    localStorage.setItem(place, JSON.stringify(next));
    history.replaceState(null, "", address());
  } catch {
    memory = next;
    history.replaceState(null, "", address(next)); // so that the page can be loaded again
  }
};

const undos = [];
let last = { names: "", time: 0 };
const change = (patch, words, isUndo = false) => {
  const now = fields(); // read anew: another tab may have changed it
  const before = Object.fromEntries(Object.keys(patch).map((name) => [name, now[name] ?? "0"]));
  store(only(Object.entries({ ...now, ...patch })));
  // Arrow keys pass by several ratings on their way to one.
  const [names, time] = [Object.keys(patch).join(), performance.now()];
  if (!isUndo && !(names === last.names && time - last.time < 2000)) undos.push(before);
  last = { names: isUndo ? "" : names, time };
  tell(words);
  show();
};
const tell = (words, failed = false) => {
  status.hidden = false;
  status.querySelector("p").textContent = words;
  status.querySelector("[data-do=again]").hidden = !failed;
  status.querySelector("[data-do=undo]").hidden = failed || !undos.length;
};

// What became of works of the list, where whoever runs the server lets this page tell of it; nothing says who looked.
const count = (kind, within) => {
  const told = JSON.parse(part("list").dataset.counted ?? "null");
  const cards = [...part("list").querySelectorAll(".work")];
  const works = told?.works.filter((_, at) => !within || cards[at] === within);
  if (!works?.length) return;
  const events = [{ kind, recommendation_id: told.id, works }];
  fetch(told.to, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ events }), credentials: "omit", keepalive: true }).catch(() => {});
};

let turn = 0;
const show = async () => {
  const mine = (turn += 1);
  linked.hidden = !(byLink && rated(own()));
  part("list").ariaBusy = "true";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields()), credentials: "omit" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#for-you");
    if (mine === turn) {
      put(made);
      count("shown");
    }
  } catch (error) {
    if (mine !== turn) return;
    part("list").ariaBusy = null;
    console.warn(`for you: ${error.message}`);
    tell(said.failed, true);
  }
};

const controls = () => [...form.querySelectorAll("button, summary")].filter((each) => each.checkVisibility());
const put = (made) => {
  const focused = document.activeElement;
  const within = focused?.closest("[data-part]")?.dataset.part;
  const [at, shown] = [controls().indexOf(focused), part("list").querySelectorAll(".work").length];
  form.className = made.className;
  const asked = part("ask").querySelector("ul");
  const row = part("ask", made).querySelector("ul").className;
  if (part("ask").dataset.state !== part("ask", made).dataset.state) part("ask").replaceWith(part("ask", made));
  else {
    // From a grid to one row: what was just rated stays in sight.
    if (asked.className !== row) {
      asked.className = row;
      focused?.closest(".work")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    for (const each of part("ask", made).querySelectorAll("input")) {
      part("ask").querySelector(`input[name="${each.name}"][value="${each.value}"]`).checked = each.checked;
    }
  }
  for (const name of ["list", "shelves"]) {
    const next = part(name, made);
    for (const details of part(name).querySelectorAll("details[open]")) {
      const again = next.querySelector(`#${CSS.escape(details.id)}`);
      if (again) again.open = true;
    }
    // Pictures that are there already stay, so that nothing flickers.
    const there = new Map([...part(name).querySelectorAll(".work > a")].map((each) => [each.querySelector("img")?.src, each]));
    for (const each of next.querySelectorAll(".work > a")) {
      const src = each.querySelector("img")?.src;
      if (src && there.has(src)) each.querySelector("img").replaceWith(there.get(src).querySelector("img"));
    }
    part(name).replaceWith(next);
  }
  begin();
  if (!focused || focused.isConnected || !within) return;
  const same = (each) => each.name === focused.name && (each.type !== "radio" || each.value === focused.value);
  const again = focused.name === "n" ? part("list").querySelectorAll(".work > a")[shown] : focused.name && [...part(within).querySelectorAll(focused.localName)].find(same);
  (again || controls()[at] || part(within)).focus({ preventScroll: focused.name !== "n" });
};

const begin = () => {
  for (const each of form.querySelectorAll(".go")) each.hidden = true;
};

const acts = {
  undo: () => change(undos.pop() ?? {}, said.undone, true),
  again: () => { status.hidden = true; show(); },
  clear: () => change(Object.fromEntries(Object.keys(fields()).map((name) => [name, "0"])), said.all),
  mine: () => { byLink = false; history.replaceState(null, "", address()); show(); },
  take: () => {
    const [taken, before] = [given(), own()];
    byLink = false;
    change({ ...Object.fromEntries(Object.keys(before).map((name) => [name, "0"])), ...taken }, said.taken);
  },
  share: async (link) => {
    try {
      await navigator.clipboard.writeText(link.href);
      tell(said.copied);
    } catch {
      tell(`${said.link} ${link.href}`);
    }
  },
};

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => change({ [target.name]: target.value }, said.r));
form.addEventListener("click", (event) => {
  if (event.target.closest(".work > a")) count("opened", event.target.closest(".work"));
  const pressed = event.target.closest("button, a[data-do]");
  if (!pressed || pressed.popoverTargetElement) return;
  event.preventDefault();
  const [kind] = pressed.name?.split(".") ?? [];
  if (pressed.dataset.do) return acts[pressed.dataset.do](pressed);
  if (/^(keep|hide)$/.test(kind) && pressed.value === "1") count({ keep: "kept", hide: "hidden" }[kind], pressed.closest(".work"));
  if (kind) change({ [pressed.name]: pressed.value }, said[pressed.value === "0" && kind !== "ask" ? `${kind}0` : kind]);
});
addEventListener("storage", (event) => { if (event.key === place && !byLink) show(); });
addEventListener("pageshow", (event) => { if (event.persisted) show(); });
begin();
linked.hidden = !(byLink && rated(own()));
if (!byLink && Object.keys(own()).length) {
  history.replaceState(null, "", address(memory ?? {}));
  show();
} else count("shown");
