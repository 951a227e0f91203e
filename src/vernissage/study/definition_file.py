"""The file that defines a study: written to begin with, and read, with messages that name key and line."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_args

from vernissage.analysis.long_table import KEYS, NO_RATINGS
from vernissage.catalog.collection import Collection
from vernissage.errors import Kind, StudyError
from vernissage.files import write_bytes
from vernissage.study.definition import (
    AGREEMENT,
    GENDERS,
    LIKING,
    STATEMENTS,
    AttentionRule,
    Completion,
    Definition,
    Elicitation,
    ElicitationMethod,
    Statement,
    Texts,
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_STATEMENT = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TEMPLATE = files("vernissage.study") / "template.toml"
USUAL_ENGINES = ("late-zscore", "lda", "colour-texture")
_MOST_ENGINES = 4
_OPTIONAL_TEXTS = ("elicitation", "assessment", "thanks")
_MOST_SEED = 2**63 - 1
_T = TypeVar("_T", bound=str)


REPLACE = "REPLACE THIS"
"""Placeholder in texts that only the experimenter can write; `plan_notes` names those that are left."""


def write_template(file: Path, engines: Sequence[str] = USUAL_ENGINES, collection: Collection | None = None) -> None:
    """Write a definition to begin with, for some of the engines of a workspace and its collection where that is given.

    Raises:
        StudyError: the file is there already.
    """
    if file.exists():
        raise StudyError(f"{file} is there already; choose another name, or delete it first", kind=Kind.CONFLICT)
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem).strip("-")
    # Fusions stand last, and are what a study is most likely about.
    chosen = engines if len(engines) <= _MOST_ENGINES else [*engines[:2], *engines[-2:]]
    groups = list(collection.groups)[:9] if collection is not None else []
    works = 9 if collection is None else min(9, max(1, len(collection) // 4))
    content = definition_template(
        file.name, name=name or "study", engines=chosen, groups=groups if len(groups) > 1 else (), works=works,
        asked=works,
    )  # fmt: skip
    write_bytes(file, content.encode())


def definition_template(
    file: str, *, name: str, engines: Sequence[str], groups: Sequence[str] = (), works: int = 9, asked: int = 9
) -> str:
    """The text of a definition file.

    Args:
        file: how the file is called, for its comments.
        name: the study's id, and its title.
        engines: words for the engines to compare.
        groups: what the elicitation draws one work of each from; none sets the method ``coverage``.
        works: how many works each list has.
        asked: how many works participants rate; as many as there are groups, where there are.
    """
    drawn = f"groups = {_toml(list(groups))}\n" if groups else ""
    return _TEMPLATE.read_text("utf-8").format(
        file=file,
        id=_toml(name),
        title=_toml(name.replace("-", " ").replace("_", " ").capitalize()),
        engines=_toml(list(engines)),
        works=works,
        attention=_toml("repeated-showings"),
        genders=_toml(list(GENDERS)),
        labels=_toml(list(AGREEMENT)),
        replace=REPLACE,
        method=_toml("groups" if groups else "coverage"),
        asked=len(groups) or asked,
        groups=drawn,
        liking=_toml(list(LIKING)),
        statements="\n".join(
            f"[[statements]]\nname = {_toml(each.name)}\ntext = {_toml(each.text)}\n" for each in STATEMENTS
        ),
    )


def read_definition(path: Path) -> Definition:
    """Read a study's definition.

    Raises:
        StudyError: the file cannot be read, or a value is missing, unknown or wrong; the message names file, line and
            key, and says what is expected.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StudyError(
            f"the study {path} cannot be read: {reason}; `vernissage study new {path}` writes one to begin with"
        ) from error
    return parse_definition(source, str(path))


def parse_definition(source: str, name: str = "study.toml") -> Definition:
    """The definition that a TOML text holds; see `read_definition`."""
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{name} is no TOML: {error}; correct it there") from error
    root = _Table(values, "", source, name)
    definition = Definition(
        id=root.matching("id", _ID, "1 to 80 letters, digits, dots, dashes or underscores"),
        title=root.text("title"),
        language=root.matching("language", _LANGUAGE, 'a language tag such as "en" or "pt-BR"'),
        engines=root.words("engines", None),
        texts=_texts(root.table("texts", required=True)),
        works=root.whole("works", 9, 1, 50),
        repetitions=root.whole("repetitions", 2, 1, 2),
        seed=root.whole("seed", 0, 0, _MOST_SEED),
        elicitation=_elicitation(root.table("elicitation")),
        statements=_statements(root),
        labels=root.five("labels", AGREEMENT),
        completion=_completion(root.table("completion")),
        attention=root.choice("attention", "repeated-showings", get_args(AttentionRule)),
        youngest=root.whole("youngest", 18, 0, 100),
        genders=root.words("genders", GENDERS, least=0),
        inactivity_minutes=root.whole("inactivity_minutes", 120, 5, 525_600),
    )
    root.refuse_unknown()
    _check_together(definition, root)
    return definition


class _Table:
    """One table of the file: takes values out, checked; what is left in the end is unknown."""

    def __init__(self, values: Mapping[str, Any], path: str, source: str, name: str, line: int = 1) -> None:
        self._left = dict(values)
        self._taken: list[str] = []
        self._path, self._source, self._name, self._line = path, source, name, line

    def error(self, key: str, what: str) -> StudyError:
        """An error about a key of this table, at its line."""
        where = f"{self._name}, line {_line_of(self._source, self._path, key, self._line)}"
        return StudyError(f"{where}: {f'{self._path}.{key}' if self._path else key} {what}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise self.error(key, f"is {_shown(value)}; give some text in quotation marks")
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", value.strip()))

    def matching(self, key: str, pattern: re.Pattern[str], expected: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str) or not (pattern.fullmatch(value) or value == default):
            raise self.error(key, f"is {_shown(value)}; give {expected}")
        return value

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        value = self._take(key, default)
        if type(value) is not int or not least <= value <= most:
            raise self.error(key, f"is {_shown(value)}; give a whole number from {least} to {most}")
        return value

    def choice(self, key: str, default: _T, choices: tuple[_T, ...]) -> _T:
        value = self._take(key, default)
        for each in choices:
            if value == each:
                return each
        raise self.error(key, f"is {_shown(value)}; choose one of {', '.join(choices)}")

    def words(self, key: str, default: tuple[str, ...] | None, *, least: int = 1) -> tuple[str, ...]:
        value = self._take(key, list(default) if default is not None else None)
        good = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        if not good or len(value) < least:
            raise self.error(key, f"is {_shown(value)}; give a list of {least} or more texts")
        words = tuple(" ".join(each.split()) for each in value)
        twice = next((each for each in words if words.count(each) > 1), None)
        if twice is not None:
            raise self.error(key, f"names {twice!r} twice; name each once")
        return words

    def five(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        words = self.words(key, default)
        if len(words) != 5:
            raise self.error(key, f"has {len(words)} labels; give 5, from the lowest to the highest")
        return words

    def table(self, key: str, *, required: bool = False) -> "_Table":
        value = self._take(key, None if required else {})
        if not isinstance(value, dict):
            raise self.error(key, f"is {_shown(value)}; write a table, [{key}]")
        line = _line_of(self._source, self._path, key, self._line)
        return _Table(value, f"{self._path}.{key}" if self._path else key, self._source, self._name, line)

    def tables(self, key: str, default: list[dict[str, str]]) -> "list[_Table]":
        value = self._take(key, default)
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.error(key, f"is {_shown(value)}; write one table [[{key}]] for each")
        lines = [
            number
            for number, line in enumerate(self._source.splitlines(), start=1)
            if re.match(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]", line)
        ]
        starts = [lines[place] if place < len(lines) else 1 for place in range(len(value))]
        return [_Table(each, key, self._source, self._name, line) for each, line in zip(value, starts, strict=True)]

    def refuse_unknown(self) -> None:
        """Refuse keys that nobody took: a misspelled one must not be passed over."""
        for key in self._left:
            raise self.error(key, f"is not known; keys here are {', '.join(self._taken)}")

    def _take(self, key: str, default: Any) -> Any:
        self._taken.append(key)
        if key in self._left:
            return self._left.pop(key)
        if default is None:
            raise self.error(key, "is missing; add it")
        return default


def _texts(table: _Table) -> Texts:
    required = {key: table.text(key) for key in ("purpose", "duration", "data_policy", "consent", "contact")}
    defaults = Texts(**required)
    texts = Texts(**required, **{key: table.text(key, getattr(defaults, key)) for key in _OPTIONAL_TEXTS})
    table.refuse_unknown()
    return texts


def _elicitation(table: _Table) -> Elicitation:
    elicitation = Elicitation(
        method=table.choice("method", "groups", get_args(ElicitationMethod)),
        works=table.whole("works", 9, 1, 50),
        groups=table.words("groups", (), least=0),
        encoder=table.matching("encoder", re.compile(r"[\w-]+"), "the name of an encoder", ""),
        labels=table.five("labels", LIKING),
    )
    table.refuse_unknown()
    if elicitation.groups and elicitation.method != "groups":
        raise table.error("groups", f'belongs to method = "groups", but the method is "{elicitation.method}"')
    if elicitation.encoder and elicitation.method != "coverage":
        raise table.error("encoder", f'belongs to method = "coverage", but the method is "{elicitation.method}"')
    if elicitation.groups and len(elicitation.groups) != elicitation.works:
        raise table.error(
            "groups", f"names {len(elicitation.groups)} groups for {elicitation.works} works; name as many"
        )
    return elicitation


def _statements(root: _Table) -> tuple[Statement, ...]:
    usual = [{"name": each.name, "text": each.text} for each in STATEMENTS]
    found: list[Statement] = []
    for table in root.tables("statements", usual):
        name = table.matching(
            "name", _STATEMENT, "a column name: a small letter, then small letters, digits, underscores"
        )
        if name in {*KEYS, *NO_RATINGS} or name in {each.name for each in found}:
            raise table.error("name", f"is {name!r}, which another statement or column has; choose another")
        found.append(Statement(name, table.text("text")))
        table.refuse_unknown()
    return tuple(found)


def _completion(table: _Table) -> Completion:
    completion = Completion(
        table.matching("code", re.compile(r"[ -~]{1,100}"), "1 to 100 letters, digits and signs", ""),
        table.matching("return_url", re.compile(r"https?://[!-~]+"), 'an address that begins with "https://"', ""),
    )
    table.refuse_unknown()
    return completion


def _check_together(definition: Definition, root: _Table) -> None:
    if len(definition.engines) == 1 and definition.repetitions > 1:
        raise root.error(
            "engines",
            "names one engine, which cannot be shown twice without the showings being adjacent; name another, or set "
            "repetitions = 1",
        )
    if definition.repetitions == 1 and definition.attention != "none":
        raise root.error(
            "attention", 'compares two showings, but repetitions = 1; set attention = "none", or repetitions = 2'
        )


def _line_of(source: str, path: str, key: str, start: int) -> int:
    """The line where a key stands, or that of its table's head where it does not; a table's head for a table."""
    lines = source.splitlines()
    head = re.compile(rf"\s*\[\[?\s*{re.escape(f'{path}.{key}' if path else key)}\s*\]\]?")
    assignment = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
    for number in range(start if path else 1, len(lines) + 1):
        line = lines[number - 1]
        if head.match(line) or assignment.match(line):
            return number
        if number > start and line.lstrip().startswith("[") and path:
            break
    return start


def _shown(value: object) -> str:
    words = repr(value)
    return f"{words[:60]}…" if len(words) > 60 else words


def _toml(value: str | list[str]) -> str:
    # A JSON string is a TOML string too, once the one letter that TOML wants escaped and JSON does not is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
