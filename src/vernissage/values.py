"""Values that every floor speaks: vectors, modalities, rankings, and the contract of an index."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""float32 of shape (n, dim)."""

Scores = npt.NDArray[np.float64]
"""float64 of shape (n,)."""

Scope = Literal["read", "events", "people", "write", "admin"]
"""What a key of the service may do; ``admin`` may everything."""

Modality = str
"""The name of a modality, as it stands in manifests, cards, JSON and names of tasks."""


@dataclass(frozen=True)
class ModalityCard:
    """What is known of one modality.

    Attributes:
        name: the word for it in files, answers and tasks.
        one, many: what people call one of it and several.
        within: the word for it where a search is told what to search.
        read_as: the modality as which encoders read it.
        suffixes: of its files, in lower case; none of a text, which a work's words make.
        formats: in which a file that cannot be read should be saved.
        pictured: whether pages show it as a picture.
    """

    name: Modality
    one: str
    many: str
    within: str
    read_as: Modality
    suffixes: frozenset[str] = frozenset()
    formats: str = ""
    pictured: bool = False


_PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".ppm", ".pgm"}
_PICTURES |= {".pbm", ".pnm", ".jp2", ".j2k", ".avif"} | ({".heic", ".heif"} if find_spec("pillow_heif") else set())
_VIDEOS = {".mp4", ".m4v", ".mov", ".webm"}
_CARDS = (
    ModalityCard("image", "picture", "pictures", "pictures", "image", frozenset(_PICTURES), "JPEG or PNG", True),
    ModalityCard("text", "text", "texts", "text", "text"),
    ModalityCard("video", "video", "videos", "videos", "image", frozenset(_VIDEOS), "MP4 or WebM", True),
)

MODALITY_CARDS: Mapping[Modality, ModalityCard] = MappingProxyType({card.name: card for card in _CARDS})
"""All modalities by name, in the order in which answers list them."""

MODALITIES: tuple[Modality, ...] = tuple(MODALITY_CARDS)

ENCODED: tuple[Modality, ...] = tuple(card.name for card in _CARDS if card.read_as == card.name)
"""What encoders themselves read: pictures and texts."""


_QUERIES_KEPT = 16


def modality_of_file(name: str) -> Modality:
    """What a file of a work is by the end of its name: a picture unless that is another modality's."""
    suffix = posixpath.splitext(name)[1].lower()
    return next((card.name for card in _CARDS if suffix in card.suffixes), "image")


def encoded_as(modalities: Collection[Modality]) -> frozenset[Modality]:
    """As what encoders read these modalities."""
    return frozenset(MODALITY_CARDS[each].read_as for each in modalities)


def readable(modalities: Collection[Modality]) -> tuple[Modality, ...]:
    """Every modality that an encoder reads which reads these, in the order of the register."""
    return tuple(card.name for card in _CARDS if card.read_as in encoded_as(modalities))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Works in order, best first, with their scores: ``item_ids`` (n,) and ``scores`` float64 (n,)."""

    item_ids: tuple[str, ...]
    scores: Scores

    def __len__(self) -> int:
        return len(self.item_ids)

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return zip(self.item_ids, self.scores.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranking):
            return NotImplemented
        return self.item_ids == other.item_ids and np.array_equal(self.scores, other.scores)

    __hash__ = None  # type: ignore[assignment]

    def head(self, n: int) -> "Ranking":
        """The first ``n`` works."""
        return Ranking(self.item_ids[:n], self.scores[:n])


@dataclass(frozen=True)
class Condition:
    """One condition on a column: ``=`` equals, ``!=`` differs, ``~`` contains (all ignoring case), ``< <= > >=``.

    ``catalog.conditions.parse_condition`` reads one from words such as ``year>=1850``.
    """

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"


@dataclass(frozen=True)
class Allow:
    """What may come back from a search. It is data, so that a database can evaluate it as well as an array.

    Attributes:
        exclude: ids that may not; ids that an index lacks are ignored.
        not_owner: whose works may not; None leaves nobody out.
        conditions: what a work's columns must fulfil, all of them.
        only: if given, the only ids that may come back; for callers that chose works by other means.
    """

    exclude: frozenset[str] = frozenset()
    not_owner: str | None = None
    conditions: tuple[Condition, ...] = ()
    only: Set[str] | None = None

    def without(self, item_ids: Collection[str]) -> "Allow":
        """The same, less some works more."""
        return Allow(self.exclude | frozenset(item_ids), self.not_owner, self.conditions, self.only)


EVERYTHING = Allow()


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and second moment of an index's vectors, in double precision.

    For every query q the scores of all works have the mean μ = qᵀm and the variance σ² = qᵀMq − μ², so z-scores need no
    pass over the collection.

    Attributes:
        count: vectors of works that are there.
        mean: m = (1/n) Σ xᵢ, float64 (dim,).
        second: M = (1/n) Σ xᵢxᵢᵀ, float64 (dim, dim).
    """

    count: int
    mean: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]

    def of_scores(self, queries: npt.NDArray[Any]) -> tuple[Scores, Scores]:
        """Mean and standard deviation of the scores of each of ``queries`` (m, dim): float64 (m,) and (m,)."""
        wide = np.atleast_2d(np.asarray(queries, dtype=np.float64))
        if len(wide) == 1:
            return self._of_one(wide.tobytes())
        return self._of(wide)

    @cached_property
    def _of_one(self) -> Callable[[bytes], tuple[Scores, Scores]]:
        # Several engines of one request, and several requests, ask of one work.
        return lru_cache(_QUERIES_KEPT)(lambda query: self._of(np.frombuffer(query)[None, :]))

    def _of(self, wide: npt.NDArray[np.float64]) -> tuple[Scores, Scores]:
        means: Scores = wide @ self.mean
        variances: Scores = np.einsum("me,me->m", wide @ self.second, wide) - means**2
        return means, np.sqrt(np.maximum(variances, 0.0))


@dataclass(frozen=True, eq=False)
class Density:
    """The local density r of each work: its mean cosine to its ten nearest others, as CSLS takes it off similarities.

    With r̄ = ``mean``, the scaled score s = ⟨q,x⟩ − r/2 has the mean μ − r̄/2 and the variance
    σ² + var(r)/4 − (qᵀ·``weighted`` − μ·r̄) over all works, without a pass over them (μ, σ: `Moments`).

    Attributes:
        mean, variance, lowest: of r over all works that are there.
        weighted: (1/n) Σ rᵢxᵢ, float64 (dim,).
        of: from ids of works that are there to r, float64 (n,).
    """

    mean: float
    variance: float
    lowest: float
    weighted: npt.NDArray[np.float64]
    of: Callable[[Sequence[str]], Scores]


class Columns(Protocol):
    """What an index knows of works beside their vectors: owners, and which fulfil conditions."""

    def owners(self, item_ids: Sequence[str]) -> Sequence[str]:
        """The owner of each work; "" where none is known."""
        ...

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which works fulfil all conditions, bool (n,).

        Raises:
            RequestError: a condition names a column that no work has.
        """
        ...


@dataclass(frozen=True)
class IndexCard:
    """What an index is over.

    Attributes:
        encoder: whose vectors.
        fingerprint: of that encoder.
        modality: what of the works was read.
        dim: numbers a vector.
        kind: ``exact``, ``approximate``, or the name of a server.
        exact: whether the true best k come back, in a fixed order; ties go to the smaller id.
        settings: what else a person should know, as JSON values.
    """

    encoder: str
    fingerprint: str
    modality: str
    dim: int
    kind: str = "exact"
    exact: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Index(Protocol):
    """Nearest neighbours by inner product: all that a recommender may ask of a collection's vectors."""

    def __len__(self) -> int:
        """How many works are there."""
        ...

    def __contains__(self, item_id: object) -> bool: ...

    @property
    def card(self) -> IndexCard: ...

    def search(self, queries: npt.NDArray[Any], k: int, allow: Allow = EVERYTHING) -> list[Ranking]:
        """For each of ``queries`` (m, dim) the ``k`` works of the highest inner product; exactly k where so many are.

        k + 1 extend k. Works that are left out are passed over inside the search. Ties go to the smaller id.

        Raises:
            RequestError: k is below 1, a query is not finite or of another dimension, or a condition names a column
                that no work has.
        """
        ...

    def vectors_of(self, item_ids: Sequence[str]) -> Vectors:
        """Vectors of works in that order, float32 (n, dim). Raises UnknownItemError: a work has no vector here."""
        ...

    def moments(self) -> Moments:
        """Moments of all vectors that are there, whatever a request leaves out."""
        ...

    def count(self, allow: Allow = EVERYTHING) -> int:
        """How many works may come back."""
        ...

    def density(self) -> "Density":
        """How crowded the surroundings of each work are; worked out once for each snapshot."""
        ...


@runtime_checkable
class WritableIndex(Index, Protocol):
    """An index whose works come and go. Each change answers with the next snapshot; this one stays as it is."""

    @property
    def item_ids(self) -> Sequence[str]:
        """The works that are there."""
        ...

    def owner_of(self, item_id: str) -> str:
        """Whose work that is; "" where no owner is known. Raises UnknownItemError: it is not there."""
        ...

    def add(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> "WritableIndex":
        """The next snapshot with more works.

        Raises:
            RequestError: a work is there already, or vectors, ids and owners do not fit together.
        """
        ...

    def remove(self, item_ids: Sequence[str]) -> "WritableIndex":
        """The next snapshot without some works. Raises UnknownItemError: a work is not there."""
        ...
