"""A study's definition to begin with: complete, commented, and valid as it is."""

import json
from collections.abc import Sequence

from vernissage.study.definition import AGREEMENT, GENDERS, LIKING, STATEMENTS

REPLACE = "REPLACE THIS"
"""Stands in texts that only the experimenter can write; `plan_notes` tells of those that are left."""

_TEMPLATE = """\
# A user study of engines. `vernissage study check {file} WORKSPACE` says whether it can run, and what will happen;
# `vernissage serve WORKSPACE --study {file}` runs it. From the first real participant on, nothing of it may change.

# Names the study in the database; another id is another study.
id = {id}
title = {title}
# The language of the texts below.
language = "en"

# Words for engines, as `vernissage recommend --engine` takes them, and how many works each one's list has.
engines = {engines}
works = {works}
# 2: each list is shown in a first and in a second pass. 1: once.
repetitions = 2
# The seed of draws, and of which engine stands for which letter of the counterbalancing square.
seed = 0
# Whose two answers to one list differ by 2 or more is left out of the analysis, never refused; "none": nobody is.
attention = {attention}
# The words for 1 to 5 under the statements.
labels = {labels}

# The lowest age that may take part, and the genders to choose from; [] does not ask. Both may be left unanswered.
youngest = 18
genders = {genders}
# Who is not heard of for longer counts as dropped out, and their condition goes to the next; they may come back.
inactivity_minutes = 120

# What participants read. An empty line begins a new paragraph.
[texts]
purpose = \"\"\"
{replace}: what this study is about. For example: We study how people judge recommendations of artworks. You rate
{asked} works, and then judge several lists of works that were chosen for you.\"\"\"
duration = "About 15 minutes."
data_policy = \"\"\"
We store your answers, your age and gender if you tell them, and the id with which you came. We store neither your
IP address nor anything about your browser. You may stop at any time by closing the page. Write to us to have your
answers deleted; tell us your id.\"\"\"
consent = "I have read this page, I am old enough to take part, and I agree that my answers are stored and analysed."
contact = "{replace}: name, institution and e-mail address."
elicitation = "How much do you like each of these works?"
assessment = "Look at the works, and say how much you agree with each statement."
thanks = "Thank you for taking part. Your answers are stored."

# The works that participants rate first. "groups": one at random from each group of the collection's table.
# "coverage": the same for all, spread over the collection (medoids of k-centre clusters of the vectors of encoder).
[elicitation]
method = {method}
works = {asked}
{groups}# The words for 1 to 5 under the works.
labels = {liking}

# What participants agree or disagree with; each name is a column of the export.
{statements}
# Shown when every answer is stored. Either may be left out.
[completion]
# code = "C1ABCDEF"
# return_url = "https://app.prolific.com/submissions/complete?cc=C1ABCDEF"
"""


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
    return _TEMPLATE.format(
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


def _toml(value: str | list[str]) -> str:
    # A JSON string is a TOML string too, once the one letter that TOML wants escaped and JSON does not is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
