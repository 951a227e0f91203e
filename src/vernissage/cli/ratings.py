"""Ratings as people give them: on the command line, in a table, in JSON."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from vernissage.errors import RatingsError

_ID_COLUMNS = ("id", "item", "item_id", "work", "work_id")
_RATING_COLUMNS = ("rating", "stars", "score", "value")


def collect_ratings(given: Sequence[str], file: Path | None) -> dict[str, float]:
    """All ratings by work id, from ``ID=RATING`` words and from a file.

    Raises:
        RatingsError: a word or row is not understood, a work is rated twice, or nothing was given.
    """
    rows = _read(file) if file is not None else []
    for word in given:
        item_id, sign, rating = word.rpartition("=")
        if not sign or not item_id.strip():
            raise RatingsError(f"the rating {word!r} is not understood; write ID=RATING, for example --rate v012=5")
        rows.append((item_id, rating, f"--rate {word}"))
    ratings: dict[str, float] = {}
    for name, value, place in rows:
        item_id = name.strip()
        if item_id in ratings:
            raise RatingsError(f"{place}: {item_id} is rated twice; give one rating for each work")
        try:
            ratings[item_id] = float(str(value).strip())
        except ValueError:
            raise RatingsError(f"{place}: the rating {value!r} is no number; ratings go from 1 to 5") from None
    if not ratings:
        raise RatingsError("no ratings were given; rate works from 1 to 5 with --rate ID=5 or --ratings FILE")
    return ratings


def _read(file: Path) -> list[tuple[str, object, str]]:
    """Rows of a CSV with columns id and rating, or of JSON: ``{"ID": 5}`` or ``[{"id": …, "rating": 5}]``.

    Returns (id, rating, place in the file) for each.

    Raises:
        RatingsError: the file is missing, or not of these kinds.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RatingsError(
            f"the ratings in {file} cannot be read: {reason}; give a CSV or JSON file in UTF-8"
        ) from error
    if file.suffix.lower() == ".json":
        return _from_json(file, text)
    rows = csv.DictReader(io.StringIO(text))
    names = {name.strip().lower(): name for name in rows.fieldnames or ()}
    item_column = next((names[name] for name in _ID_COLUMNS if name in names), None)
    rating_column = next((names[name] for name in _RATING_COLUMNS if name in names), None)
    if item_column is None or rating_column is None:
        found = ", ".join(names) or "nothing"
        raise RatingsError(f"{file} needs the columns id and rating, but its first line has {found}; rename them")
    return [
        (row[item_column] or "", row[rating_column], f"{file}, line {number}")
        for number, row in enumerate(rows, start=2)
        if any(row.values())
    ]


def _from_json(file: Path, text: str) -> list[tuple[str, object, str]]:
    try:
        rows: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise RatingsError(f"{file} is no JSON (line {error.lineno}: {error.msg}); correct that line") from error
    if isinstance(rows, dict):
        rows = [{"id": item_id, "rating": rating} for item_id, rating in rows.items()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"id", "rating"} <= row.keys() for row in rows):
        raise RatingsError(f'{file} must hold {{"ID": 5, …}} or [{{"id": "ID", "rating": 5}}, …]; change it to that')
    return [(str(row["id"]), row["rating"], f"{file}, entry {number}") for number, row in enumerate(rows, start=1)]
