"""The answer of ``search --mixed``: pictures and texts in one list."""

from typing import Any

from vernissage.cli.output import print_json, print_table
from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.values import Modality
from vernissage.workspace.workspace import Workspace

_USUAL_COUNT = 9
_BOTH: tuple[Modality, Modality] = ("image", "text")
_IN_WORDS = {"image": "picture", "text": "text"}


def search_mixed(
    opened: Workspace,
    text: str,
    encoder: str,
    method: Any,
    n: int | None,
    among: frozenset[str] | None,
    *,
    as_json: bool,
) -> None:
    """Print what goes best with ``text``, of pictures and texts; a work may come as both.

    Raises:
        RequestError: the encoder does not read both or knows none of the words, or fewer than ``n`` are there.
    """
    index, model = opened.mixed_index(encoder), opened.encoder(encoder)
    if not isinstance(model, TextEncoder):
        raise RequestError(f"{encoder} does not read texts; search with aligned, or an encoder of both modalities")
    query = model.encode_texts([text])[0]
    if not query.any():
        raise RequestError(f"{encoder} knows none of the words in {text!r}; try words that stand in the works' texts")
    count = _count(opened, encoder, n, among)
    found = index.search(query, "text", count, method=method, among=among)
    items = [opened.collection[item_id] for item_id in found.item_ids]
    if as_json:
        works = [
            {"id": item.id, "modality": modality, "score": score, "title": item.title, "artist": item.artist}
            for item, (_, modality, score) in zip(items, found, strict=True)
        ]
        print_json({"encoder": encoder, "modality": "mixed", "method": method, "query": text, "works": works})
        return
    rows = [
        [str(rank), item.id, _IN_WORDS[modality], item.title or "untitled", item.artist, item.year, f"{score:.4f}"]
        for rank, (item, (_, modality, score)) in enumerate(zip(items, found, strict=True), start=1)
    ]
    print_table(["", "id", "found as", "title", "artist", "year", "score"], rows, numbers=["", "score"])


def _count(opened: Workspace, encoder: str, n: int | None, among: frozenset[str] | None) -> int:
    """How many pictures and texts to answer with; fewer than were asked for would be no answer."""
    works = [item_id for modality in _BOTH for item_id in opened.table(encoder, modality).item_ids]
    there = sum(1 for item_id in works if among is None or item_id in among)
    if there == 0:
        raise RequestError("no picture or text fits the conditions; loosen them, or choose another encoder")
    if n is not None and not 1 <= n <= there:
        raise RequestError(f"{n} works were asked for, but {there} pictures and texts are there; ask for 1 to {there}")
    return n if n is not None else min(_USUAL_COUNT, there)
