"""Title, description, keywords, artist and date of one picture, told from the facts it was painted from.

What is said lies in ``words.toml``, as patterns: ``[a|b]`` picks one, ``{name}`` is filled in.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.plan import Facts, View

_WORDS: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
_INDOORS = frozenset({"fruit", "flowers", "portrait"})
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Words:
    """What the table says of a picture."""

    title: str
    description: str
    keywords: tuple[str, ...]


def describe(subject: str, view: View, facts: Facts, rng: Rng) -> Words:
    """Tell what is to be seen, in two sentences, and under what sky or light and in what mood."""
    story, mood = _WORDS["story"][subject], _WORDS["mood"][view.mood]
    fill = _names(subject, facts, rng)
    fill["Mood"] = _resolved(rng, mood["title"], {})
    seen = _resolved(rng, pick(rng, story["opens"]), fill)
    there = [name for name in story["extras"] if facts[name] > 0]
    extras = [_resolved(rng, story["extras"][name], fill) for name in there]
    link = ", with " if subject in {"fruit", "portrait"} else "; "
    first = seen + link + _listed(extras) if extras else seen
    air = mood["light"] if subject in _INDOORS else _WORDS["sky"][view.sky]
    told = [_resolved(rng, pick(rng, options), fill) for options in (air, story["lines"], mood["feeling"])]
    second = pick(rng, _WORDS["orders"]).format(*told)
    title = _resolved(rng, pick(rng, story["titles"]), fill)
    keywords = [str(word) for word in rng.permutation(story["keywords"])[:3]]
    keywords += [name for name in there if name not in {"people", "window", "fallen"}]
    return Words(title, f"{_sentence(first)} {_sentence(second)}", (*keywords, pick(rng, mood["keywords"])))


def artist_of(group: int, rng: Rng) -> tuple[str, int]:
    """One of a group's seven artists, two of whom it shares with the next group, and the year their work began."""
    number, families = group * 5 + int(rng.integers(7)), _WORDS["families"]
    row, man = divmod(number % (2 * len(_WORDS["women"])), 2)
    first = _WORDS["men" if man else "women"][row]
    return f"{first} {families[(number * 7 + number // len(families)) % len(families)]}", 1872 + (number * 13) % 58


def dated(began: int, rng: Rng) -> str:
    """A date as museums write it, within 35 years of the beginning."""
    year = began + int(rng.integers(35))
    return pick(rng, (f"{year}", f"{year}", f"{year}", f"c. {year}", f"{year}–{(year + 1) % 100:02d}"))


def pick(rng: Rng, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def _names(subject: str, facts: Facts, rng: Rng) -> dict[str, str]:
    """The names that a subject's patterns may use."""
    first = pick(rng, _WORDS["women" if facts.get("kind") == 0 else "men"])
    family = pick(rng, _WORDS["families"])
    fill = {"place": pick(rng, _WORDS["places"]), "peak": pick(rng, _WORDS["peaks"]), "name": f"{first} {family}"}
    fill["initials"] = f"{first[0]}. {family[0]}."
    for noun, (one, several) in _WORDS["nouns"].items():
        if many := facts.get(noun, 0):
            fill[noun] = _counted(many, one, several)
            fill[f"s_{noun}"], fill[f"es_{noun}"] = ("s", "es") if many == 1 else ("", "")
    if subject == "fruit":
        kinds = [kind for kind in ("apples", "lemons", "pears") if facts[kind]]
        grapes, basket = facts["grapes"] > 0, [_counted(facts[kind], kind[:-1], kind) for kind in kinds]
        fill["fruit"] = _listed(basket + ["a bunch of grapes"] * grapes)
        fill["main"] = _listed([kind.title() for kind in kinds] + ["Grapes"] * grapes)
    for fact, names in _WORDS["story"][subject].get("names", {}).items():
        fill |= {name: _resolved(rng, pattern, {}) for name, pattern in names[facts[fact]].items()}
    return fill


def _resolved(rng: Rng, pattern: str, fill: Mapping[str, str]) -> str:
    """Resolve the choices of a pattern, innermost first, then fill in its names."""
    while match := _CHOICE.search(pattern):
        pattern = pattern[: match.start()] + pick(rng, match[1].split("|")) + pattern[match.end() :]
    return pattern.format_map(fill)


def _counted(many: int, one: str, several: str) -> str:
    """A number in words with its noun, such as "a boat" or "three boats"."""
    article = "an" if one[0] in "aeiou" else "a"
    return f"{article} {one}" if many == 1 else f"{_WORDS['numbers'][many]} {several}"


def _listed(parts: Sequence[str]) -> str:
    """Parts joined as in speech: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _sentence(text: str) -> str:
    """The text with a capital first letter and one full stop at its end."""
    tidy = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", text)).strip().rstrip(".")
    return tidy[0].upper() + tidy[1:] + "."
