// <vernissage-related work="ID" limit="6">: works like one. <vernissage-for-you>: works for ratings, kept in this browser.
// Attributes: `api`, the address of a service (default: where this script comes from), or `files`, that of a publication
// (related works alone); `key`, a publishable key; `lang`; `limit`; `events`, to tell what was shown, opened, kept, hidden.
// Themed by --vernissage-ink, -muted, -accent, -gap, -width, -font. Needs in the page's policy: script-src, img-src and
// connect-src of the service or the files.
const WORDS = {
  en: { related: "Works like this one", rate: "Rate some works", you: "For you", none: "Nothing found.", again: "Begin again", keep: "Keep", kept: "Kept", hide: "Hide", unhide: "Show hidden works again", liked: (title) => `because you liked ${title}`, star: (n) => `${n} of 5`, untitled: "Untitled", failed: "This cannot be shown just now." },
  de: { related: "Ähnliche Werke", rate: "Bewerten Sie einige Werke", you: "Für Sie", none: "Nichts gefunden.", again: "Neu beginnen", keep: "Behalten", kept: "Behalten", hide: "Ausblenden", unhide: "Ausgeblendete Werke wieder zeigen", liked: (title) => `weil Ihnen ${title} gefiel`, star: (n) => `${n} von 5`, untitled: "Ohne Titel", failed: "Dies kann gerade nicht gezeigt werden." },
};
const STYLE = `
:host { display: block; color: var(--vernissage-ink, inherit); font-family: var(--vernissage-font, inherit); }
h2 { font-size: 1.25em; font-weight: 500; margin: 1.5em 0 .75em; } h2:first-child { margin-top: 0; } .by::first-letter { text-transform: uppercase; }
ol { display: grid; gap: var(--vernissage-gap, 1rem); grid-template-columns: repeat(auto-fill, minmax(min(45%, var(--vernissage-width, 12rem)), 1fr)); list-style: none; margin: 0; padding: 0; align-items: end; }
img { display: block; height: auto; max-height: 16rem; max-width: 100%; object-fit: contain; object-position: left bottom; width: 100%; }
a { color: inherit; } a:hover { color: var(--vernissage-accent, inherit); }
.title { display: block; margin-top: .4em; } .by { color: var(--vernissage-muted, inherit); font-size: .875em; margin: 0; }
fieldset { border: 0; display: flex; margin: .25em 0 0; padding: 0; } legend { font-size: 0; }
button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; min-height: 2.75rem; min-width: 1.75rem; padding: 0; }
.on, button[aria-pressed="true"] { color: var(--vernissage-accent, #8a3324); } .act { font-size: .875em; margin-right: 1em; text-decoration: underline; }
:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }`;
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const safe = (address) => (address && /^https?:$/.test(new URL(address).protocol) ? address : null);

// As vernissage.catalog.keys.key_of: the name of a work's file in a publication.
export const keyOf = (id) => {
  const bytes = [...new TextEncoder().encode(id)];
  const plain = (byte) => (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57) || byte === 45;
  const hex = (byte) => `_${byte.toString(16).padStart(2, "0")}`;
  let key = bytes.map((byte, at) => (plain(byte) || (byte === 46 && at > 0 && at < bytes.length - 1 && plain(bytes[at - 1]) && plain(bytes[at + 1])) ? String.fromCharCode(byte) : hex(byte))).join("");
  const parts = [];
  while (key) {
    let length = Math.min(200, key.length);
    while (length < key.length && key[length - 1] === ".") length -= 1;
    const part = key.slice(0, length);
    key = key.slice(length);
    parts.push(/^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)|^\./.test(part) ? hex(part.charCodeAt(0)) + part.slice(1) : part);
  }
  return parts.join("/");
};

const ratingsIn = (own) => Object.fromEntries(Object.entries(own).filter(([, value]) => value > 0));
export const pathOf = (id) => keyOf(id).split("/").map(encodeURIComponent).join("/");

class Element extends HTMLElement {
  static observedAttributes = ["work", "limit", "api", "files", "key", "lang"];
  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.show();
  }
  attributeChangedCallback() {
    if (this.isConnected && this.shadowRoot) this.show();
  }
  get language() {
    return this.closest("[lang]:not([lang=''])")?.getAttribute("lang") ?? "en";
  }
  get words() {
    return WORDS[this.language.slice(0, 2).toLowerCase()] ?? WORDS.en;
  }
  get limit() {
    return Math.min(200, Math.max(1, Number.parseInt(this.getAttribute("limit"), 10) || 6));
  }
  get files() {
    return this.getAttribute("files") && new URL(this.getAttribute("files").replace(/\/?$/, "/"), document.baseURI).href;
  }
  get api() {
    return new URL(this.getAttribute("api") || new URL(import.meta.url).origin, document.baseURI).href.replace(/\/$/, "");
  }
  async ask(path, body, keepalive = false) {
    const key = this.getAttribute("key");
    const headers = { "Accept-Language": this.language, ...(key ? { "X-API-Key": key } : {}), ...(body ? { "Content-Type": "application/json" } : {}) };
    const answer = await fetch(`${this.api}/api/v1/${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), credentials: "omit", keepalive });
    if (!answer.ok) throw new Error(`${answer.status} of ${path.split("?")[0]}`);
    return answer.json();
  }
  async file(name) {
    const place = new URL(name, this.files).href;
    const answer = await fetch(place);
    if (!answer.ok) throw new Error(`${answer.status} of ${place}`);
    const found = await answer.json();
    for (const work of [found.work ?? {}, ...found.works]) work.place = place; // addresses in a file are from where it lies
    return found;
  }
  tell(found, kind, works) {
    if (!this.hasAttribute("events") || !found.recommendation_id || !works.every((work) => found.works.includes(work))) return;
    const event = { kind, recommendation_id: found.recommendation_id, works: works.map((work) => work.id) };
    this.ask("events", { events: [event] }, true).catch((error) => console.warn(error.message));
  }
  async show() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const content = await this.content();
      if (turn !== this.turn) return;
      const focused = this.shadowRoot.activeElement?.dataset.name;
      this.shadowRoot.replaceChildren(...content);
      if (focused) (this.shadowRoot.querySelector(`[data-name="${CSS.escape(focused)}"]`) ?? this.shadowRoot.querySelector("button"))?.focus();
    } catch (error) {
      if (turn !== this.turn) return;
      console.warn(`${this.localName}: ${error.message}`);
      this.shadowRoot.replaceChildren(make("p", {}, this.words.failed));
    }
  }
  name(work) {
    return work.title || work.name || this.words.untitled;
  }
  item(work, ...more) {
    const at = (address) => (address ? safe(new URL(address, work.place ?? this.api).href) : null);
    const link = make("a", {}, make("span", { className: "title", dir: "auto", lang: work.lang ?? "" }, this.name(work)));
    const page = at(work.link) ?? at(this.files ? work.url : null);
    if (page) link.href = page;
    if (work.thumbnail) {
      const srcset = work.thumbnail.srcset.split(", ").map((each) => each.split(" ")).map(([address, width]) => `${at(address)} ${width}`).join(", ");
      const { width, height, alt } = work.thumbnail;
      link.prepend(make("img", { src: at(work.thumbnail.src), srcset, sizes: "(max-width: 40rem) 45vw, 16rem", width, height, alt: more.length ? alt : "", loading: "lazy" }));
    }
    return make("li", {}, link, make("p", { className: "by", dir: "auto" }, [work.artist, work.year].filter(Boolean).join(", ")), ...more);
  }
  list(found, works, more = () => []) {
    const items = works.map((work) => this.item(work, ...more(work)));
    items.forEach((item, at) => { item.querySelector("a").onclick = () => this.tell(found, "opened", [works[at]]); });
    this.tell(found, "shown", works);
    return make("ol", {}, ...items);
  }
}

customElements.define("vernissage-related", class extends Element {
  async content() {
    const id = this.getAttribute("work");
    if (!id) throw new Error("the attribute work names no work");
    const { files, limit } = this;
    // Answers about one work are kept by caches, and have no id to count events by; those for ratings have.
    const found = await (files ? this.file(`related/${pathOf(id)}.json`) : this.hasAttribute("events") ? this.ask("recommendations", { liked: [id], limit }) : this.ask(`works/${pathOf(id)}/similar?limit=${limit}`));
    if (!found.works.length) return [make("p", {}, this.words.none)];
    return [make("h2", {}, this.words.related), this.list(found, found.works.slice(0, limit))];
  }
});

export class ForYou extends Element {
  get place() {
    return `vernissage-ratings ${this.files ?? this.api}`;
  }
  get own() { // by id: a rating, "kept" or "hidden"
    try {
      return Object.fromEntries(Object.entries(JSON.parse(localStorage.getItem(this.place) ?? "{}")).filter(([, value]) => ["kept", "hidden", 1, 2, 3, 4, 5].includes(value)));
    } catch {
      return {};
    }
  }
  store(own) {
    localStorage.setItem(this.place, JSON.stringify(own));
    this.dispatchEvent(new CustomEvent("vernissage-rated", { detail: ratingsIn(own), bubbles: true }));
    this.show();
  }
  async content() {
    const { own, words } = this;
    const ratings = ratingsIn(own);
    const marked = (mark) => Object.keys(own).filter((id) => own[id] === mark);
    this.asked ??= (await this.toRate()).works;
    const shown = [make("h2", {}, words.rate), make("ol", {}, ...this.asked.map((work) => this.item(work, this.stars(work, own[work.id]))))];
    if (!Object.keys(ratings).length) return shown;
    const found = await this.found(ratings, marked("hidden"));
    const kept = (await Promise.all(marked("kept").map((id) => this.work(id).catch(() => null)))).filter(Boolean);
    const list = this.list(found, found.works, (work) => [make("p", { className: "by" }, this.why(work)), this.marks(found, work, own[work.id])]);
    const buttons = [this.button(words.again, "again", () => this.store({}))];
    if (marked("hidden").length) buttons.push(this.button(words.unhide, "unhide", () => this.store(Object.fromEntries(Object.entries(own).filter(([, value]) => value !== "hidden")))));
    const shelf = kept.length ? [make("h2", {}, words.kept), make("ol", {}, ...kept.map((work) => this.item(work, this.marks(found, work, "kept"))))] : [];
    return [make("h2", {}, words.you), found.works.length ? list : make("p", {}, words.none), make("p", {}, ...buttons), ...shelf, ...shown];
  }
  toRate() {
    return this.ask(`elicitation?n=9&seed=${Math.floor(Math.random() * 1e9)}`);
  }
  found(ratings, exclude) {
    return this.ask("recommendations", { ratings, exclude, limit: this.limit });
  }
  work(id) {
    return this.ask(`works/${pathOf(id)}`);
  }
  why(work) {
    const best = work.reasons.find((reason) => reason.kind === "rated" && reason.contribution > 0 && reason.weight > 0);
    return best ? this.words.liked(best.title || this.words.untitled) : "";
  }
  button(words, name, onclick, more = {}) {
    const made = make("button", { type: "button", className: "act", onclick, ...more }, words);
    made.dataset.name = name;
    return made;
  }
  mark(work, value) {
    this.store({ ...this.own, [work.id]: value });
  }
  marks(found, work, now) {
    const act = (mark, words, more) => this.button(words, `${mark} ${work.id}`, () => {
      if (now !== mark) this.tell(found, mark, [work]);
      this.mark(work, now === mark ? undefined : mark);
    }, { ariaLabel: `${words}: ${this.name(work)}`, ...more });
    return make("div", {}, act("kept", this.words.keep, { ariaPressed: String(now === "kept") }), act("hidden", this.words.hide));
  }
  stars(work, now) {
    const star = (n) => this.button(now >= n ? "★" : "☆", `${n} ${work.id}`, () => this.mark(work, n), { className: now >= n ? "on" : "", ariaLabel: this.words.star(n), ariaPressed: String(now === n) });
    return make("fieldset", {}, make("legend", {}, this.name(work)), ...[1, 2, 3, 4, 5].map(star));
  }
}
customElements.define("vernissage-for-you", ForYou);
