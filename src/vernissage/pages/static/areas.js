// Uploads are sent file by file, with progress and a word on each; changes are made without leaving the page.
const root = document.getElementById("areas");
const said = document.getElementById("said");
const at = location.pathname;
const inLanguage = new URLSearchParams(location.search).has("lang") ? `?lang=${document.documentElement.lang}` : "";
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
let sending = 0;

// What the server said was for this moment; whoever comes back to the address should not read it again.
history.replaceState(null, "", at + inLanguage + location.hash);

function show(page) {
  const next = page.getElementById("areas");
  if (!next) return location.reload();
  const kept = new Map([...root.querySelectorAll("img")].map((each) => [each.src, each]));
  const list = document.getElementById("sending");
  for (const each of next.querySelectorAll("img")) {
    const old = kept.get(each.src); // own pictures are stored nowhere, so they would be loaded again
    if (old && old.className === each.className && old.sizes === each.sizes) { kept.delete(each.src); each.replaceWith(old); }
  }
  const open = [...root.querySelectorAll("[popover]:popover-open")].map((each) => each.id);
  const text = document.getElementById("text")?.value;
  root.replaceChildren(...next.childNodes);
  if (text) document.getElementById("text").value = text; // what was written and not taken in
  root.dataset.waiting = next.dataset.waiting;
  if (list?.children.length && sending) document.getElementById("sending")?.replaceWith(list);
  if (sending && open.includes("add")) document.getElementById("add")?.showPopover();
  const words = page.getElementById("said");
  if (words?.children.length) say(...[...words.children].map((each) => each.textContent));
  watch();
}

function say(...lines) {
  said.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { className: "notice", textContent: line })));
  said.scrollIntoView({ block: "nearest" });
}

async function load(address, options) {
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok) return show(page);
  say(page.querySelector("main p")?.textContent ?? answer.statusText);
}

root.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  if (form.id === "adding") return add([...form.elements.files.files]);
  const focus = form.closest("section")?.id;
  form.ariaBusy = "true";
  try {
    await load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) });
    (document.getElementById(focus)?.querySelector("button") ?? document.getElementById("main")).focus({ preventScroll: true });
  } catch {
    say(root.dataset.failed);
  } finally {
    form.ariaBusy = null;
  }
});

// Uploads

async function add(files) {
  const form = document.getElementById("adding");
  if (!form.reportValidity()) return;
  const text = form.elements.text.value.trim();
  const parts = [...files.map((file) => ({ name: file.name, field: "files", value: file })), ...(text ? [{ name: `“${text.slice(0, 40)}”`, field: "text", value: text }] : [])];
  if (!parts.length) return form.elements.files.click();
  const rows = parts.map((part) => row(part.name));
  document.getElementById("sending").append(...rows.map((each) => each.item));
  form.elements.files.value = "";
  sending += 1;
  const before = rows.length;
  let taken = 0;
  const refused = [];
  const agreed = form.elements.agree?.checked;
  const next = async () => {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const words = await send(parts[place], rows[place], agreed);
      if (words.length) refused.push(...words);
      else taken += 1;
      if (words.length === 0 && parts[place].field === "text") document.getElementById("text").value = "";
      said.textContent = form.dataset.sent.replace("%", taken + refused.length).replace("$", before);
    }
  };
  const waiting = [...parts.keys()];
  if (agreed !== undefined) { // the first answer brings the cookie that the others are sent with
    const rest = waiting.splice(1);
    await next();
    waiting.push(...rest);
  }
  await Promise.all([next(), next()]);
  sending -= 1;
  try {
    await load(at + inLanguage);
  } catch { /* what was taken in is shown at the next look */ }
  say(...(taken ? [document.querySelector("#waiting")?.firstChild?.textContent ?? `${taken} ${form.dataset.done}`] : []), ...refused);
}

function row(name) {
  const item = document.createElement("li");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  const label = Object.assign(document.createElement("span"), { textContent: name, dir: "auto" });
  const outcome = document.createElement("em");
  bar.setAttribute("aria-label", name);
  item.append(label, bar, outcome);
  return { item, bar, outcome };
}

async function send(part, { item, bar, outcome }, agreed) {
  const form = document.getElementById("adding") ?? item.closest("form");
  const { largest, large, failed, wait, done } = form.dataset;
  const refuse = (words) => { outcome.textContent = words.join(" "); item.className = "refused"; return words; };
  if (part.value.size > largest * 2 ** 20) return refuse([large.replace("%", part.name)]);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const answer = await post(form.action, part, agreed, (share) => { bar.value = share; });
    if (answer.status === 429 || answer.status === 503) {
      outcome.textContent = wait;
      await pause(1000 * (Number(answer.getResponseHeader("Retry-After")) || 2));
      continue;
    }
    let told;
    try { told = JSON.parse(answer.responseText); } catch { break; }
    if (told.refused.length) return refuse(told.refused);
    bar.value = 1;
    outcome.textContent = done;
    return [];
  }
  return refuse([failed.replace("%", part.name)]);
}

function post(address, part, agreed, progress) {
  return new Promise((answered) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what has been sent
    const body = new FormData();
    body.append(part.field, part.value);
    if (agreed) body.append("agree", "yes");
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onloadend = () => answered(request);
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  });
}

root.addEventListener("change", (event) => {
  if (event.target.id === "files" && event.target.files.length && !event.target.form.elements.agree?.matches(":invalid")) add([...event.target.files]);
});
addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
for (const kind of ["dragleave", "drop"]) addEventListener(kind, (event) => { if (kind === "drop" || !event.relatedTarget) document.body.classList.remove("dropping"); });
addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  document.getElementById("add")?.showPopover();
  const form = document.getElementById("adding");
  if (form.elements.agree?.matches(":invalid")) form.elements.files.files = event.dataTransfer.files; // sent once they agree
  form.elements.agree?.matches(":invalid") ? form.reportValidity() : add([...event.dataTransfer.files]);
});
addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });

// What waits to be looked at is asked for until it is done

let watched = 0;
async function watch() {
  const turn = (watched += 1);
  let left = Number(root.dataset.waiting);
  for (let beats = 1; left && turn === watched; beats += 1) {
    await pause(Math.min(5000, 500 + 500 * beats));
    try {
      const answer = await fetch(`${at.replace(/\/$/, "")}/waiting`);
      const now = answer.ok ? (await answer.json()).waiting : left;
      if (now && now !== left) document.querySelector("#waiting")?.firstChild && (root.dataset.waiting = now);
      if (!now && turn === watched && !root.querySelector("[popover]:popover-open:not(#add)") && !sending) return await load(at + inLanguage);
      left = now || 1;
    } catch { /* the server is starting again; what was taken in is kept */ }
  }
}
watch();
