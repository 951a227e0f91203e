"""The span of years that a museum's date means, in fourteen languages; docs/dates.md says what is read and how.

A cell becomes tokens: numbers, words of date_words.txt, marks. One pass over these collects periods (years, decades,
centuries, reigns). The first that is named, with those that a dash or a word such as "to" joins to it, is the span.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import filterfalse
from typing import NamedTuple

_LATEST = 2200  # a larger number is no year of a work
_LONGEST = 1000  # letters that are read of a cell; what is longer is prose

# What the words for parts of a century, decade or reign mean, from and to in hundredths of it; docs/dates.md has the
# same table. The middles are those of earlier versions: 15 and 85 for early and late, 10 and 90 for beginning and end.
PARTS: Mapping[str, tuple[float, float]] = {
    "beginning": (0, 20), "early": (0, 30), "mid": (35, 65), "late": (70, 100), "end": (80, 100),
    "first half": (0, 50), "second half": (50, 100), "turn": (-10, 10),
}  # fmt: skip
_TURN = PARTS["turn"]
_LAST_HUNDREDS = 1900  # "1900s" and "1900-talet" are a century, "2000s" is a decade; so are "1900er" and "années 1900"
_TURN_OF_THE_CENTURY = (1891, 1910)  # where no century is named

_SAME = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ـ": None, "ى": "ي", "ة": "ه"})
_LATIN = str.maketrans("хі", "xi")  # Cyrillic letters that stand in Roman numerals
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_HAN_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "元": 1}
_HAN_PLACES = {"十": 10, "百": 100, "千": 1000}
_DECADE_ENDS = frozenset({"s", "er", "ern", "tal", "talet", "talets", "е", "х", "ых", "ые"})
_CENTURY_ENDS = frozenset({"s", "tal", "talet", "talets"})
_FAR_EAST = "\u3000"  # Chinese and Japanese signs are not less
_CJK = "\u3005-\u30ff\u3400-\u9fff"

_PLAIN = re.compile(r"\s*(?:ca?\. ?|\?)?([12]\d{3})(?: ?[-–] ?(\d{4}|\d\d?))?\s*", re.ASCII)
_DAY = re.compile(r"(?<!\d)(?:\d{1,2}([./-]) ?\d{1,2}\1 ?(\d{4})|(\d{4})([-./])\d{1,2}\4\d{1,2})(?!\d)")
_ARTICLE = re.compile(r"\b(و?)(?:[بلكف]?ال|لل)(?=\w\w)")
_ROMAN = re.compile(r"([ivxхі]+)(ere?|e|eme|ieme|o|a|th|st|de|ste)?")
_ROMAN_YEAR = re.compile(r"(?=.{4})mm?(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_NUMBER = (
    r"(?P<hidden>\d{2}(?:\d[-?_*xu]|[-?_*xu]{2}|\.\.)(?![\w.]))"
    r"|(?P<number>(?P<digits>\d{1,3}(?:[,.' ]\d{3})+(?!\d)|\d+)"
    r"(?:[.'’:-]?(?P<ends>talets?|tal|ieme|eme|ern|ere?|re|e|st|nd|rd|th|de|ste|os?|as?|s|"
    r"ого|го|ой|ая|ый|ом|ых|ые|ье|й|я|е|х)(?!\w))?)"
)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """The first and the last year that a date may mean, negative before Christ; equal for a single year."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def middle(self) -> int:
        """The middle as a whole number; of two years the first.

        A half becomes the multiple of five beside it, or else the year below: 1785 for the 1780s (1784.5), 1750 for the
        18th century (1750.5), 1882 for 1882–83.
        """
        below, rest = divmod(self.first + self.last, 2)
        return below + 1 if rest and (below + 1) % 5 == 0 and self.last - self.first > 1 else below


def year_number(date: str) -> int | None:
    """The middle of the years that a date means, see `DateSpan.middle`; None where it names no year.

    Of two centuries that are joined it is that of the first: 1885 for "late 19th–early 20th century".
    """
    if _PLAIN.fullmatch(date) is None:
        spans = _read(date.strip()[:_LONGEST])
        return spans[1].middle if spans else None
    span = date_span(date)
    return None if span is None else span.middle


def date_span(date: str) -> DateSpan | None:
    """The years that a date means, None where it names none.

    "c. 1710" is 1710, "1882–83" 1882 to 1883, "1829, exhibited 1831" 1829, "500 BCE" −500, "late 18th century" 1771 to
    1800. An Islamic year is passed over for the Christian one beside it.
    """
    plain = _PLAIN.fullmatch(date)  # most dates, at a tenth of the time
    if plain is None:
        spans = _read(date.strip()[:_LONGEST])
        return spans[0] if spans else None
    first = int(plain[1])
    end = plain[2] or plain[1]
    last = int(plain[1][: -len(end)] + end)
    return DateSpan(first, last if first <= last <= _LATEST else first) if first <= _LATEST else None


@lru_cache(maxsize=1 << 15)
def _read(date: str) -> tuple[DateSpan, DateSpan] | None:
    return _Reader(list(_tokens(_folded(date)))).spans()


def _folded(text: str) -> str:
    """Small letters without accents, Latin digits, no brackets within a number, days of months left out."""
    text = text.lower().replace("–", "=")  # the usual dash, so that most cells are ASCII; "-" may be a sign
    if not text.isascii():
        letters = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(filterfalse(unicodedata.combining, letters)).translate(_SAME)
        text = _ARTICLE.sub(r"\1 ", text)
    if "[" in text:
        text = re.sub(r"(?<=\d{4})\[", " ", text).replace("[", "").replace("]", "")
    return _DAY.sub(lambda day: day[2] or day[3], text)


class _Token(NamedTuple):
    kind: str
    number: int = 0
    part: tuple[float, float] = (0, 0)
    text: str = ""
    ends: str = ""
    digits: int = 0


_NONE, _OTHER = _Token(""), _Token("other")


class _Vocabulary(NamedTuple):
    """The words of date_words.txt: whole words and phrases, beginnings of words, and what splits a cell."""

    words: dict[str, _Token]
    stems: dict[str, _Token]
    lengths: dict[str, int]  # of the longest phrase, in words, by its first
    pattern: re.Pattern[str]

    def word(self, word: str) -> _Token | None:
        found = self.words.get(word) or self.stems.get(word)
        for cut in (1, 2, 3):
            found = found or self.stems.get(word[:-cut])
        return found

    def phrase(self, word: str, following: Sequence[re.Match[str]]) -> tuple[_Token | None, int]:
        """The longest phrase that begins with a word, and over how many matches it goes; hyphens do not count."""
        found, taken, length = None, 1, self.lengths.get(word, 1)
        for count, match in enumerate(following, 2):
            if match["word"] and length > 1:
                word, length = f"{word} {match[0]}", length - 1
                if token := self.words.get(word):
                    found, taken = token, count
            elif length == 1 or match[0] != "-":
                break
        return found, taken


@cache
def _vocabulary() -> _Vocabulary:
    words: dict[str, _Token] = {}
    stems: dict[str, _Token] = {}
    for word, token in _meanings(files("vernissage.catalog").joinpath("date_words.txt").read_text("utf-8")):
        folded = " ".join(_folded(word.rstrip("*").replace("_", " ")).split())
        (stems if word.endswith("*") else words).setdefault(folded, token._replace(text=folded))
    lengths: dict[str, int] = {}
    for first, *others in map(str.split, words):
        lengths[first] = max(lengths.get(first, 1), 1 + len(others))
    han = sorted((word for word in words if word[0] >= _FAR_EAST), key=len, reverse=True)
    pattern = re.compile(
        rf"{_NUMBER}|(?P<word>[^\W\d_{_CJK}]+)|(?=[{_CJK}])(?:(?P<cjk>{'|'.join(han)}|前(?=[\d一二三四五六七八九十]))"
        rf"|(?P<han>(?:(?!四半|千年)[〇零一二三四五六七八九十百千]|元(?=年))+))"
        rf"|(?P<join>[-–—‐‑−‒―~〜/&=])|(?P<stop>[,;:()+\n])|(?P<other>[{_CJK}])"
    )
    return _Vocabulary(words, stems, lengths, pattern)


def _meanings(text: str) -> Iterator[tuple[str, _Token]]:
    for line in re.sub(r"#.*|\n(?= )", "", text).split("\n"):
        key, _, words = line.partition(": ")
        kind, _, value = key.partition(" ")
        start, step = {"ordinal": (1, 1), "tens": (20, 10)}.get(kind, (0, 0))
        if kind == "part":
            token = _Token(kind, part=PARTS[value])
        elif kind in {"reign", "period", "named"}:
            first, _, last = value.partition("-")
            token = _Token(kind, int(first), (int(first), int(last)))
        else:
            token = _Token(kind, int(value or start))
        for place, forms in enumerate(words.split()):
            yield from ((form, token._replace(number=token.number + place * step)) for form in forms.split("/"))


def _tokens(text: str) -> Iterator[_Token]:
    vocabulary = _vocabulary()
    raw = list(vocabulary.pattern.finditer(text))
    place, before, negative = 0, _NONE, False
    while place < len(raw):
        match, taken = raw[place], 1
        kind, written = str(match.lastgroup), match[0]
        token = _Token(kind, text=written)
        if kind == "hidden":
            known = "".join([sign for sign in written if sign.isdigit()])
            token = _Token("number", int(known.ljust(4, "0")), ends="-", digits=len(known))
        elif kind == "number":
            digits = match["digits"]
            count = len(digits) if digits.isdecimal() else 9  # 12,000 is a year with its era alone
            number = int(re.sub(r"\D", "", digits)) if len(digits) < 9 else 0
            token = _Token(kind, number, text=written, ends=match["ends"] or "", digits=count)
        elif kind == "han":
            token = _Token("number", number := _han(written), text=written, digits=len(str(number)))
        elif kind == "cjk":
            token = vocabulary.words.get(written) or _Token("bc", text=written)
        elif kind == "word":
            following = raw[place + 1 : place + 8]
            phrase, taken = vocabulary.phrase(written, following)
            token = phrase or _single(vocabulary, written, before, following)
            if token is _OTHER and written[0] == "و" and (attached := vocabulary.word(written[1:])):
                yield _Token("join", text="و")  # the Arabic "and" is written together with the next word
                token = attached
        elif kind == "join" and written in "-−" and (not before.kind or (negative and before.kind == "join")):
            negative = text[match.end() : match.end() + 1].isdecimal()
            token = _Token("bc", text=written) if negative else token
        yield token
        before = token
        place += taken


def _single(vocabulary: _Vocabulary, word: str, before: _Token, following: Sequence[re.Match[str]]) -> _Token:
    found = vocabulary.word(word)
    if found is None and _ROMAN_YEAR.fullmatch(word):
        return _Token("number", _roman(word), text=word, digits=4)
    numeral = _ROMAN.fullmatch(word)
    if numeral and (found is None or word in {"i", "x", "х"}):
        after = vocabulary.word(following[0][0]) if following else None
        one = before.kind in {"", "century", "weak"} or (after and after.kind in {"fraction", "century", "weak"})
        if found is None or (one if word == "i" else before.kind != "number"):
            letters = numeral[1].translate(_LATIN)
            return _Token("roman", _roman(letters), text=letters, ends=numeral[2] or "")
    return found or _OTHER


def _roman(letters: str) -> int:
    values = [_ROMAN_DIGITS[letter] for letter in letters]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


def _han(signs: str) -> int:
    if not any(sign in _HAN_PLACES for sign in signs):
        return int("".join([str(_HAN_DIGITS[sign]) for sign in signs[:9]]))
    total, digit = 0, 0
    for sign in signs:
        if sign in _HAN_PLACES:
            total, digit = total + (digit or 1) * _HAN_PLACES[sign], 0
        else:
            digit = _HAN_DIGITS[sign]
    return total + digit


@dataclass(slots=True)
class _Period:
    """What one number or name of a cell stands for.

    Attributes:
        number: the year, the ordinal of the century, or the first year of a decade or reign.
        unit: how many years it is; 0 while it is not known whether the number means any.
        counted: centuries are counted from 1, all others are named by their first year.
        digits: how many digits the number was written with; 0 for words.
        era: "bc", "ad", "passed" for a calendar that is not read, or empty.
        joined: by what it is joined to the period before it; empty if it is not.
        reign: the year before the first one of the reign that counts the number, else 0.
        doubtful: a reign without a year, or "plate 123": what counts only where nothing else does.
        roman, sure: a Roman numeral; one that is a century without that word as well.
    """

    number: int
    unit: int = 0
    counted: bool = False
    digits: int = 0
    part: tuple[float, float] | None = None
    era: str = ""
    joined: str = ""
    reign: int = 0
    doubtful: bool = False
    roman: bool = False
    sure: bool = False

    def years(self) -> tuple[int, int]:
        past = self.era == "bc"
        if self.counted:
            base = -self.number * self.unit if past else (self.number - 1) * self.unit + 1
        else:
            base = -(self.number + self.unit - 1) if past else self.number
        if self.part == _TURN and self.unit == 1 and self.number % 100 == 0:
            return base - 9, base + 10
        start, end = (0, 100) if self.unit == 1 else self.part or (0, 100)
        first = base + math.floor(start * self.unit / 100 + 0.5)
        return first, max(first, base + math.floor(end * self.unit / 100 + 0.5) - 1)


class _Reader:
    """One pass over the tokens of a cell, see the module."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self.tokens = tokens
        self.found: list[_Period] = []
        self.place, self.added = 0, -1  # of this token and of that which added the last period
        self.joined = ""  # what stands between the last period and the next
        self.open = False  # whether words and marks that follow may speak of the last period
        self.part: tuple[float, float] | None = None  # of the next period
        self.merging = False  # "early to" before "mid 18th century"
        self.era = ""  # of the next period
        self.century = 0  # "siglo" before "XVIII"
        self.decade = False  # "années" before "1880"
        self.fraction = 0  # the Arabic "half" before "first"
        for self.place, token in enumerate(tokens):
            if step := _STEPS.get(token.kind):
                step(self, token)

    def spans(self) -> tuple[DateSpan, DateSpan] | None:
        """The first period that is named, with those joined to it, and that whose middle is its year."""
        found = self.found
        for period in found:
            if not period.unit and period.digits and period.era in {"bc", "ad"} and period.number:
                period.unit = 1
        if not any(period.unit for period in found):
            self._assume()
        known = [
            (period.doubtful, place) for place, period in enumerate(found) if period.unit and period.era != "passed"
        ]
        if not known:
            return (DateSpan(*_TURN_OF_THE_CENTURY),) * 2 if self.part == _TURN else None
        place = min(known)[1]
        chain = [found[place]]
        for after in found[place + 1 :]:
            if not after.joined or not _continues(chain[-1], after):
                break
            chain.append(after)
        turn = chain[0].part == _TURN and len(chain) > 1 and chain[1].unit >= 10
        if turn:
            chain[0].part, chain[1].part = (90, 100), (0, 10)
        first, last = chain[0].years()
        own = last
        for after in chain[1:]:
            last = max(first, after.years()[1])
        whole = DateSpan(first, last)
        centuries = chain[0].unit >= 100 and not turn  # a turn is one time, which lies between them
        return (whole, DateSpan(first, min(own, last)) if centuries else whole) if first <= _LATEST else None

    def _assume(self) -> None:
        """Without any sure period: Roman numerals are centuries, "ca. 95" is a year."""
        if any(period.sure or period.joined or period.part for period in self.found if period.roman):
            for period in self.found:
                if period.roman and 1 <= period.number <= 21:
                    period.unit, period.counted = 100, True
        elif len(self.found) == 1 and self._token(0).kind == "number" and self._token(-1).kind in {"circa", "weak"}:
            self.found[0].unit = int(self.found[0].number > 25)  # "c. 18" may be a century

    def _token(self, offset: int) -> _Token:
        place = self.place + offset
        return self.tokens[place] if 0 <= place < len(self.tokens) else _NONE

    def _just(self) -> _Period | None:
        """The period that the token before this one added."""
        return self.found[-1] if self.found and self.added == self.place - 1 else None

    def _add(self, period: _Period) -> None:
        if self.found and self.open and self.found[-1].part == _TURN:
            self.joined = self.joined or "-"  # "limite 17e siècle 18e siècle"
        period.joined, period.part, period.era = self.joined if self.found else "", self.part, self.era
        self.found.append(period)
        self.joined, self.part, self.era, self.merging, self.decade = "", None, "", False, False
        self.open, self.added = True, self.place

    def _take_back(self) -> _Period:
        """Remove the last period: its number turned out to mean something else."""
        period = self.found.pop()
        self.joined, self.part, self.era = period.joined, period.part, period.era
        return period

    def _number(self, token: _Token) -> None:
        number, ends, before = token.number, token.ends, self._token(-1)
        day = before.kind == "month" and before.text < _FAR_EAST and number <= 31
        if day or before.kind == "times" or (before.kind == "label" and not ends):
            return
        if ends == "-":
            self._add(_Period(number, 10 if token.digits == 3 else 100, digits=4))
        elif number >= 10 and number % 10 == 0 and (ends in _DECADE_ENDS or self.decade):
            self._decade_number(token)
        elif before.kind == "reign" and self._token(1).kind != "century" and number <= 70:
            start = self._take_back().number - 1
            self._add(_Period(start + number, 1, digits=token.digits, reign=start))
        elif token.digits in {3, 4} and 0 < number <= _LATEST:
            doubtful = token.digits == 3 and not self.joined and before.kind in {"other", "join"}
            self._add(_Period(number, 1, digits=token.digits, doubtful=doubtful))
        else:
            self._ordinal_number(_Period(number, digits=token.digits))

    def _decade_number(self, token: _Token) -> None:
        number = token.number
        if number < 100 and not (self.joined and self.found[-1].digits >= 3):
            self._tens(token)
            return
        hundreds = token.ends in _CENTURY_ENDS and number % 100 == 0 and number <= _LAST_HUNDREDS and not self.decade
        self._add(_Period(number, 100 if hundreds else 10, digits=token.digits))

    def _ordinal_number(self, period: _Period) -> None:
        """A number that means a year, a day or a century, as later tokens say."""
        if self.century and 0 < period.number <= 25:
            period.unit, period.counted = self.century, True
        self._add(period)

    def _roman(self, token: _Token) -> None:
        sure = (bool(token.ends) or len(token.text) > 2) and token.number >= 10
        self._ordinal_number(_Period(token.number, roman=True, sure=sure))

    def _ordinal(self, token: _Token) -> None:
        if self.decade and token.number == 20:
            self._tens(token)
        elif self.fraction and token.number <= self.fraction:
            self._add_part((token.number - 1) * 100 / self.fraction, token.number * 100 / self.fraction)
            self.fraction = 0
        elif token.number in {3, 4} and self._token(-1).kind in {"ordinal", "last"} and self._just():
            self._fraction(token)  # "first third", "ultimo quarto"
        else:
            self._ordinal_number(_Period(token.number))

    def _fraction(self, token: _Token) -> None:
        count, parts = abs(token.number), []
        if token.number < 0:  # an Arabic one, which goes before its ordinal
            self.fraction = count
            return
        last = self._just()
        while last and not last.unit and last.number in {-1, *range(1, count + 1)}:
            which = self._take_back().number % (count + 1)  # the last is -1
            parts += [(which - 1) * 100 / count, which * 100 / count]
            last = self.found[-1] if self.joined else None
        if parts:
            self._add_part(min(parts), max(parts), token.text)
        elif count == 2:
            self._add_part(*PARTS["mid"], token.text)

    def _tens(self, token: _Token) -> None:
        self._add_part(token.number - 1, token.number + 9, token.text)  # 80 of the 19th century, 1801–1900: 1880–1889
        self.decade = False

    def _named_part(self, token: _Token) -> None:
        self._add_part(*token.part, token.text)

    def _add_part(self, start: float, end: float, text: str = "") -> None:
        last, after = self.found[-1] if self.found else None, self._token(1)
        behind = text >= _FAR_EAST  # Chinese and Japanese parts follow their period, others do where nothing follows
        ended = after.kind in {"", "stop"} or (after.kind == "join" and not after.text.isalpha())
        if last and last.unit >= 10 and last.part is None and not self.joined and (behind or ended):
            last.part = start, end
        elif self.part and self.merging:
            self.part, self.merging = (min(start, self.part[0]), max(end, self.part[1])), False
        elif not behind:
            self.part = start, end

    def _century(self, token: _Token) -> None:
        """Make centuries of the numbers that are joined before it, or else of those that follow."""
        self.century = token.number
        for period in reversed(self.found if self.open else ()):
            if period.unit or not 0 < period.number <= 25:
                break
            period.unit, period.counted, self.century = token.number, True, 0
            if not period.joined:
                break

    def _weak(self, token: _Token) -> None:
        """A letter that stands for century after a numeral, or as "s. XVIII" and "C18th" before it."""
        last, after = self._just(), self._token(1)
        before = (token.text in {"s", "ss"} and after.kind == "roman") or (token.text == "c" and after.ends == "th")
        if before or (last and not last.unit):
            self._century(token)

    def _decade(self, token: _Token) -> None:
        last = self._just()
        if last is None:
            self.decade = True
        elif last.reign or (last.digits >= 3 and last.number % 10 == 0):
            last.unit = 10
        elif not last.unit and last.digits == 2 and last.number % 10 == 0:
            self._tens(token._replace(number=self._take_back().number))
        elif not last.unit:
            self._fraction(token._replace(number=10))  # "first decade of the 20th century"

    def _reign(self, token: _Token) -> None:
        self._add(_Period(token.number, int(token.part[1]) - token.number + 1, doubtful=token.kind != "named"))

    def _set_era(self, token: _Token) -> None:
        if not self.open or self.joined:
            self.era = token.kind
            return
        for period in reversed(self.found):
            if period.era:
                break
            period.era = token.kind
            if not period.joined or (token.kind == "passed" and period.joined == "/"):
                break

    def _suffix(self, token: _Token) -> None:
        """A letter after a number: the Islamic calendar, or the German "2. H." for half."""
        last = self._just()
        if last and last.number <= 2:
            self._fraction(token._replace(number=2))
        elif last:
            self._set_era(token._replace(kind="passed"))

    def _join(self, token: _Token) -> None:
        if self.part:
            self.merging = True
        elif self.found and self.open:
            self.joined = token.text

    def _measure(self, token: _Token) -> None:
        """A unit or a month after a number that is therefore no year."""
        last = self._just()
        if last and (token.kind != "month" or (not last.unit and last.number <= 31)):
            self._take_back()

    def _stop(self, token: _Token) -> None:
        self.open, self.joined, self.century, self.decade = False, "", 0, False
        if token.text == ";":
            self.part = None


def _continues(before: _Period, after: _Period) -> bool:
    """Whether a joined period goes on from the one before it; "83" after 1882 becomes 1883 on the way."""
    if before.unit == 10 and after.unit == 100 and not after.counted:
        after.unit = 10  # "1890s–1900s"
    if before.era == "bc" and not after.era and after.number < before.number:
        after.era = "bc"
    if before.reign and not after.unit and after.digits:
        after.number, after.unit = before.reign + after.number, 1
    elif after.unit in {0, 1, 10} and 0 < after.digits < before.digits < 9 and after.era in {"", "ad"}:
        after.number += before.number // 10**after.digits * 10**after.digits
        after.unit = after.unit or 1
    return bool(after.unit) and after.era != "passed" and after.years()[1] >= before.years()[0]


_STEPS: Mapping[str, Callable[[_Reader, _Token], None]] = {
    "number": _Reader._number, "roman": _Reader._roman, "ordinal": _Reader._ordinal, "last": _Reader._ordinal,
    "fraction": _Reader._fraction, "tens": _Reader._tens, "part": _Reader._named_part, "century": _Reader._century,
    "weak": _Reader._weak, "decade": _Reader._decade, "named": _Reader._reign, "reign": _Reader._reign,
    "period": _Reader._reign, "bc": _Reader._set_era, "ad": _Reader._set_era, "passed": _Reader._set_era,
    "suffix": _Reader._suffix, "join": _Reader._join, "month": _Reader._measure, "times": _Reader._measure,
    "measure": _Reader._measure, "stop": _Reader._stop, "other": _Reader._stop,
}  # fmt: skip
