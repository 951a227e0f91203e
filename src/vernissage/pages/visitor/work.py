"""One work: its pictures large, what is known of it, and works like it by kinds of likeness."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vernissage.catalog.credits import credit_of
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.gallery import Gallery
from vernissage.gallery.likeness import KINDS_OF_LIKENESS, likeness
from vernissage.pages.addresses import Addressed
from vernissage.pages.iiif import rights_address
from vernissage.pages.templating import plain
from vernissage.pages.visitor.frame import Frame, rendered
from vernissage.sentences import Sentence

HEADINGS: Mapping[str, Sentence] = {
    "artist": Sentence("By the same hand"),
    "look": Sentence("Looks alike"),
    "subject": Sentence("On the same subject"),
    "text": Sentence("Described in like words"),
    "place": Sentence("From the same place"),
    "period": Sentence("From the same time"),
    "": Sentence("Works like this one"),
}
"""What lists of works like one are headed by, by kinds of likeness in the order of the page."""

_UNSAID = frozenset({"artist", "period"})
"""Kinds of which every work's own label says why it is in the list."""

_TELLING = frozenset({"colours and textures", "forms and motifs"})
"""What engines look at that says more of a picture than that it looks alike."""

_MOST = 2


@dataclass(frozen=True)
class Fact:
    """A line on a work, such as its medium; ``link`` leads to works of the same value, empty for none."""

    label: str
    value: str
    link: str = ""


def facts_of(item: Item, places: Sequence[str], link: Callable[[str, str], str] = lambda _, __: "") -> list[Fact]:
    """What is known of a work beside title, artist, date and text.

    Args:
        item: the work.
        places: the attributes that say where works are from.
        link: from a facet and a value to where works of that value are; empty for nowhere.
    """
    from_where = [plain(item.attributes[each]) for each in places if item.attributes.get(each, "").strip()]
    facts = [Fact(Sentence("Medium"), plain(item.medium), link("medium", item.medium))]
    facts += [Fact(Sentence("Place"), each, link("place", each)) for each in from_where[:1]]
    facts += [Fact(Sentence("Group"), plain(item.group), link("group", item.group))]
    facts += [Fact(Sentence("Keywords"), ", ".join(item.keywords)), Fact(Sentence("Credit"), credit_of(item))]
    return [*facts, Fact(Sentence("Rights"), plain(item.licence), rights_address(item.licence))]


def lists_like(
    gallery: Gallery, beside: Addressed, item: Item, n: int, per: Mapping[str, int] = MappingProxyType({})
) -> dict[str, list[dict[str, Any]]]:
    """Records of ``n`` works like one by each kind of likeness; where none is known, by the usual engine.

    ``per`` is as in `Gallery.similar`.
    """
    answer = beside.answer(likeness(gallery, item.id, KINDS_OF_LIKENESS, n, per=per, pooled=False))
    lists = {each["by"]: each["works"] for each in answer["kinds"] if each["works"]}
    if lists:
        return lists
    try:
        return {"": beside.answer(gallery.similar(item.id, n, per=per))["works"]}
    except RequestError:  # without vectors nothing is like anything
        return {}


def work_page(
    frame: Frame,
    work: Mapping[str, Any],
    *,
    pictures: Sequence[Mapping[str, Any]] = (),
    facts: Sequence[Fact] = (),
    lists: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    artist_link: str = "",
) -> str:
    """The page of ``work``, a record with addresses.

    Args:
        frame: what stands around it.
        work: the record.
        pictures: all of its pictures, the leading one first, as records' thumbnails.
        facts: lines on it.
        lists: works like it with reasons, by kinds of likeness; those that are empty are left out.
        artist_link: where works of the same artist are; empty for nowhere.
    """
    known = lists or {}
    shown = [_shown(name, heading, list(known.get(name, ())), work) for name, heading in HEADINGS.items()]
    told = [{"label": each.label, "value": each.value, "link": each.link} for each in facts if each.value]
    given: dict[str, Any] = {"work": dict(work), "pictures": list(pictures), "artist_link": artist_link}
    return rendered("visitor/work.html", frame, facts=told, lists=[each for each in shown if each["works"]], **given)


def _shown(kind: str, heading: str, works: list[Mapping[str, Any]], of: Mapping[str, Any]) -> dict[str, Any]:
    """A list as its template takes it; what is the same of all works is said once, beside the heading."""
    why = {each["id"]: _why(kind, each, of) for each in works}
    first = next(iter(why.values()), [])
    return {
        "heading": heading,
        "works": works,
        "why": why,
        "all": first if [*why.values()] == [first] * len(why) else [],
    }


def _why(kind: str, work: Mapping[str, Any], of: Mapping[str, Any]) -> list[str]:
    """Why a work is in a list, in words of what both share; what its heading and its label say is not said again."""
    if kind in _UNSAID:
        return []
    if not kind and work["artist"] and work["artist"] == of["artist"]:
        return [HEADINGS["artist"]]
    seen = dict.fromkeys(reason["by_software"] for reason in work["reasons"] if reason.get("by_software"))
    if seen:
        return [Sentence("both seem to show: {tag} (by software)", tag=", ".join(seen))]
    said = [reason["words"] for reason in work["reasons"] if reason["kind"] == "field" and reason["words"]]
    if said or kind != "look":
        return said[:_MOST]
    engines = sorted((each for each in work["reasons"] if each["kind"] == "engine"), key=lambda each: -each["share"])
    return [each["title"] for each in engines[:1] if each["title"] in _TELLING]
