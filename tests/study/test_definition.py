"""The definition's file: what it may say, what its messages name, and what its digest stands for."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.studies import STUDY

from vernissage.errors import StudyError
from vernissage.study.definition import (
    STATEMENTS,
    changed_keys,
    definition_of,
    definition_template,
    parse_definition,
    read_definition,
)

SMALLEST = """\
id = "pilot"
title = "A pilot"
language = "en"
engines = ["lda", "lsa"]

[texts]
purpose = "To learn."
duration = "A minute."
data_policy = "Kept."
consent = "I agree."
contact = "ann@example.org"
"""


def test_the_smallest_definition_has_the_papers_study() -> None:
    found = parse_definition(SMALLEST)
    assert found.statements == STATEMENTS
    assert [statement.name for statement in found.statements] == ["accuracy", "diversity", "novelty", "serendipity"]
    assert (found.works, found.repetitions, found.elicitation.works, found.screens, found.last_page) == (9, 2, 9, 4, 6)
    assert (found.elicitation.method, found.attention) == ("groups", "repeated-showings")


def changed(old: str, new: str) -> str:
    assert old in SMALLEST
    return SMALLEST.replace(old, new)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("id = \n" + SMALLEST, "no TOML: .*at line 1"),
        (changed('id = "pilot"\n', ""), "line 1: id is missing; add it"),
        (changed('"pilot"', '"a pilot"'), "line 1: id is 'a pilot'; give 1 to 80 letters"),
        (changed('"A pilot"', '"  "'), "line 2: title is '  '; give some text"),
        (changed('"en"', '"English!"'), "line 3: language is 'English!'; give a language tag"),
        (changed('["lda", "lsa"]', "[]"), r"line 4: engines is \[\]; give a list of 1 or more"),
        (changed('["lda", "lsa"]', '"lda"'), "line 4: engines is 'lda'; give a list"),
        (changed('["lda", "lsa"]', '["lda", "lda"]'), "line 4: engines names 'lda' twice"),
        (changed('["lda", "lsa"]', '["lda"]'), "line 4: engines names one engine, which cannot be shown twice"),
        (changed('"To learn."', "3"), "line 7: texts.purpose is 3; give some text"),
        (changed('contact = "ann@example.org"\n', ""), "line 6: texts.contact is missing"),
        (changed("duration", "durration"), "line 6: texts.duration is missing"),
        (SMALLEST + 'color = "red"\n', "line 12: texts.color is not known; keys here are purpose, duration"),
        ("works = 0\n" + SMALLEST, "line 1: works is 0; give a whole number from 1 to 50"),
        ("works = true\n" + SMALLEST, "line 1: works is True"),
        ("works = 9.5\n" + SMALLEST, "line 1: works is 9.5"),
        ("repetitions = 3\n" + SMALLEST, "line 1: repetitions is 3; give a whole number from 1 to 2"),
        ("repetitions = 1\n" + SMALLEST, 'attention compares two showings.*attention = "none"'),
        ("seed = -1\n" + SMALLEST, "line 1: seed is -1"),
        ("engine = 3\n" + SMALLEST, "line 1: engine is not known; keys here are id, title"),
        ('attention = "strict"\n' + SMALLEST, "line 1: attention is 'strict'; choose one of repeated-showings, none"),
        ('labels = ["a", "b"]\n' + SMALLEST, "line 1: labels has 2 labels; give 5"),
        ("genders = [1]\n" + SMALLEST, r"line 1: genders is \[1\]"),
        ("youngest = 101\n" + SMALLEST, "line 1: youngest is 101"),
        ("texts = 3\n" + SMALLEST.split("[texts]", maxsplit=1)[0], r"line 1: texts is 3; write a table, \[texts\]"),
        (
            SMALLEST + '[elicitation]\nmethod = "all"\n',
            "line 13: elicitation.method is 'all'; choose one of groups, cov",
        ),
        (SMALLEST + '[elicitation]\ngroups = ["a"]\n', "line 13: elicitation.groups names 1 groups for 9 works"),
        (SMALLEST + '[elicitation]\nencoder = "lda"\n', 'line 13: elicitation.encoder belongs to method = "coverage"'),
        (
            SMALLEST + '[elicitation]\nmethod = "coverage"\ngroups = ["a"]\n',
            'line 14: elicitation.groups belongs to method = "groups"',
        ),
        (SMALLEST + '[completion]\nreturn_url = "javascript:x"\n', "line 13: completion.return_url is 'javascript:x'"),
        (
            SMALLEST + '[completion]\nurl = "x"\n',
            "line 13: completion.url is not known; keys here are code, return_url",
        ),
        (SMALLEST + '[[statements]]\nname = "a"\n', "line 12: statements.text is missing"),
        (
            SMALLEST + '[[statements]]\nname = "A b"\ntext = "T"\n',
            "line 13: statements.name is 'A b'; give a column name",
        ),
        (SMALLEST + '[[statements]]\nname = "seconds"\ntext = "T"\n', "statements.name is 'seconds', which another"),
        (
            SMALLEST + '[[statements]]\nname = "a"\ntext = "T"\n\n[[statements]]\nname = "a"\ntext = "U"\n',
            "line 17: statements.name is 'a', which another statement",
        ),
        ("statements = []\n" + SMALLEST, r"line 1: statements is \[\]; write one table \[\[statements\]\]"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(source: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        parse_definition(source)
    assert str(caught.value).startswith("study.toml")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read: No such file.*vernissage study new"):
        read_definition(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(StudyError, match="it is not UTF-8"):
        read_definition(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_bytes(b"\xef\xbb\xbf" + SMALLEST.encode())
    assert read_definition(tmp_path / "study.toml").id == "pilot"


def test_the_digest_is_of_the_meaning_not_of_the_layout() -> None:
    plain = parse_definition(SMALLEST)
    head, texts = SMALLEST.split("[texts]\n")
    shuffled = "# a comment\n" + "\n\n".join(reversed(head.strip().splitlines())) + "\n[texts]\n" + texts
    rewrapped = shuffled.replace('"To learn."', '"""\nTo\n   learn.\n"""')
    assert parse_definition(shuffled) == parse_definition(rewrapped) == plain
    assert parse_definition(rewrapped).digest == plain.digest
    assert parse_definition("works = 9\n" + SMALLEST).digest == plain.digest
    for other in ("works = 8\n" + SMALLEST, changed("To learn.", "To learn!"), changed('"lda", "lsa"', '"lsa", "lda"')):
        assert parse_definition(other).digest != plain.digest
    paragraphs = parse_definition(changed('"To learn."', '"""One\nline.\n\n\n  Two."""'))
    assert paragraphs.texts.purpose == "One line.\n\nTwo."


def test_the_content_gives_the_definition_back_and_names_what_changed() -> None:
    assert definition_of(STUDY.content) == STUDY
    other = replace(STUDY, seed=2, elicitation=replace(STUDY.elicitation, works=3))
    assert changed_keys(STUDY.content, other.content) == ["seed", "elicitation.works"]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1),
        min_size=2,
        max_size=9,
        unique=True,
    )
)
def test_the_template_is_valid_whatever_groups_are_called(groups: list[str]) -> None:
    source = definition_template("study.toml", name="pilot", engines=["lda", "lsa"], groups=groups)
    assert tomllib.loads(source)["elicitation"]["groups"] == groups
    found = parse_definition(source)
    assert (found.elicitation.works, found.elicitation.groups) == (len(groups), tuple(groups))


def test_the_template_without_groups_covers_the_collection() -> None:
    found = parse_definition(definition_template("study.toml", name="pilot", engines=["lda", "lsa"], works=5, asked=4))
    assert (found.elicitation.method, found.elicitation.works, found.works) == ("coverage", 4, 5)
    assert found == parse_definition(
        definition_template("a.toml", name="pilot", engines=["lda", "lsa"], works=5, asked=4)
    )
