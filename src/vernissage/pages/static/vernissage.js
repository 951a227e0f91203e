// <vernissage-related work="ID" limit="6">: works like one. <vernissage-for-you>: works for ratings, kept in this browser.
// Attributes: `api`, the address of a service (default: where this script comes from), or `files`, that of a publication
// (related works alone); `key`, a publishable key; `lang`; `limit`; `events`, to send which works for you were shown and opened. Themed by --vernissage-ink, -muted, -accent, -gap,
// -width, -font. Needs in the page's policy: script-src, img-src and connect-src of the service or the files.
const WORDS = {
  en: { related: "Works like this one", rate: "Rate some works", you: "For you", none: "Nothing found.", again: "Begin again", liked: (title) => `because you liked ${title}`, star: (n) => `${n} of 5`, untitled: "Untitled", failed: "This cannot be shown just now." },
  de: { related: "Ähnliche Werke", rate: "Bewerten Sie einige Werke", you: "Für Sie", none: "Nichts gefunden.", again: "Neu beginnen", liked: (title) => `weil Ihnen ${title} gefiel`, star: (n) => `${n} von 5`, untitled: "Ohne Titel", failed: "Dies kann gerade nicht gezeigt werden." },
};
const STYLE = `
:host { display: block; color: var(--vernissage-ink, inherit); font-family: var(--vernissage-font, inherit); }
h2 { font-size: 1.25em; font-weight: 500; margin: 0 0 .75em; }
ol { display: grid; gap: var(--vernissage-gap, 1rem); grid-template-columns: repeat(auto-fill, minmax(min(45%, var(--vernissage-width, 12rem)), 1fr)); list-style: none; margin: 0; padding: 0; align-items: end; }
img { display: block; height: auto; max-height: 16rem; max-width: 100%; object-fit: contain; object-position: left bottom; width: 100%; }
a { color: inherit; } a:hover { color: var(--vernissage-accent, inherit); }
.title { display: block; margin-top: .4em; } .by { color: var(--vernissage-muted, inherit); font-size: .875em; margin: 0; }
fieldset { border: 0; display: flex; margin: .25em 0 0; padding: 0; } legend { font-size: 0; }
button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; min-height: 2.75rem; min-width: 1.75rem; padding: 0; }
button[aria-pressed="true"] { color: var(--vernissage-accent, #8a3324); } .again { padding: 0 .5em; text-decoration: underline; }
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
  tell(found, kind, works) {
    if (!this.hasAttribute("events") || !found.recommendation_id) return;
    const event = { kind, recommendation_id: found.recommendation_id, works: works.map((work) => work.id) };
    this.ask("events", { events: [event] }, true).catch((error) => console.warn(error.message));
  }
  async show() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const content = await this.content();
      if (turn === this.turn) this.shadowRoot.replaceChildren(...content);
    } catch (error) {
      if (turn !== this.turn) return;
      console.warn(`${this.localName}: ${error.message}`);
      this.shadowRoot.replaceChildren(make("p", {}, this.words.failed));
    }
  }
  item(work, base, ...more) {
    const at = (address) => (address ? safe(new URL(address, base).href) : null);
    const link = make("a", {}, make("span", { className: "title", dir: "auto", lang: work.lang ?? "" }, work.title || this.words.untitled));
    const page = at(work.link) ?? at(this.getAttribute("files") ? work.url : null);
    if (page) link.href = page;
    if (work.thumbnail) {
      const set = work.thumbnail.srcset.split(", ").map((each) => each.split(" ")).map(([address, width]) => `${at(address)} ${width}`).join(", ");
      const { width, height, alt } = work.thumbnail;
      link.prepend(make("img", { src: at(work.thumbnail.src), srcset: set, sizes: "(max-width: 40rem) 45vw, 16rem", width, height, alt: more.length ? alt : "", loading: "lazy" }));
    }
    return make("li", {}, link, make("p", { className: "by", dir: "auto" }, [work.artist, work.year].filter(Boolean).join(", ")), ...more);
  }
}

customElements.define("vernissage-related", class extends Element {
  async content() {
    const id = this.getAttribute("work");
    if (!id) throw new Error("the attribute work names no work");
    const files = this.getAttribute("files");
    let base = this.api;
    let works;
    if (files) {
      base = new URL(`related/${keyOf(id)}.json`, new URL(files.replace(/\/?$/, "/"), document.baseURI)).href;
      const answer = await fetch(base);
      if (!answer.ok) throw new Error(`${answer.status} of ${base}`);
      works = (await answer.json()).works.slice(0, this.limit);
    } else {
      works = (await this.ask(`works/${encodeURIComponent(keyOf(id)).replaceAll("%2F", "/")}/similar?limit=${this.limit}`)).works;
    }
    if (!works.length) return [make("p", {}, this.words.none)];
    return [make("h2", {}, this.words.related), make("ol", {}, ...works.map((work) => this.item(work, base)))];
  }
});

customElements.define("vernissage-for-you", class extends Element {
  get place() {
    return `vernissage-ratings ${this.api}`;
  }
  get ratings() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.place) ?? "{}");
      return Object.fromEntries(Object.entries(kept).filter(([, rating]) => Number.isInteger(rating) && rating >= 1 && rating <= 5));
    } catch {
      return {};
    }
  }
  rate(id, rating) {
    const ratings = { ...this.ratings, [id]: rating };
    localStorage.setItem(this.place, JSON.stringify(ratings));
    this.dispatchEvent(new CustomEvent("vernissage-rated", { detail: ratings, bubbles: true }));
    this.show();
  }
  async content() {
    const seed = (this.seed ??= Math.floor(Math.random() * 1e9));
    const ratings = this.ratings;
    const rated = Object.keys(ratings).length;
    const ask = this.asked ??= (await this.ask(`elicitation?n=9&seed=${seed}`)).works;
    const shown = [make("h2", {}, this.words.rate), make("ol", {}, ...ask.map((work) => this.item(work, this.api, this.stars(work, ratings[work.id]))))];
    if (!rated) return shown;
    const found = await this.ask("recommendations", { ratings, limit: this.limit });
    const again = make("button", { className: "again", type: "button", onclick: () => { localStorage.removeItem(this.place); this.show(); } }, this.words.again);
    const works = found.works.map((work) => this.item(work, this.api, make("p", { className: "by" }, this.why(work))));
    works.forEach((item, at) => { item.querySelector("a").onclick = () => this.tell(found, "opened", [found.works[at]]); });
    this.tell(found, "shown", found.works);
    return [make("h2", {}, this.words.you), make("ol", {}, ...works), make("p", {}, again), ...shown];
  }
  why(work) {
    const best = work.reasons.find((reason) => reason.kind === "rated" && reason.contribution > 0 && reason.weight > 0);
    return best ? this.words.liked(best.title || this.words.untitled) : "";
  }
  stars(work, own) {
    const button = (n) => {
      const made = make("button", { type: "button", onclick: () => this.rate(work.id, n) }, own >= n ? "★" : "☆");
      made.setAttribute("aria-label", this.words.star(n));
      made.setAttribute("aria-pressed", String(own === n));
      return made;
    };
    return make("fieldset", {}, make("legend", {}, work.title || this.words.untitled), ...[1, 2, 3, 4, 5].map(button));
  }
});
