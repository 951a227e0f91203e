"""Title, description and keywords of one picture, told from the facts it was painted from."""

from collections.abc import Mapping
from dataclasses import dataclass

from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.view import Facts, View
from vernissage_lab.sample.words.artists import PEAKS, PLACES, invent_name
from vernissage_lab.sample.words.grammar import counted, listed, pick, sentence, spoken
from vernissage_lab.sample.words.indoors import INDOORS
from vernissage_lab.sample.words.outdoors import OUTDOORS
from vernissage_lab.sample.words.weather import FEELING, LIGHT, MOOD_TITLES, MOOD_WORDS, SKIES

_SITTERS = ("young woman", "man", "old man with a white beard")
_STUDIES = ("a Young Woman", "a Man", "an Old Man")
_BLOOMS = ("roses", "daisies", "tulips")


@dataclass(frozen=True)
class Words:
    """What the table says of a picture."""

    title: str
    description: str
    keywords: tuple[str, ...]


def describe(subject: str, view: View, facts: Facts, rng: Rng) -> Words:
    """Tell what is to be seen, in two sentences, and under what sky or light and in what mood."""
    story = INDOORS[subject] if subject in INDOORS else OUTDOORS[subject]
    fill = _phrases(subject, facts, rng)
    fill["Mood"] = spoken(rng, pick(rng, MOOD_TITLES[view.mood]), {})
    seen = spoken(rng, pick(rng, story.opens), fill)
    extras = [spoken(rng, pattern, fill) for name, pattern in story.extras.items() if facts[name] > 0]
    link = ", with " if subject in {"fruit", "portrait"} else "; "
    first = seen + link + listed(extras) if extras else seen
    air = (LIGHT if subject in INDOORS else SKIES)[view.mood if subject in INDOORS else view.sky]
    told = [spoken(rng, pick(rng, options), fill) for options in (air, story.lines, FEELING[view.mood])]
    second = pick(
        rng,
        ("{0}, {1}, and {2}", "{0}; {1}, and {2}", "{2}: {0}, and {1}", "{2} while {0}, and {1}", "{1}, {0}, and {2}"),
    ).format(*told)
    title = spoken(rng, pick(rng, story.titles), fill)
    words = [str(word) for word in rng.permutation(story.keywords)[:3]]
    present = [name for name in story.extras if facts[name] > 0 and name not in {"people", "window", "fallen"}]
    return Words(title, f"{sentence(first)} {sentence(second)}", (*words, *present, pick(rng, MOOD_WORDS[view.mood])))


def _phrases(subject: str, facts: Facts, rng: Rng) -> dict[str, str]:
    """The names that a subject's patterns may use."""
    name = invent_name(rng, woman=facts.get("kind") == 0)
    fill = {"place": pick(rng, PLACES), "peak": pick(rng, PEAKS), "name": name}
    fill["initials"] = " ".join(f"{part[0]}." for part in name.split())
    fill.update(_counts(facts))
    fill.update(_particulars(subject, facts, rng))
    return fill


def _counts(facts: Facts) -> Mapping[str, str]:
    nouns = {
        "boats": ("fishing boat", "fishing boats"), "sails": ("sailing boat", "sailing boats"),
        "lamps": ("street lamp", "street lamps"),
        "stacks": ("haystack", "haystacks"), "houses": ("house", "houses"), "people": ("figure", "figures"),
    }  # fmt: skip
    told: dict[str, str] = {}
    for name, (one, several) in nouns.items():
        if many := facts.get(name, 0):
            told[name] = counted(many, one, several)
            told[f"s_{name}"], told[f"es_{name}"] = ("s", "es") if many == 1 else ("", "")
    return told


def _particulars(subject: str, facts: Facts, rng: Rng) -> Mapping[str, str]:
    tell = {
        "orchard": _orchard, "mountains": _mountains, "fruit": _fruit, "flowers": _flowers, "portrait": _portrait,
        "forest": _forest,
    }  # fmt: skip
    return tell[subject](facts, rng) if subject in tell else {}


def _orchard(facts: Facts, rng: Rng) -> Mapping[str, str]:
    if facts["blossom"]:
        return {"dress": pick(rng, ("in full blossom", "white with blossom", "in flower")), "season": "Blossom Time"}
    return {
        "dress": pick(rng, ("heavy with fruit", "laden with apples", "bearing ripe fruit")),
        "season": "Apples Ripening",
    }


def _mountains(facts: Facts, rng: Rng) -> Mapping[str, str]:
    lake, valley = (
        ("a still lake", "the waters of a lake", "a mountain lake"),
        ("a green valley", "high pastures", "grassy slopes"),
    )
    return {"foot": pick(rng, lake if facts["lake"] else valley)}


def _fruit(facts: Facts, _rng: Rng) -> Mapping[str, str]:
    kinds = [kind for kind in ("apples", "lemons", "pears") if facts[kind]]
    basket = [counted(facts[kind], kind[:-1], kind) for kind in kinds]
    grapes = facts["grapes"] > 0
    return {
        "fruit": listed(basket + ["a bunch of grapes"] * grapes),
        "main": listed([kind.title() for kind in kinds] + ["Grapes"] * grapes),
    }


def _flowers(facts: Facts, _rng: Rng) -> Mapping[str, str]:
    return {"kind": _BLOOMS[facts["kind"]], "main": _BLOOMS[facts["kind"]].title()}


def _portrait(facts: Facts, _rng: Rng) -> Mapping[str, str]:
    who = _SITTERS[facts["kind"]]
    return {
        "a_sitter": f"{'an' if who[0] == 'o' else 'a'} {who}",
        "A_sitter": _STUDIES[facts["kind"]],
        "sitter": who.capitalize(),
        "relative": ("Sister", "Brother", "Grandfather")[facts["kind"]],
    }


def _forest(facts: Facts, rng: Rng) -> Mapping[str, str]:
    return {
        "way": pick(rng, ("a brook", "a narrow stream") if facts["brook"] else ("a footpath", "a woodland track")),
        "trunks": "pale birches" if facts["birches"] else "dark trunks",
        "Trunks": "Birches" if facts["birches"] else "Forest Interior",
    }
