"""Works as the pages of a study show them: never where they come from, nor which engine chose them."""

from collections.abc import Iterable
from dataclasses import dataclass

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.pages.templating import plain
from vernissage.pages.works import title_or_text
from vernissage.web.pictures import Pictures

_EXCERPT = 220


@dataclass(frozen=True)
class ShownWork:
    """One work on a page.

    Attributes:
        field: the name of its question in a form.
        label: title, artist and year in one line, for those who do not see the picture.
        picture: whether it has one; a work without is shown by its words.
        thumbnail, large: addresses of the picture; ``address`` of a page with this work alone.
    """

    field: str
    title: str
    by: str
    label: str
    picture: bool
    thumbnail: str
    large: str
    address: str
    text: str
    excerpt: str


def shown_work(item: Item, pictures: Pictures) -> ShownWork:
    """A work as pages show it."""
    name, title = pictures.name(item.id), title_or_text(item)
    by = ", ".join(part for part in (plain(item.artist), plain(item.year)) if part)
    text = plain(item.description or item.text)
    return ShownWork(
        field=rating_field(name),
        title=title,
        by=by,
        label=", ".join(part for part in (title, by) if part),
        picture=bool(item.picture),
        thumbnail=f"/pictures/{name}/thumbnail.jpg",
        large=f"/pictures/{name}/large.jpg",
        address=f"/works/{name}",
        text=text,
        excerpt=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rpartition(' ')[0]} …",
    )


def shown_works(item_ids: Iterable[str], collection: Collection, pictures: Pictures) -> list[ShownWork]:
    """Works by their ids, in that order."""
    return [shown_work(collection[item_id], pictures) for item_id in item_ids]


def rating_field(name: str) -> str:
    """The field of a form in which the work of that opaque name is rated."""
    return f"work-{name}"
