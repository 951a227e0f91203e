// <vernissage-for-you-files files="…">: as <vernissage-for-you>, from the files of a publication, without a service.
import { ForYou, pathOf } from "../../vernissage.js";

customElements.define("vernissage-for-you-files", class extends ForYou {
  toRate() {
    return this.file("for-you.json");
  }
  related(id) {
    return this.file(`related/${pathOf(id)}.json`).catch(() => ({ works: [] })); // the work may have gone since
  }
  async work(id) {
    return (await this.related(id)).work;
  }
  // What a service adds up over all works, over those that the files know to be near rated ones: weights (rating - 3) / 2.
  async found(ratings, hidden) {
    const scored = new Map();
    for (const { work: rated, works } of await Promise.all(Object.keys(ratings).map((id) => this.related(id)))) {
      for (const work of works) {
        const weight = (ratings[rated.id] - 3) / 2;
        const reason = { kind: "rated", title: this.name(rated), weight, contribution: weight * work.score };
        const { score, reasons } = scored.get(work.id) ?? { score: 0, reasons: [] };
        scored.set(work.id, { ...work, score: score + reason.contribution, reasons: [...reasons, reason] });
      }
    }
    const works = [...scored.values()].filter(({ id, score }) => score > 0 && !(id in ratings) && !hidden.includes(id));
    for (const { reasons } of works) reasons.sort((one, other) => other.contribution - one.contribution);
    return { works: works.sort((one, other) => other.score - one.score).slice(0, this.limit) };
  }
});
