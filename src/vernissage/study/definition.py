"""What a study is: its texts, engines, statements and rules, and the file that says so.

Each field of the dataclasses carries the rule by which the file's value is read; messages name key and line.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from vernissage.analysis.long_table import KEYS, NO_RATINGS
from vernissage.catalog.collection import Collection
from vernissage.errors import Kind, StudyError
from vernissage.files import digest, read_text, write_bytes

ElicitationMethod = Literal["groups", "coverage", "central"]
AttentionRule = Literal["repeated-showings", "none"]
Demographics = Literal["optional", "required"]

OLDEST = 120
"""The highest age that somebody can tell."""

PAGES_BEFORE_SCREENS = 2
"""Welcome and elicitation."""

REPLACE = "REPLACE THIS"
"""Placeholder in texts that only the experimenter can write; `plan_notes` names those that are left."""

USUAL_ENGINES = ("late-partial", "late-total", "aligned")
AGREEMENT = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
LIKING = ("Not at all", "A little", "Somewhat", "Quite a lot", "Very much")
GENDERS = ("Woman", "Man", "Non-binary", "Prefer not to say")

_TEMPLATE = files("vernissage.study") / "template.toml"
_T = TypeVar("_T")
_Rule = Mapping[str, Any]
"""Metadata of a field: ``read`` makes its value or raises a ValueError; ``table`` or ``tables`` name a class instead; a
field without any is text in paragraphs."""


def _rule(good: Callable[[Any], object], expected: str, made: Callable[[Any], Any] = lambda value: value) -> _Rule:
    def read(value: Any) -> Any:
        if not good(value):
            raise ValueError(f"is {_shown(value)}; {expected}")
        return made(value)

    return {"read": read}


def _matching(pattern: str, expected: str) -> _Rule:
    return _rule(lambda value: isinstance(value, str) and re.fullmatch(pattern, value), f"give {expected}")


def _whole(least: int, most: int) -> _Rule:
    return _rule(
        lambda value: type(value) is int and least <= value <= most, f"give a whole number from {least} to {most}"
    )


def _choice(kind: Any) -> _Rule:
    return _rule(lambda value: value in get_args(kind), f"choose one of {', '.join(get_args(kind))}")


def _words(least: int = 1, *, labels: bool = False) -> _Rule:
    def good(value: Any) -> bool:
        texts = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        return texts and len(value) >= least

    def made(value: list[str]) -> tuple[str, ...]:
        words = tuple(" ".join(each.split()) for each in value)
        if twice := [each for each in words if words.count(each) > 1]:
            raise ValueError(f"names {twice[0]!r} twice; name each once")
        if labels and len(words) != 5:
            raise ValueError(f"has {len(words)} labels; give 5, from the lowest to the highest")
        return words

    return _rule(good, f"give a list of {least} or more texts", made)


def _shown(value: object) -> str:
    words = repr(value)
    return f"{words[:60]}…" if len(words) > 60 else words


_read_text = _rule(
    lambda value: isinstance(value, str) and value.strip() and "\0" not in value,
    "give some text in quotation marks",
    lambda value: "\n\n".join(" ".join(each.split()) for each in re.split(r"\n\s*\n", value.strip())),
)["read"]


@dataclass(frozen=True)
class Statement:
    """What participants agree or disagree with; ``name`` is the column of the export."""

    name: str = field(
        metadata=_matching(
            "[a-z][a-z0-9_]{0,39}", "a column name: a small letter, then small letters, digits, underscores"
        )
    )
    text: str


STATEMENTS = (
    Statement("accuracy", "The recommendations match my personal preferences and interests."),
    Statement("diversity", "The recommended paintings are diverse."),
    Statement("novelty", "The recommender helped me discover paintings I did not know before."),
    Statement("serendipity", "I found surprisingly interesting paintings."),
)
"""The four of Yilma & Leiva (UMAP 2023, doi 10.1145/3565472.3592964)."""


@dataclass(frozen=True)
class Texts:
    """What participants read; paragraphs are separated by an empty line."""

    purpose: str
    duration: str
    data_policy: str
    consent: str
    contact: str
    elicitation: str = "How much do you like each of these works?"
    assessment: str = "Look at the works, and say how much you agree with each statement."
    thanks: str = "Thank you for taking part. Your answers are stored."


@dataclass(frozen=True)
class Elicitation:
    """Which works participants rate first.

    Attributes:
        method: ``groups``: one work at random from each group; ``coverage``: the same works for all, the medoids of
            k-centre clusters; ``central``: one at random of the eight works nearest to each centre of k-means clusters.
        works: how many.
        groups: the groups to draw from; empty for the largest ones.
        encoder: whose vectors ``coverage`` clusters; empty for the first that the workspace has.
        labels: the words for 1 to 5.
    """

    method: ElicitationMethod = field(default="groups", metadata=_choice(ElicitationMethod))
    works: int = field(default=9, metadata=_whole(1, 50))
    groups: tuple[str, ...] = field(default=(), metadata=_words(0))
    encoder: str = field(default="", metadata=_matching(r"[\w-]*", "the name of an encoder"))
    labels: tuple[str, ...] = field(default=LIKING, metadata=_words(labels=True))


@dataclass(frozen=True)
class Completion:
    """What participants get in the end: a code, an address to return to, both or neither."""

    code: str = field(default="", metadata=_matching("[ -~]{0,100}", "1 to 100 letters, digits and signs"))
    return_url: str = field(
        default="", metadata=_matching("(https?://[!-~]+)?", 'an address that begins with "https://"')
    )


@dataclass(frozen=True)
class Definition:
    """A study as its file defines it.

    Attributes:
        id: names the study in the database.
        language: of the texts, such as ``en`` or ``pt-BR``.
        engines: words for engines.
        works: how many works a list has.
        repetitions: how often each list is shown, 1 or 2.
        seed: of the draws, and of which engine stands for which letter of the square.
        statements: what participants judge each list by.
        labels: the words for 1 to 5 under the statements.
        attention: ``repeated-showings`` leaves participants out of the analysis whose two answers to one list differ
            by 2 or more; ``none`` leaves nobody out.
        youngest: the lowest age that may take part.
        genders: the words to choose from; empty does not ask.
        demographics: whether age and gender must be told, or may be left unanswered.
        inactivity_minutes: who is not heard of for longer counts as dropped out.
    """

    id: str = field(
        metadata=_matching("[A-Za-z0-9][A-Za-z0-9._-]{0,79}", "1 to 80 letters, digits, dots, dashes or underscores")
    )
    title: str
    language: str = field(
        metadata=_matching("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", 'a language tag such as "en" or "pt-BR"')
    )
    engines: tuple[str, ...] = field(metadata=_words())
    texts: Texts = field(metadata={"table": Texts})
    works: int = field(default=9, metadata=_whole(1, 50))
    repetitions: int = field(default=2, metadata=_whole(1, 2))
    seed: int = field(default=0, metadata=_whole(0, 2**63 - 1))
    elicitation: Elicitation = field(default=Elicitation(), metadata={"table": Elicitation})
    statements: tuple[Statement, ...] = field(default=STATEMENTS, metadata={"tables": Statement})
    labels: tuple[str, ...] = field(default=AGREEMENT, metadata=_words(labels=True))
    completion: Completion = field(default=Completion(), metadata={"table": Completion})
    attention: AttentionRule = field(default="repeated-showings", metadata=_choice(AttentionRule))
    youngest: int = field(default=18, metadata=_whole(0, 100))
    genders: tuple[str, ...] = field(default=GENDERS, metadata=_words(0))
    demographics: Demographics = field(default="optional", metadata=_choice(Demographics))
    inactivity_minutes: int = field(default=120, metadata=_whole(5, 525_600))

    @property
    def screens(self) -> int:
        """How many lists a participant judges, each showing counted."""
        return len(self.engines) * self.repetitions

    @property
    def last_page(self) -> int:
        """The number of the page that thanks."""
        return PAGES_BEFORE_SCREENS + self.screens

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the study is, as JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    @property
    def digest(self) -> str:
        """64 hexadecimal digits over the meaning: the order and layout of the file do not matter."""
        return digest(json.dumps(self.content, sort_keys=True, ensure_ascii=False).encode())


def definition_of(content: Mapping[str, Any]) -> Definition:
    """The definition whose `Definition.content` that is."""
    nested: dict[str, Any] = {
        "texts": Texts(**content["texts"]),
        "elicitation": Elicitation(**_tuples(content["elicitation"])),
        "statements": tuple(Statement(**each) for each in content["statements"]),
        "completion": Completion(**content["completion"]),
    }
    return Definition(**_tuples({key: value for key, value in content.items() if key not in nested}), **nested)


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys by which two definitions' contents differ, in the file's words."""
    changed: list[str] = []
    for key in (each.name for each in fields(Definition)):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            changed += [f"{key}.{inner}" for inner in new if old.get(inner) != new[inner]]
        elif old != new:
            changed.append(key)
    return changed


def write_template(file: Path, engines: Sequence[str] = USUAL_ENGINES, collection: Collection | None = None) -> None:
    """Write a definition to begin with, for these engines and a collection where that is given.

    Raises:
        StudyError: the file is there already.
    """
    if file.exists():
        raise StudyError(f"{file} is there already; choose another name, or delete it first", kind=Kind.CONFLICT)
    name = re.sub("[^A-Za-z0-9]", "-", file.stem).strip("-")
    groups = list(collection.groups)[:9] if collection is not None else []
    works = 9 if collection is None else min(9, max(1, len(collection) // 4))
    groups = groups if len(groups) > 1 else []
    content = definition_template(
        file.name, name=name or "study", engines=engines, groups=groups, works=works, asked=works
    )
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
    advice = f"`vernissage study new {path}` writes one to begin with"
    return parse_definition(read_text(path, "the study", advice, StudyError), str(path))


def parse_definition(source: str, name: str = "study.toml") -> Definition:
    """The definition that a TOML text holds; see `read_definition`."""
    try:
        values = tomllib.loads(source)
    except (ValueError, RecursionError) as error:  # also a number of more digits than Python converts
        raise StudyError(f"{name} is no TOML: {error}; correct it there") from error
    root = _Table(values, "", source, name)
    definition = root.read(Definition)
    _check_together(definition, root)
    return definition


@dataclass(frozen=True)
class _Table:
    """One table of the file; ``path`` is its name, empty for the whole, and ``line`` where it begins."""

    values: Mapping[str, Any]
    path: str
    source: str
    name: str
    line: int = 1

    def error(self, key: str, what: str) -> StudyError:
        """An error about a key of this table, at its line."""
        where = f"{self.name}, line {_line_of(self.source, self.path, key, self.line)}"
        return StudyError(f"{where}: {f'{self.path}.{key}' if self.path else key} {what}")

    def read(self, kind: type[_T]) -> _T:
        """What the table says of a dataclass; unknown keys are refused: a misspelled one must not be passed over."""
        known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
        found = {}
        for key, each in known.items():
            if key in self.values:
                found[key] = self._value(key, each.metadata)
            elif each.default is MISSING:
                raise self.error(key, "is missing; add it")
        if unknown := [key for key in self.values if key not in known]:
            raise self.error(unknown[0], f"is not known; keys here are {', '.join(known)}")
        return kind(**found)

    def _value(self, key: str, rule: _Rule) -> Any:
        if "table" in rule:
            return self.table(key).read(rule["table"])
        if "tables" in rule:
            return tuple(each.read(rule["tables"]) for each in self.tables(key))
        try:
            return rule.get("read", _read_text)(self.values[key])
        except ValueError as error:
            raise self.error(key, str(error)) from None

    def table(self, key: str) -> "_Table":
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"is {_shown(value)}; write a table, [{key}]")
        return _Table(value, key, self.source, self.name, _line_of(self.source, self.path, key, self.line))

    def tables(self, key: str) -> "list[_Table]":
        value = self.values.get(key, [])
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.error(key, f"is {_shown(value)}; write one table [[{key}]] for each")
        head = re.compile(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]")
        lines = [number for number, line in enumerate(self.source.splitlines(), start=1) if head.match(line)]
        starts = [lines[place] if place < len(lines) else 1 for place in range(len(value))]
        return [_Table(each, key, self.source, self.name, line) for each, line in zip(value, starts, strict=True)]


def _check_together(definition: Definition, root: _Table) -> None:
    """Refuse values that are good each for itself and do not fit together."""
    asked, table = definition.elicitation, root.table("elicitation")
    if asked.groups and asked.method != "groups":
        raise table.error("groups", f'belongs to method = "groups", but the method is "{asked.method}"')
    if asked.encoder and asked.method != "coverage":
        raise table.error("encoder", f'belongs to method = "coverage", but the method is "{asked.method}"')
    if asked.groups and len(asked.groups) != asked.works:
        raise table.error("groups", f"names {len(asked.groups)} groups for {asked.works} works; name as many")
    if len(definition.engines) == 1 and definition.repetitions > 1:
        what = "names one engine, which cannot be shown twice without the showings being adjacent; name another, or set"
        raise root.error("engines", f"{what} repetitions = 1")
    if definition.repetitions == 1 and definition.attention != "none":
        what = 'compares two showings, but repetitions = 1; set attention = "none", or repetitions = 2'
        raise root.error("attention", what)
    taken = {*KEYS, *NO_RATINGS}
    for table in root.tables("statements") if "statements" in root.values else ():
        if (name := table.values["name"]) in taken:
            raise table.error("name", f"is {name!r}, which another statement or column has; choose another")
        taken.add(name)


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


def _toml(value: str | list[str]) -> str:
    # A JSON string is a TOML string too, once the one letter that TOML wants escaped and JSON does not is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
