"""`evaluate --search`: does a title find its own work by the rest of its text, ours against what is usual elsewhere?"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from vernissage.analysis.multiple_comparisons import format_p
from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import Material, TextEncoder
from vernissage.encoders.register import card, for_words
from vernissage.errors import RequestError
from vernissage.folding import folded
from vernissage.gallery.engines import search_encoder
from vernissage.gallery.searching import LITERAL, TextSearcher
from vernissage.progress import Progress, silent
from vernissage.search.exact import exact_index
from vernissage.search.lexical import LexicalIndex, terms_of
from vernissage.search.vectors import make_vector_table
from vernissage.values import EVERYTHING, Vectors
from vernissage.workspace.workspace import Workspace
from vernissage_lab.tables import Column, Row, Table, Told, paired_tests

MOST_QUERIES = 1_000
_CONSTANT = 60.0
_SEARCH = "search --encoder {}"
_Scorer = Callable[[int], npt.NDArray[np.float64]]


def evaluate_search(opened: Workspace, progress: Progress = silent) -> Told:
    """The mean reciprocal rank at which works come when their titles are searched for in the rest of their texts.

    Titles are taken off the works and from the beginning of their descriptions. Asked are titles of one work alone, at
    most 1,000, evenly spread; every work with a text can be found. Equal scores share the mean of their ranks.

    Raises:
        RequestError: fewer than two works have a title of their own and a text beside it.
    """
    whole = opened.collection
    rest = Collection([_without_title(item) for item in whole], whole.folder)
    times = Counter(folded(title) for title in whole.texts("title"))
    texts = rest.texts("text")
    own = [row for row, item in enumerate(whole) if times[folded(item.title)] == 1 and item.title and texts[row]]
    asked = own[:: -(-len(own) // MOST_QUERIES) or 1]
    if len(asked) < 2:
        raise RequestError(f"{len(own)} works have a title of their own and a text beside it; 2 are needed")
    titles = [whole.items[row].title for row in asked]
    scorers = _scorers(opened, rest, titles)
    found: dict[str, npt.NDArray[np.float64]] = {}
    for number, (name, scores) in enumerate(scorers.items()):
        progress("searching", number, len(scorers))
        found[name] = np.array([_reciprocal_rank(scores(place), row) for place, row in enumerate(asked)])
    progress("searching", len(scorers), len(scorers))
    ours = _SEARCH.format(search_encoder(opened, "text", "text"))
    tests = paired_tests({name: (found[ours], values) for name, values in found.items() if name != ours})
    rows: list[Row] = [
        {"search": name, "mrr": float(found[name].mean()), "difference": test.mean, "se": test.se}
        | {"low": test.low, "high": test.high, "p_holm": p_holm}
        for name, test, p_holm in tests
    ]
    rows.append({"search": ours, "mrr": float(found[ours].mean())})
    return Told({"titles": len(asked), "works": len(rest), "rows": rows}, [_table(rows, len(asked), len(rest))])


def _table(rows: Sequence[Row], titles: int, works: int) -> Table:
    columns = (Column("search", True), Column("MRR"), Column("ours − it"), Column("95 % interval", True))
    body = []
    for row in rows:
        compared = ["", "", ""]
        if "low" in row:
            interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
            compared = [f"{row['difference']:+.3f}", interval, format_p(row["p_holm"])]
        body.append((row["search"], f"{row['mrr']:.3f}", *compared))
    caption = f"Mean reciprocal rank of the work whose title is searched for: {titles} titles, {works} works"
    return Table(caption, (*columns, Column("p (Holm)")), tuple(body))


def _scorers(opened: Workspace, rest: Collection, titles: Sequence[str]) -> dict[str, _Scorer]:
    """By name, the scores of all works for the title of a place; those of `_SEARCH` are the gallery's."""
    words = LexicalIndex.of(rest, opened.lexicon.language)
    plain = _plain_bm25(rest.texts("text"), titles)
    literal = [words.bm25(terms_of(title, words.language, words.terms)) for title in titles]
    found: dict[str, _Scorer] = {"bm25s as it comes": plain, "BM25 over lemmas": literal.__getitem__}
    encoders = for_words({name: opened.modalities(name) for name in opened.encoder_names}, "text")
    for name in [each for each in encoders if card(each).modalities == ("text",)]:
        encoder = _without_titles(opened, name, rest.texts("text"))
        vectors = encoder.encode_texts(rest.texts("text"))
        near = (encoder.encode_texts(titles) @ vectors.T).astype(np.float64)
        found[name] = near.__getitem__
        found[f"BM25 + {name}, by ranks"] = lambda place, near=near: _ranks(literal[place]) + _ranks(near[place])  # type: ignore[misc]
        found[f"BM25 + {name}, by z-scores"] = lambda place, near=near: (  # type: ignore[misc]
            LITERAL * _z(literal[place]) + (1 - LITERAL) * _z(near[place])
        )
        found[_SEARCH.format(name)] = _gallery(rest, words, encoder, vectors, titles)
    return found


def _gallery(
    rest: Collection, words: LexicalIndex, encoder: TextEncoder, vectors: Vectors, titles: Sequence[str]
) -> _Scorer:
    known = np.flatnonzero(vectors.any(axis=1))
    ids = [rest.ids[row] for row in known.tolist()]
    told = {"encoder": encoder.name, "fingerprint": encoder.fingerprint, "modality": "text", "collection": ""}
    table = make_vector_table(vectors[known], ids, [""] * len(ids), **told)
    searcher = TextSearcher(rest, words, (table, exact_index(table)))

    def scores(place: int) -> npt.NDArray[np.float64]:
        asked = searcher.look_up(titles[place])
        best = searcher.ranking(asked, encoder.encode_texts([asked.query])[0], EVERYTHING)(len(rest))
        found = np.zeros(len(rest))
        found[rest.ids.rows(list(best))] = list(best.values())
        return found

    return scores


def _without_title(item: Item) -> Item:
    text, described = item.text.removeprefix(item.title).lstrip(" ."), " ".join(item.description.split())
    if item.title and described.startswith(f"{item.title}."):
        text = text.replace(described, described.removeprefix(item.title).lstrip(" ."))
    return replace(item, title="", text=text, description="", attributes={}, keywords=())


def _without_titles(opened: Workspace, name: str, texts: Sequence[str]) -> TextEncoder:
    """The encoder, fitted on the texts without titles if it is fitted at all."""
    fit = card(name).fit
    encoder = opened.encoder(name)
    if fit is not None:
        languages = tuple(opened.lexicon.language.split("+"))
        encoder = fit(Material(texts=lambda: texts, languages=languages, artists=lambda: [""] * len(texts)))
    if not isinstance(encoder, TextEncoder):
        raise RequestError(f"{name} does not read texts")
    return encoder


def _plain_bm25(texts: Sequence[str], titles: Sequence[str]) -> _Scorer:
    """The library with its own tokens, as who takes it as it comes would use it."""
    import bm25s

    model = bm25s.BM25()
    model.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)
    tokens = bm25s.tokenize(list(titles), return_ids=False, show_progress=False)
    nothing = np.zeros(len(texts))  # a title of stop words alone, which the library refuses
    return lambda place: np.asarray(model.get_scores(tokens[place]), np.float64) if tokens[place] else nothing


def _reciprocal_rank(scores: npt.NDArray[np.float64], row: int) -> float:
    own = scores[row]
    return float(1 / ((scores > own).sum() + ((scores == own).sum() + 1) / 2))


def _ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (_CONSTANT + rankdata(-scores, method="ordinal")))


def _z(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((scores - scores.mean()) / (scores.std() or 1.0))
