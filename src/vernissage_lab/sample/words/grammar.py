"""Sentences with choices: ``[a|b]`` picks one, ``{name}`` is filled in, and first letters are made capital."""

import re
from collections.abc import Mapping, Sequence

from vernissage_lab.sample.noise import Rng

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")


def spoken(rng: Rng, pattern: str, fill: Mapping[str, str]) -> str:
    """Resolve the choices of a pattern, innermost first, then fill in its names."""
    while match := _CHOICE.search(pattern):
        options = match[1].split("|")
        pattern = pattern[: match.start()] + options[rng.integers(len(options))] + pattern[match.end() :]
    return pattern.format_map(fill)


def pick(rng: Rng, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def counted(many: int, one: str, several: str) -> str:
    """A number in words with its noun, such as "a boat" or "three boats"."""
    article = "an" if one[0] in "aeiou" else "a"
    return f"{article} {one}" if many == 1 else f"{_NUMBERS[many]} {several}"


def listed(parts: Sequence[str]) -> str:
    """Parts joined as in speech: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """The text with a capital first letter and one full stop at its end."""
    tidy = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", text)).strip().rstrip(".")
    return tidy[0].upper() + tidy[1:] + "."
