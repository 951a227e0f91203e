"""A person's areas of interest in a workspace: printed, as JSON, as a page, and changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.area_edits import EditWords, edits_from, keep_edits, key_of, take_back
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.owners import AreaWords, engine_words, found_interests, interest_notes, opened_holdings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.profiles.interests import Interests
    from vernissage.values import Modality
    from vernissage.workspace.holdings import Holdings
    from vernissage.workspace.profiling import OwnerInterests

_EXAMPLES = 3


@dataclass(frozen=True)
class Wish:
    """What is asked of a person's areas: how they are found, what is to change, and what to make of them."""

    encoder: str | None
    words: AreaWords
    edits: EditWords
    undo: bool
    as_json: bool
    html: Path | None


def show_owner_areas(workspace: Path, owner: str, wish: Wish, database: str | None) -> None:
    """Change a person's areas as asked, and show them as they are then."""
    with opened_holdings(workspace, database, writing=bool(wish.edits) or wish.undo) as holdings:
        found = found_interests(holdings, owner, wish.encoder, wish.words)
        if wish.undo:
            note(f"Taken back: {take_back(holdings, owner)}")
        if wish.edits:
            keep_edits(holdings, owner, edits_from(wish.edits, found.profile))
        if wish.undo or wish.edits:
            found = found_interests(holdings, owner, found.encoder, wish.words)
        notes = interest_notes(found, holdings.workspace.modalities(found.encoder), chosen=wish.encoder is not None)
        for line in notes:
            note(f"note: {line}")
        if wish.html is not None:
            _write_page(wish.html, holdings, found, notes)
        if wish.as_json:
            print_json(_as_json(found))
        else:
            _print(found)


def _print(found: "OwnerInterests") -> None:
    for modality, side in found.sides.items():
        total = float(side.side.weights.sum()) or 1.0
        rows = [
            [
                key_of(modality, number),
                side.side.names[number],
                str(len(area)),
                f"{side.side.weights[number] / total:.0%}" if side.side.weights[number] else "muted",
                _examples(found, side, number),
            ]
            for number, area in enumerate(side.side.areas)
        ]
        print_table(["area", "name", "uploads", "weight", "such as"], rows, numbers=["uploads", "weight"])
        kind = {"image": "picture", "text": "text"}[modality] + "s" * (len(side.side) != 1)
        say(f"{len(side.side)} {kind} of {found.owner} in {len(rows)} area{'s' * (len(rows) != 1)}, by {found.encoder}")
        say("")


def _examples(found: "OwnerInterests", side: "Interests", number: int) -> str:
    from vernissage.pages.areas import typical
    from vernissage.pages.works import title_or_text

    ids = [side.side.item_ids[row] for row in typical(side.side, number, _EXAMPLES)]
    return ", ".join(f"{title_or_text(found.items[item_id])} ({item_id})" for item_id in ids)


def _as_json(found: "OwnerInterests") -> dict[str, Any]:
    return {
        "owner": found.owner,
        "encoder": found.encoder,
        "works": len(found.items),
        "areas": [
            _area_as_json(modality, side, number)
            for modality, side in found.sides.items()
            for number in range(len(side.side.areas))
        ],
        "unread": list(found.unread),
        "lapsed": [
            {"edit": each.edit.kind, "modality": each.edit.modality, "uploads": list(each.edit.anchors)}
            | {"reason": each.reason}
            for each in found.lapsed
        ],
    }


def _area_as_json(modality: "Modality", side: "Interests", number: int) -> dict[str, Any]:
    area, weight = side.side.areas[number], float(side.side.weights[number])
    return {
        "area": key_of(modality, number),
        "modality": modality,
        "name": side.side.names[number],
        "named_by": side.naming[number].by,
        "size": len(area),
        "weight": weight,
        "muted": weight == 0,
        "medoid": side.side.item_ids[area.medoid],
        "members": [side.side.item_ids[row] for row in area.members],
    }


def _write_page(html: Path, holdings: "Holdings", found: "OwnerInterests", notes: "Sequence[str]") -> None:
    from vernissage.files import write_bytes
    from vernissage.pages.areas import areas_page

    with progress_bars() as progress:
        page = areas_page(
            found,
            holdings.picture_path,
            title=holdings.workspace.collection_name,
            engine=engine_words(found, holdings.workspace.modalities(found.encoder)),
            notes=notes,
            progress=progress,
        )
    write_bytes(html, page.encode())
    note(f"Page written: {html}")
