"""Sentences and their catalogues: every one that the code makes is there in every language, with the same values."""

import ast
import copy
import json
import string
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import pytest
from jinja2.ext import extract_from_ast

import vernissage
from vernissage.encoders import register
from vernissage.gallery.likeness import _KINDS
from vernissage.gallery.searching import _SHOWN
from vernissage.pages.templating import environment
from vernissage.sentences import LANGUAGES, Sentence, catalogue, told, translated
from vernissage.values import MODALITY_CARDS

SOURCE = Path(vernissage.__file__).parent
_PARTS = string.Formatter().parse
OTHERS = [each for each in LANGUAGES if each != "en"]


def made() -> Iterator[str]:
    """What the code says: texts that stand in calls of Sentence, or are named in its function or module and handed on."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for scope, nodes in [(tree, list(tree.body)), *((each, list(ast.walk(each))) for each in functions)]:
            calls = [each for each in ast.walk(scope) if isinstance(each, ast.Call) and each.args]
            given = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Sentence"]
            names = {each.id for each in given if isinstance(each, ast.Name)}
            for each in [*given, *assigned(nodes, names), *assigned(tree.body, names)]:
                yield from texts(each)


def templated() -> Iterator[str]:
    """What templates say, by ``_("…")``."""
    loaded = environment("vernissage.pages")
    for path in SOURCE.rglob("templates/**/*.html"):
        parsed = loaded.parse(path.read_text("utf-8"))
        for _, _, found in extract_from_ast(parsed, gettext_functions=("_",)):
            first = found if isinstance(found, str) else found[0]
            assert first is not None, f"{path.name}: a sentence is no text that stands in the template"
            yield first


def assigned(nodes: Iterable[ast.AST], names: set[str]) -> Iterator[ast.expr]:
    for node in nodes:
        if isinstance(node, ast.Assign) and names & {
            each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)
        }:
            yield node.value


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from [*texts(node.body), *texts(node.orelse)]
    elif isinstance(node, ast.Tuple):
        for each in node.elts:
            yield from texts(each)


def fields(text: str) -> set[str]:
    """The names of a sentence's values."""
    return {name for _, name, _, _ in _PARTS(text) if name is not None}


def named() -> set[str]:
    """Words that stand in registers and are told as they are."""
    words = {engine.words for engine in register.engines().values()} | {*_KINDS, *_SHOWN, "text"}
    words.add(register.engine_of("made elsewhere").words)
    words |= {kind.words for kind in _KINDS.values()} | {"all that is known of works", "works"}
    return words | {word for card in MODALITY_CARDS.values() for word in (card.one, card.many)}


@pytest.fixture(scope="module")
def messages() -> set[str]:
    found = {
        each for each in [*made(), *templated()] if any(map(str.isalpha, "".join(part for part, *_ in _PARTS(each))))
    }
    assert len(found) > 40
    return found | named()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_sentence_and_no_other(language: str, messages: set[str]) -> None:
    known = set(catalogue(language))
    assert messages - known == set()
    assert known - messages == set()


def test_english_names_only_what_the_code_says(messages: set[str]) -> None:
    assert set(catalogue("en")) <= messages


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_uses_the_values_that_there_are(language: str) -> None:
    for message, found in catalogue(language).items():
        for form, text in found.items() if isinstance(found, dict) else [("other", found)]:
            known = fields(message) | ({"number"} if "{month}" in message else set())
            spared = {"n"} if form == "one" else {"month", "number"} if "{month}" in message else set()
            assert known - spared <= fields(text) | spared
            assert fields(text) <= known


def test_sentences_are_their_english_text_and_tell_others() -> None:
    found = Sentence("you rated {title} {rating:g}", title="The {Quay}", rating=4.5)
    assert found == "you rated The {Quay} 4.5"
    assert told(found, "de") == "Sie haben The {Quay} mit 4,5 bewertet"
    assert told("a title", "de") == "a title"
    assert told(Sentence("nobody has translated this"), "de") == "nobody has translated this"


def test_sentences_within_sentences_are_told_too() -> None:
    words = Sentence("{some} and {last}", some=(Sentence("topics"), Sentence("meaning")), last=Sentence("words"))
    found = Sentence("by {words}", words=words)
    assert found == "by topics, meaning and words"
    assert told(found, "de") == "Grundlage: Themen, Bedeutung und Wörter"


def test_numbers_choose_their_form() -> None:
    one, more = (Sentence("one of {n} works in {group}", n=n, group="sea") for n in (1, 3))
    assert (one, more) == ("the only work in sea", "one of 3 works in sea")
    assert told(one, "de") == "das einzige Werk in sea"
    assert told(more, "de") == "eines von 3 Werken in sea"


def test_json_is_told_with_everything_else_as_it_was() -> None:
    content = {
        "notes": [Sentence("related in meaning"), "plain"],
        "score": 0.5,
        "works": [{"title": Sentence("Untitled")}],
    }
    assert json.loads(orjson.dumps(content)) == {
        "notes": ["related in meaning", "plain"],
        "score": 0.5,
        "works": [{"title": "Untitled"}],
    }
    expected = {"notes": ["dem Sinn nach verwandt", "plain"], "score": 0.5, "works": [{"title": "Ohne Titel"}]}
    assert translated(content, "de") == expected
    assert translated(copy.deepcopy(content), "de") == expected
    assert translated(content, "en") is content
