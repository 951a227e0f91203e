"""The collection as a grid of pictures edge to edge, with a search, filters, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vernissage.gallery.facets import Facet, FacetValue
from vernissage.pages.visitor.frame import Frame, rendered
from vernissage.sentences import Sentence

SORTS: Mapping[str, Sentence] = {
    "mixed": Sentence("Mixed"),
    "title": Sentence("Title"),
    "artist": Sentence("Artist"),
    "year": Sentence("Oldest first"),
    "-year": Sentence("Newest first"),
}
"""The orders that visitors choose from, by their names in addresses."""


@dataclass(frozen=True)
class Chosen:
    """A filter that is set: its facet, its value, and where the page without it is."""

    facet: Facet
    value: FacetValue
    without: str


@dataclass(frozen=True)
class Asked:
    """What a visitor has asked the collection for: words, filters, an order; and where the same is without words."""

    q: str = ""
    chosen: tuple[Chosen, ...] = ()
    sort: str = "mixed"
    without_words: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether it is not the whole collection."""
        return bool(self.q or self.chosen)

    def value_of(self, facet: Facet) -> str:
        """The value that is set of a facet; empty for none."""
        return next((each.value.value for each in self.chosen if each.facet.name == facet.name), "")


def collection_page(
    frame: Frame,
    works: Sequence[Mapping[str, Any]],
    *,
    total: int | None = None,
    more: str = "",
    asked: Asked | None = None,
    facets: Sequence[Facet] = (),
    met: Mapping[str, str] | None = None,
    related: str = "",
    notes: Sequence[str] = (),
) -> str:
    """The page with ``works``, records with addresses.

    Args:
        frame: what stands around it.
        works: records with addresses.
        total: how many works there are in all, where that is known.
        more: where the works that follow are; empty for none.
        asked: what the works were asked for by; without it there is no form, as in pages that are files.
        facets: what can be filtered by.
        met: for works that a search found, by ids: their words around those that were met, which have asterisks.
        related: the id of the first work that a search found by its meaning alone.
        notes: on the search.
    """
    given: dict[str, Any] = {"works": list(works), "total": total, "more": more, "notes": list(notes)}
    told = {"sorts": dict(SORTS), "facets": facets, "asked": asked, "met": dict(met or {}), "related": related}
    return rendered("visitor/collection.html", frame, **given, **told)
