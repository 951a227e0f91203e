"""`evaluate --similar` and `--variety`: what `similar` finds against rules by hand, and what varied lists cost."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from vernissage.analysis.multiple_comparisons import format_p
from vernissage.catalog.conditions import values_of
from vernissage.encoders.register import card
from vernissage.errors import RequestError
from vernissage.gallery.engines import Fusion, default_engine, index_of_encoder, indexes_of, make_engine
from vernissage.profiles.ratings import Profile, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Explanation, Recommendation, Recommender
from vernissage.recommenders.diversity import Diversified, Reranked
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.values import EVERYTHING, Allow
from vernissage.workspace.workspace import Workspace
from vernissage_lab.analysis.paired import mean_with_error
from vernissage_lab.analysis.ranking_metrics import intra_list_diversity
from vernissage_lab.evaluation import Evaluation, finite
from vernissage_lab.figures import Dot
from vernissage_lab.tables import Row, Told, paired_tests, short, signed, table
from vernissage_lab.tastes import UNKNOWN, Labels, labels_from_collection

MOST_QUERIES = 300
DIVERSITIES, CAPS = (0.0, 0.1, 0.2, 0.3, 0.5), (2, 1)

Floats = npt.NDArray[np.float64]
_Lists = Callable[[str], Sequence[str]]


def evaluate_similar(opened: Workspace, labels: Labels, n: int, progress: Progress = silent) -> Told:
    """The share of the ``n`` works most similar to one that have its label, by engines and by what sites do by hand.

    Asked are works whose label another one has, at most 300, evenly spread; ``labels`` has one facet, which no rule
    reads, and names the works that are ranked.

    Raises:
        RequestError: fewer than two works share a label, or the workspace has no vectors.
    """
    codes, facet = labels.codes[:, 0], labels.facets[0]
    times = np.bincount(codes[codes != UNKNOWN])
    asked = [row for row, code in enumerate(codes.tolist()) if code != UNKNOWN and times[code] > 1]
    if len(asked) < 2:
        raise RequestError(f"{len(asked)} works share their {facet} with another; 2 are needed, so name another label")
    asked = asked[:: -(-len(asked) // MOST_QUERIES)]
    lists, found = _ways(opened, labels, n), {}
    for number, (name, shown) in enumerate(lists.items()):
        progress("looking for similar works", number, len(lists))
        hits = [sum(codes[labels.row_of[each]] == codes[row] for each in shown(labels.item_ids[row])) for row in asked]
        found[name] = np.array(hits) / n
    progress("looking for similar works", len(lists), len(lists))
    usual = default_engine(opened)
    ours, rows = found.pop(usual), []
    for name, test, p in paired_tests({name: (ours, values) for name, values in found.items()}):
        halves = [float((ours - found[name])[start::2].mean()) for start in (0, 1)]
        row = {"way": name, "precision": float(found[name].mean()), **vars(test), "p_holm": p, "halves": halves}
        rows.append(finite(row))
    names = [labels.categories[facet][code].casefold() for code in codes[asked].tolist()]
    texts = [opened.collection[labels.item_ids[row]].text.casefold() for row in asked]
    stated = sum(name in text for name, text in zip(names, texts, strict=True))
    chance = float(np.mean([(times[codes[row]] - 1) / (len(codes) - 1) for row in asked]))
    content = {"label": facet, "queries": len(asked), "works": len(codes), "stated": stated, "chance": chance}
    told = [(usual, short(float(ours.mean())), *[""] * 6)]
    for row in sorted(rows, key=lambda row: -row["precision"]):
        numbers = [signed(each) for each in (row["mean"], row["low"], row["high"], *row["halves"])]
        told.append((row["way"], short(row["precision"]), *numbers, format_p(row["p_holm"])))
    caption = (
        f"Works of the same {facet} among the {n} most similar: {len(asked)} of {len(codes)} works asked, chance "
        f"{short(chance)}; {stated} of their texts state it"
    )
    heads = ("by", "precision", f"{usual} − it", "from", "to", "one half", "other half", "p (Holm)")
    content |= {"engine": usual, "precision": float(ours.mean()), "rows": rows}
    return Told(content, [table(caption, heads, told)])


def _ways(opened: Workspace, labels: Labels, n: int) -> dict[str, _Lists]:
    """By name, the ids of the ``n`` works that are most similar to one: engines, rules by hand, and both together."""
    usual = make_engine(opened, default_engine(opened), n)
    singles = {part.name: part for part in (usual.engines if isinstance(usual, LateFusion) else [usual])}
    engines: dict[str, Recommender] = {usual.name: usual, **singles}
    if opened.manifest.weights:  # which may read owners
        equal = Fusion(weights=dict.fromkeys(opened.manifest.weights, 1.0))
        engines["equal-weights"] = make_engine(opened, usual.name, n, equal)
    works, allow = ListedWorks(labels.item_ids), Allow(only=frozenset(labels.item_ids))

    def by_engine(engine: Recommender, item_id: str) -> Sequence[str]:
        return engine.recommend(_liked(item_id), n, allow).ranking.item_ids if item_id in engine else ()

    ways: dict[str, _Lists] = {name: partial(by_engine, engine) for name, engine in engines.items()}
    for name, values in _by_hand(opened, labels).items():

        def shown(item_id: str, parts: int = 0, values: Sequence[AbstractSet[str]] = values) -> Sequence[str]:
            own = values[labels.row_of[item_id]]
            scores = np.array([len(own & each) for each in values], dtype=np.float64)
            if parts:  # the rule is one more part, which counts as much as the mean of the others
                fused, found = np.zeros(len(works)), usual.recommend(_liked(item_id), len(works), allow).ranking
                fused[works.rows(found.item_ids)] = found.scores
                scores = parts * fused + (scores - scores.mean()) / (scores.std() or 1.0)
            return works.best(scores, n, Allow(exclude=frozenset([item_id]))).item_ids

        ways |= {name: shown, f"{usual.name} + {name}": partial(shown, parts=len(singles))}
    return ways


def _by_hand(opened: Workspace, labels: Labels) -> dict[str, list[AbstractSet[str]]]:
    """What works may share with each other: the value of a column that is fit to be a label, or keywords."""
    collection, mine = opened.collection, labels.facets[0]
    every = labels_from_collection(collection, None).of(labels.item_ids)
    found: dict[str, list[AbstractSet[str]]] = {}
    for number, facet in enumerate(every.facets):
        codes = every.codes[:, number]
        pairs = set(zip(codes.tolist(), labels.codes[:, 0].tolist(), strict=True))
        if facet != mine and len(pairs) > len(set(codes.tolist())):  # else it decides the label
            found[f"same {facet}"] = [{str(code)} if code != UNKNOWN else set() for code in codes.tolist()]
    words = [frozenset(values_of(collection[each], "keywords")) for each in labels.item_ids]
    return found | ({"most shared keywords": list(words)} if any(words) else {})


def _liked(item_id: str) -> Profile:
    return profile_from_ratings({item_id: 5.0}, "linear")


@dataclass(frozen=True, eq=False)
class Capped(Reranked):
    """A recommender of whose works at most ``most`` of one value come back; works without a value are not limited."""

    values: Mapping[str, str]
    most: int

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        found = self.recommender.recommend(profile, self.count(profile, allow), allow)
        times: dict[str, int] = {}
        rows: list[int] = []
        for row, item_id in enumerate(found.ranking.item_ids):
            value = self.values.get(item_id, "")
            if times.get(value, 0) < self.most and len(rows) < n:
                rows.append(row)
                times[value] = times.get(value, 0) + bool(value)
        ids = tuple(found.ranking.item_ids[row] for row in rows)
        return replace(found, ranking=replace(found.ranking, item_ids=ids, scores=found.ranking.scores[rows]))


def varied(opened: Workspace, n: int) -> tuple[dict[str, Recommender], str]:
    """The default engine without one representation, re-ranked and capped; and the representation it lacks.

    That one measures how far the works of a list lie apart, so that no list is judged by what it was varied by.

    Raises:
        RequestError: the default engine has fewer than three representations.
    """
    usual = make_engine(opened, default_engine(opened), n)
    parts = [part.name for part in usual.engines] if isinstance(usual, LateFusion) else []
    if len(parts) < 3:
        raise RequestError("variety needs three representations: one measures what lists by the others are like")
    judge = next(
        (name for name in parts if card(name).modalities == ("text",) and card(name).trained_elsewhere), parts[-1]
    )
    weights = {name: float(each["weight"]) for name, each in opened.manifest.weights.items() if name in parts}
    rest = [name for name in parts if name != judge]
    fusion = Fusion(method="zscore", weights={name: weights.get(name, 1.0) for name in rest})
    base = make_engine(opened, "+".join(rest), n, fusion)
    found: dict[str, Recommender] = {
        f"diversity {each:g}": Diversified(base, indexes_of(base), each) if each else base for each in DIVERSITIES
    }
    for field in ("artist", "group"):
        values = dict(zip(opened.collection.ids, opened.collection.texts(field), strict=True))
        if len(set(values.values())) > 1:
            found |= {f"{most} per {field}": Capped(base, values, most) for most in CAPS}
    return found, judge


def variety(opened: Workspace, found: Evaluation, judge: str, n: int) -> tuple[Told, list[Dot]]:
    """What the lists of `varied` are worth and how varied they are, paired by visitor with the first; and to be drawn.

    Holm's correction is over all lists that are compared with the first in one measure.
    """
    index = index_of_encoder(opened, judge)
    group_of = dict(zip(opened.collection.ids, opened.collection.texts("group"), strict=True))
    measured: dict[str, dict[str, Floats]] = {"ndcg": {}, "distance": {}, "groups": {}}
    for name, shown in found.engines.items():
        lists = [[found.candidates[row] for row in rows.tolist()] for rows in shown.lists if rows is not None]
        vectors = [index.vectors_of([each for each in ids if each in index]).astype(np.float64) for ids in lists]
        far = [intra_list_diversity(1 - each @ each.T) if len(each) > 1 else 0.0 for each in vectors]
        measured["ndcg"][name] = np.array([worth["ndcg"] for worth in shown.metrics if worth is not None])
        measured["distance"][name] = np.array(far)
        measured["groups"][name] = np.array([len({group_of[each] for each in ids}) for ids in lists], dtype=np.float64)
    first, *others = found.engines
    means = {each: {name: mean_with_error(some) for name, some in values.items()} for each, values in measured.items()}
    rows: list[Row] = [{"list": name} | {each: means[each][name].mean for each in measured} for name in found.engines]
    told = {row["list"]: [row["list"], *(short(row[each]) for each in measured)] for row in rows}
    told[first] += [""] * 4
    for values in (measured["ndcg"], measured["distance"]):
        for name, test, p in paired_tests({name: (values[name], values[first]) for name in others}):
            told[name] += [f"{signed(test.mean)} ({signed(test.low)} to {signed(test.high)})", format_p(p)]
    heads = ("list", f"nDCG@{n}", "distance", "groups", "Δ nDCG", "p", "Δ distance", "p")
    caption = f"{len(found.visitors)} visitors; distances are by {judge}, which neither ranks nor varies; p after Holm"
    panels = {"ndcg": f"nDCG@{n}", "distance": f"mean distance ({judge})", "groups": "groups in a list"}
    dots = [
        Dot(name, panel, means[each][name].mean, means[each][name].se, name == first)
        for each, panel in panels.items()
        for name in found.engines
    ]
    return Told({"judge": judge, "rows": rows}, [table(caption, heads, told.values())]), dots
