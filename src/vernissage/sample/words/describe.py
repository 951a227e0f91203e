"""Title, description and keywords of one picture, told from the facts it was painted from."""

from collections.abc import Mapping
from dataclasses import dataclass

from vernissage.sample.noise import Rng
from vernissage.sample.view import Facts, View
from vernissage.sample.words.artists import PEAKS, PLACES, invent_name
from vernissage.sample.words.grammar import counted, listed, pick, sentence, spoken
from vernissage.sample.words.stories import STORIES
from vernissage.sample.words.weather import FEELING, LIGHT, MOOD_TITLES, MOOD_WORDS, SKIES

_INDOORS = frozenset({"fruit", "flowers", "portrait"})
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
    story = STORIES[subject]
    fill = _phrases(subject, facts, rng)
    fill["Mood"] = spoken(rng, pick(rng, MOOD_TITLES[view.mood]), {})
    seen = spoken(rng, pick(rng, story.opens), fill)
    extras = [spoken(rng, pattern, fill) for name, pattern in story.extras.items() if facts[name] > 0]
    link = ", with " if subject in {"fruit", "portrait"} else "; "
    first = seen + link + listed(extras) if extras else seen
    air = (LIGHT if subject in _INDOORS else SKIES)[view.mood if subject in _INDOORS else view.sky]
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
        "boats": ("fishing boat", "fishing boats"), "sails": ("sailing boat", "sailing boats"), "lamps": ("street lamp", "street lamps"),
        "stacks": ("haystack", "haystacks"), "houses": ("house", "houses"), "people": ("figure", "figures"),
    }  # fmt: skip
    told: dict[str, str] = {}
    for name, (one, several) in nouns.items():
        if many := facts.get(name, 0):
            told[name] = counted(many, one, several)
            told[f"s_{name}"], told[f"es_{name}"] = ("s", "es") if many == 1 else ("", "")
    return told


def _particulars(subject: str, facts: Facts, rng: Rng) -> Mapping[str, str]:
    if subject == "orchard":
        bloom = facts["blossom"] > 0
        return {"dress": pick(rng, ("in full blossom", "white with blossom", "in flower") if bloom else ("heavy with fruit", "laden with apples", "bearing ripe fruit")),
                "season": "Blossom Time" if bloom else "Apples Ripening"}  # fmt: skip
    if subject == "mountains":
        return {
            "foot": pick(
                rng,
                ("a still lake", "the waters of a lake", "a mountain lake")
                if facts["lake"]
                else ("a green valley", "high pastures", "grassy slopes"),
            )
        }
    if subject == "fruit":
        bowl = [counted(facts[kind], kind[:-1], kind) for kind in ("apples", "lemons", "pears") if facts[kind]]
        bowl += ["a bunch of grapes"] if facts["grapes"] else []
        return {
            "fruit": listed(bowl),
            "main": listed([kind.title() for kind in ("apples", "lemons", "pears", "grapes") if facts[kind]]),
        }
    if subject == "flowers":
        return {"kind": _BLOOMS[facts["kind"]], "main": _BLOOMS[facts["kind"]].title()}
    if subject == "portrait":
        who = _SITTERS[facts["kind"]]
        return {
            "a_sitter": f"{'an' if who[0] == 'o' else 'a'} {who}",
            "A_sitter": _STUDIES[facts["kind"]],
            "sitter": who.capitalize(),
            "relative": ("Sister", "Brother", "Grandfather")[facts["kind"]],
        }
    if subject == "forest":
        return {
            "way": pick(rng, ("a brook", "a narrow stream") if facts["brook"] else ("a footpath", "a woodland track")),
            "trunks": "pale birches" if facts["birches"] else "dark trunks",
            "Trunks": "Birches" if facts["birches"] else "Forest Interior",
        }
    return {}
