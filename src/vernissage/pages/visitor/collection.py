"""The collection as a grid of pictures edge to edge."""

from collections.abc import Mapping, Sequence
from typing import Any

from vernissage.pages.visitor.frame import Frame, rendered


def collection_page(
    frame: Frame,
    works: Sequence[Mapping[str, Any]],
    *,
    total: int | None = None,
    more: str = "",
    q: str = "",
    sort: str = "mixed",
) -> str:
    """The page with ``works``, records with addresses; ``more`` is where the next ones are, empty for none."""
    return rendered("collection.html", frame, works=list(works), total=total, more=more, q=q, sort=sort)
