"""Which column of a museum's table means what: as people say, by its name, by parts of its name, by its cells."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache, partial
from pathlib import Path

from vernissage.catalog.words import holds_words, is_address
from vernissage.errors import CollectionError
from vernissage.files import read_regular, read_word_lists, write_json
from vernissage.folding import folded
from vernissage.shapes import json_values, misfit

_WORDS = read_word_lists(Path(__file__).with_name("column_words.txt"))
_IS = {name.removeprefix("is "): words for name, words in _WORDS.items() if name.startswith("is ")}
_VIEWS, _BESIDE = ("leads", "order"), ("language", "year_from", "year_to")
NAMES = {meaning: names for meaning, names in _IS.items() if meaning not in (*_VIEWS, *_BESIDE)}
"""Whole names of columns by field, in the order of priority and the form that `plain_name` gives."""

_PREFIX = re.compile(
    r"^(?:dublin core|dc|dcterms|dct|dce|schema|edm|vra|foaf|rdfs|skos|crm|lido|xmp|xmp-dc|iptc|exif|o|bibo)[:.] ?",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"\[(?:[a-z]{2}|\d+)\]$|@[a-z]{2}$|LangAware$", re.IGNORECASE)
_ID_NAMES = frozenset(NAMES["id"] + NAMES["owner"] + NAMES["licence"] + NAMES["picture"])


def plain_name(column: str) -> str:
    """A column's name without case, accents, blanks, hyphens and underscores: "Künstler-Name" is "kunstlername"."""
    stripped = _LANGUAGE.sub("", _PREFIX.sub("", column.strip()))
    return "".join(letter for letter in folded(stripped) if letter.isalnum())


def candidates(columns: Sequence[str]) -> dict[str, list[int]]:
    """The columns that could hold each field of a work, by position, the likeliest first."""
    plain = [plain_name(column) for column in columns]
    return {meaning: [plain.index(name) for name in names if name in plain] for meaning, names in NAMES.items()}


def _likeliest(meanings: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    plain = [plain_name(column) for column in columns]
    found = ((meaning, next((name for name in _IS[meaning] if name in plain), None)) for meaning in meanings)
    return {meaning: plain.index(name) for meaning, name in found if name is not None}


beside = partial(_likeliest, _BESIDE)
"""The columns of languages and of first and last years, by position; they are attributes as well."""
view_columns = partial(_likeliest, _VIEWS)
"""The columns that say which of the pictures of a work leads (``leads``) and how they follow (``order``)."""


def picture_columns(
    columns: Sequence[str], sample: Callable[[int], Sequence[str]], places: Mapping[str, int]
) -> tuple[int, ...]:
    """The columns that name pictures of a work, the leading one first: image1, image2, recto, verso.

    Further ones hold names of files in most of their cells, or addresses if they are numbered or called further ones.
    None says that it holds the same picture in another size.
    """
    if "picture" not in places:
        return ()
    leading = places["picture"]
    base = re.sub(r"\d+", "", plain_name(columns[leading]))
    found = [leading]
    for place, column in enumerate(columns):
        cells, words = sample(place), _words(column)
        if place in places.values() or words & _SAME_PICTURE or _share(cells, _PICTURE_NAME.search) <= 0.5:
            continue
        numbered = re.sub(r"\d+", "", plain_name(column)) == base
        if numbered or words & _FURTHER or _share(cells, is_address) < 0.5:
            found.append(place)
    return tuple(found)


def repeated_id(columns: Sequence[str], cells: Callable[[int], Sequence[str]], places: Mapping[str, int]) -> int | None:
    """The column of ids that stand in several rows, one for each picture; None where a table has ids or no such column.

    Its name says so or nothing else, its cells are all filled, and rows with equal cells have equal titles.
    """
    if "id" in places or "title" not in places or "picture" not in places:
        return None
    titles = cells(places["title"])
    for place, column in enumerate(columns):
        words = _words(column)
        if place in places.values() or not (_head("id", words) or words <= _NEUTRAL) or words & _FORBIDDEN["id"]:
            continue
        found = cells(place)
        distinct = set(found)
        if all(found) and 1 < len(distinct) == len(set(zip(found, titles, strict=True))) and _is_short(found):
            return place
    return None


def recognised(columns: Sequence[str]) -> int:
    """How many fields of a work the names of these columns give, whole or by a part."""
    names = [column for column in columns if len(column) <= _LONG]
    exact, words = candidates(names), [_words(column) for column in names]
    parts = (meaning for meaning in _HEADS if any(_head(meaning, each) for each in words))
    return len({*(meaning for meaning, found in exact.items() if found), *parts})


def names_no_words(column: str) -> bool:
    """Whether the name says that its cells are addresses, ids, rights, measures or administration."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    parts = re.split(r"[\W_]+", spaced.casefold())
    named = [part for part in parts if part] or [""]
    wordless = named[-1] in _WORDS["no words at end"] or named[0] in _WORDS["no words at start"]
    if wordless or plain_name(column) in _ID_NAMES:
        return True
    administration = _WORDS["administration"]
    return any(word in administration for word in _words(column)) or any(
        not word.isascii() and word in folded(column) for word in administration
    )


_HEADS = {name: words for name, words in _WORDS.items() if name in NAMES or name == "name"}
_NEUTRAL, _STARTS, _ENDS = (frozenset(_WORDS[name]) for name in ("neutral", "starts", "ends"))
_SAME_PICTURE, _REDUCED, _FURTHER = (frozenset(_WORDS[name]) for name in ("same picture", "reduced", "further"))
_FORBIDDEN = {name: frozenset((*_WORDS["not"], *_WORDS.get(f"not {name}", ()))) for name in _HEADS}
_OTHER_TIMES = {"artist": _WORDS["life"], "year": (*_WORDS["life"], *_WORDS["not year"])}
"""What forbids by the beginning of a word as well, as in "birthyear"; by any part in other scripts."""

OPTIONAL = frozenset({"name", "language", "year_from", "year_to"})
"""Fields whose columns are kept as attributes as well."""

FIELDS = frozenset(NAMES) | OPTIONAL
"""What a column can be named to give, see `TableOptions.columns`."""

_PICTURE_NAME = re.compile(
    r"\.(?:jpe?g|png|gif|tiff?|webp|bmp|jp2|heic|svg)(?:[?#].*)?$|/full/|\.(?:jpe?g|png)\b", re.IGNORECASE
)
_YEARS = re.compile(r"\D{0,14}(?:1\d{3}|20[0-2]\d)\b.{0,16}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ](?!00:00)\d\d:\d\d")
_LONG = 60


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table is to be read, where a person says so; what is empty is guessed.

    Attributes:
        columns: field (see `FIELDS`) → the column that gives it; an empty one says that none does.
        encoding: of a text, as people name it.
        text_columns: columns that feed the texts that encoders read (True), or do not (False); the others do where
            their names and cells speak of the work.
        pictures: the folder below which the pictures lie if that is not the table's own.
        mapping: a mapping by its name or its file's path, which then gives all fields but those in ``columns``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    text_columns: Mapping[str, bool] = field(default_factory=dict)
    pictures: str = ""
    mapping: str = ""

    def over(self, before: "TableOptions") -> "TableOptions":
        """These options, and those of ``before`` where these say nothing."""
        return TableOptions(
            columns={**before.columns, **self.columns},
            encoding=self.encoding or before.encoding,
            text_columns={**before.text_columns, **self.text_columns},
            pictures=self.pictures or before.pictures,
            mapping=self.mapping or before.mapping,
        )

    def save(self, path: Path) -> None:
        """Write the options as JSON, which a person may edit; without any, no file is left."""
        if self == TableOptions():
            path.unlink(missing_ok=True)
        else:
            write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "TableOptions":
        """Read what `save` wrote, or an object of fields and columns alone.

        Raises:
            CollectionError: the file is missing, is no JSON, or has unknown entries.
        """
        try:
            content = json_values(read_regular(path).removeprefix(b"\xef\xbb\xbf"))
            known = isinstance(content, dict) and content.keys() <= {each.name for each in fields(cls)}
            if wrong := misfit(content, cls if known else Mapping[str, str]):
                raise ValueError(wrong)
            options = cls(**content) if known else cls(columns=content)
        except (OSError, ValueError) as error:
            raise CollectionError(
                f"{path} does not say how a table is read ({error}); write a JSON "
                f'object of fields and columns, as {{"title": "nom_objet"}}'
            ) from error
        return options


@dataclass(frozen=True)
class Place:
    """Where a field stands, and why it is thought to stand there."""

    column: int
    reason: str


def understand(
    columns: Sequence[str], sample: Callable[[int], Sequence[str]], unique: Callable[[int], bool], options: TableOptions
) -> dict[str, Place]:
    """The column of each field that a table gives: as people say, else by its name, parts of it, or its cells.

    ``sample`` gives some filled cells of a column, ``unique`` whether all its cells are filled and different. The
    field ``name``, what a thing is called, is the title where no column gives one.

    Raises:
        CollectionError: there is no such field or column.
    """
    places = _named(columns, options)
    refused = {meaning for meaning, column in options.columns.items() if not column}
    _place_by_name(columns, sample, places)
    for meaning in _HEADS:
        if meaning not in places or not sample(places[meaning].column):
            _place_by_parts(meaning, columns, sample, unique, places)
    _place_by_cells(columns, sample, unique, places)
    shown = [place for place, name in enumerate(columns) if plain_name(name) == "displayname"]
    if "title" in places and "artist" not in places and shown and places["title"].column != shown[0]:
        places["artist"] = Place(shown[0], "a displayed name beside a title")
    if "name" in places and "title" not in places and "title" not in refused:
        places["title"] = places.pop("name")
    return {meaning: place for meaning, place in places.items() if meaning not in refused}


def _place_by_name(columns: Sequence[str], sample: Callable[[int], Sequence[str]], places: dict[str, Place]) -> None:
    """Place fields by whole names: the likeliest column that any row fills, else the likeliest."""
    for meaning, named in candidates(columns).items():
        found = [place for place in named if place not in _taken(places)]
        if meaning == "year":
            found = [place for place in found if not _is_stamp(columns[place], sample(place))]
        if meaning == "picture":
            chosen = _picture_first(found, sample)
        else:
            chosen = next(filter(sample, found), found[0] if found else None)
        if chosen is not None and meaning not in places:
            places[meaning] = Place(chosen, "its name")


def _place_by_cells(
    columns: Sequence[str],
    sample: Callable[[int], Sequence[str]],
    unique: Callable[[int], bool],
    places: dict[str, Place],
) -> None:
    """Place what cells alone tell: short and all different, names of pictures, years, long texts."""
    tests: Sequence[tuple[str, str, Callable[[int], bool]]] = (
        ("id", "its cells are short and all different", lambda place: unique(place) and _is_short(sample(place))),
        ("picture", "its cells name pictures", lambda place: _share(sample(place), _PICTURE_NAME.search) > 0.5),
        ("year", "its cells are years", lambda place: _share(sample(place), _YEARS.fullmatch) > 0.8),
        ("description", "its cells are long texts", lambda place: _is_prose(sample(place))),
    )
    for meaning, reason, fits in tests:
        free = [place for place in range(len(columns)) if place not in _taken(places) and sample(place)]
        if meaning == "year":
            free = [place for place in free if not _is_forbidden(meaning, columns[place])]
            free = [place for place in free if not _is_stamp(columns[place], sample(place))]
        if meaning not in places and (place := next(filter(fits, free), None)) is not None:
            places[meaning] = Place(place, reason)


def speaking(columns: Sequence[str], options: TableOptions) -> dict[int, bool]:
    """The columns that a person lets feed the texts, or keeps out of them.

    Raises:
        CollectionError: there is no such column.
    """
    chosen = {}
    for column, spoken in options.text_columns.items():
        if (place := _called(column, columns)) is None:
            raise CollectionError(
                f"--text-column names {column!r}, but there is no such column (columns: {', '.join(columns)})"
            )
        chosen[place] = spoken
    return chosen


def _called(name: str, columns: Sequence[str]) -> int | None:
    """The column of that name, or else the first of that plain name."""
    plain = columns if name in columns else list(map(plain_name, columns))
    wanted = name if name in columns else plain_name(name)
    return plain.index(wanted) if wanted in plain else None


def _named(columns: Sequence[str], options: TableOptions) -> dict[str, Place]:
    places = {}
    for meaning, column in options.columns.items():
        if meaning not in FIELDS:
            raise CollectionError(
                f"a column was named for {meaning!r}, which no work has; name one for {', '.join(sorted(FIELDS))}"
            )
        place = _called(column, columns) if column else None
        if place is not None:
            places[meaning] = Place(place, "as you said")
        elif column:
            raise CollectionError(
                f"{meaning} was to come from the column {column!r}, but there is none of that name (columns: "
                f"{', '.join(columns)}); name one of these, or none with --column {meaning}="
            )
    return places


def _taken(places: Mapping[str, Place]) -> set[int]:
    return {place.column for place in places.values()}


def _picture_first(found: Sequence[int], sample: Callable[[int], Sequence[str]]) -> int | None:
    """The column with names of picture files, else the first with anything but addresses, else the first."""
    named = {place: [cell for cell in sample(place) if not is_address(cell)] for place in found}
    files = (place for place in found if any(map(_PICTURE_NAME.search, named[place])))
    others = (place for place in found if named[place] or not sample(place))
    return next(files, next(others, found[0] if found else None))


def _place_by_parts(
    meaning: str,
    columns: Sequence[str],
    sample: Callable[[int], Sequence[str]],
    unique: Callable[[int], bool],
    places: dict[str, Place],
) -> None:
    """Place the field by the likeliest column of those that have a word for it in their name and cells that fit."""
    ranked = []
    for place, column in enumerate(columns):
        if place in _taken(places):
            continue
        words = _words(column)
        found = _head(meaning, words)
        if found is None or _is_forbidden(meaning, column) or (meaning == "year" and words & _ENDS):
            continue
        head, heads = found
        strange = bool(words - heads - _NEUTRAL)
        others = ("artist", "picture", "medium") if meaning in {"name", "title"} else ()
        if not (meaning == "name" and strange) and not any(_head(other, words) for other in others):
            later = bool(words & _STARTS) if meaning == "year" else meaning == "picture" and bool(words & _REDUCED)
            ranked.append((later, strange, _HEADS[meaning].index(head), place, head))
    for *_, place, head in sorted(ranked):
        if _fits(meaning, sample(place), unique(place)):
            places[meaning] = Place(place, f"a part of its name, {head}")
            return


@lru_cache(maxsize=8192)  # a table's first cells are asked about again for every separator and every field
def _head(meaning: str, words: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    """The first of the field's words that a column's name has, and all words of the name that say it."""
    hits = [(head, word) for head in _HEADS[meaning] for word in words if _says(word, head)]
    return (hits[0][0], frozenset(word for _, word in hits)) if hits else None


def _is_stamp(column: str, cells: Sequence[str]) -> bool:
    """Whether a column called created says when records were, to the minute, rather than works."""
    return plain_name(column).startswith("created") and _share(cells, _STAMP.match) > 0.5


def _is_forbidden(meaning: str, column: str) -> bool:
    """Whether a column's name says that it is not of this field: "birthyear", "Zugangsjahr", "생년"."""
    words = _words(column)
    if meaning == "artist" and column.endswith(".title"):
        words -= {"title"}  # what APIs call the name of anything
    times = _OTHER_TIMES.get(meaning, ())
    return bool(words & _FORBIDDEN[meaning]) or any(
        time in word if not time.isascii() else word == time or (len(time) > 3 and word.startswith(time))
        for time in times
        for word in words
    )


def _says(word: str, head: str) -> bool:
    """Whether a word is the head, its plural, or a compound that ends or begins with it."""
    if word == head or (not head.isascii() and len(head) > 1 and head in word):
        return True
    if len(head) < 4:
        return False
    return (word.startswith(head) and len(word) <= len(head) + 2) or (len(head) > 4 and word.endswith(head))


_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=8192)
def _words(column: str) -> frozenset[str]:
    """The words of a column's name, folded, as of "auteur_objet" and "displayName"; Arabic ones without article."""
    bare = _LANGUAGE.sub("", _PREFIX.sub("", column.strip()))
    parts = re.split(r"[\W_]+", folded(_CAMEL.sub(" ", bare)))
    return frozenset(part.removeprefix("ال") for part in parts if part and not part.isdecimal())


def _fits(meaning: str, cells: Sequence[str], unique: bool) -> bool:
    """Whether filled cells could be what the name of their column promises."""
    if not cells:
        return False
    if meaning == "id":
        return unique and max(map(len, cells)) <= _LONG and _share(cells, holds_words) < 0.5
    if meaning == "picture":
        return _share(cells, _PICTURE_NAME.search) > 0.5
    if meaning == "year":
        return sum(map(len, cells)) <= 80 * len(cells) and _share(cells, is_address) < 0.5
    return _share(cells, holds_words) > 0.5


def _share(cells: Sequence[str], fits: Callable[[str], object]) -> float:
    return sum(bool(fits(cell)) for cell in cells) / len(cells) if cells else 0.0


def _is_short(cells: Sequence[str]) -> bool:
    return all(len(cell) <= 40 and cell.count(" ") < 3 for cell in cells) and _share(cells, _HAS_DIGIT.search) > 0.8


_HAS_DIGIT = re.compile(r"\d")


def _is_prose(cells: Sequence[str]) -> bool:
    """Long texts, most of them different: eighty letters on average, forty in scripts that take fewer."""
    length = sum(map(len, cells)) / len(cells)
    spaced = sum(cell.count(" ") for cell in cells) / len(cells)
    wide = _share(cells, lambda cell: ord(cell[0]) > 0x3000) > 0.5
    return len(set(cells)) > 0.5 * len(cells) and ((length > 80 and spaced > 8) or (wide and length > 40))
