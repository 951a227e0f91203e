"""The year that a museum's date means."""

import re

_CENTURY_WORDS = (
    r"(?:century|centuries|cent\.?|c\.?|jahrhunderts?|jh\.?|si[eè]cle|s\.|secolo|sec\.|siglo|s[eé]culo|eeuw)"
)
_ROMAN = re.compile(
    rf"\b(?:([ivx]+)(?:er|e|ème|eme)?\s*{_CENTURY_WORDS}|(?:siglo|secolo|sec\.|s[eé]culo|s\.)\s*([ivx]+))(?=\W|$)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(\d{1,2})\s?(?:st|nd|rd|th|er|e|ème)?\b\.?(?:\s*[-–—/]\s*\d{1,2}(?:st|nd|rd|th)?)?"
    rf"\s*[-–]?{_CENTURY_WORDS}(?=\W|$)",
    re.IGNORECASE,
)
_MILLENNIUM = re.compile(r"\b(\d)(?:st|nd|rd|th)\s+millennium", re.IGNORECASE)
_BEFORE_CHRIST = r"(?:b\.?\s?c\.?(?:\s?e\.?)?|v\.\s?chr\.?|av\.?\s?j\.?-?c\.?|a\.\s?c\.)(?!\w)"
_OLD = re.compile(rf"\b(\d{{1,5}})(?:\s*(?:[-–—/]|to|or)\s*\d{{1,5}})?\s*{_BEFORE_CHRIST}", re.IGNORECASE)
_ERA = re.compile(
    r"\b(?:a\.?\s?d\.?|c\.?\s?e\.?)\s*(\d{1,4})\b"
    r"|\b(\d{1,4})(?:\s*[-–—]\s*\d{1,4})?\s*(?:a\.?\s?d\.?|c\.?\s?e\.?)(?!\w)",
    re.IGNORECASE,
)
_ISLAMIC = re.compile(r"\ba\.?\s?h\.?\s*\d{1,4}(?:\s*[-–—]\s*\d{1,4})?|\b\d{1,4}\s*a\.?\s?h\.?(?!\w)", re.IGNORECASE)
_HIDDEN_DIGITS = re.compile(r"(?<!\d)(\d{2})(?:(\d)[-?_*]|[-?_*]{2})(?!\w)")
_NEGATIVE = re.compile(r"\s*-0*(\d{1,5})(?!\d)")
_PLAIN = re.compile(r"(?<!\d)(?<!\d,)(\d{4}(?!\d)|\d{3}(?![\d*?_]|-(?!\d)))(?!,\d{3})")
_SHARES = {"first half": 25, "second half": 75, "early": 15, "late": 85, "beginning": 10, "end": 90}
_LATEST = 2200


def year_number(date: str) -> int | None:
    """The first year that a date names, negative before Christ; None where it names none.

    "c. 1710" is 1710, "1882–83" 1882, "1829, exhibited 1831" 1829, "500 BCE" −500. A century stands for its middle
    ("18th century" is 1750), moved to 15 and 85 by "early" and "late". Common forms of other languages are read
    ("XVIIIe siècle", "18. Jahrhundert"). An Islamic year is passed over for the Christian one beside it.
    """
    plain = _ISLAMIC.sub(" ", date)
    negative = _NEGATIVE.match(plain)
    if negative:
        return -int(negative[1])
    found = [match for match in (_period(plain), _year(plain)) if match]
    return min(found)[1] if found else None


def _year(date: str) -> tuple[int, int] | None:
    """Position and year of the first year written in digits."""
    found = []
    if old := _OLD.search(date):
        found.append((old.start(), -int(old[1])))
    if era := _ERA.search(date):
        found.append((era.start(), int(era[1] or era[2])))
    if hidden := _HIDDEN_DIGITS.search(date):
        found.append((hidden.start(), int(hidden[1]) * 100 + (int(hidden[2]) * 10 + 5 if hidden[2] else 50)))
    found += [(match.start(), int(match[1])) for match in _PLAIN.finditer(date) if int(match[1]) <= _LATEST]
    # The era stands after the number: "500 BCE" must not be met as a plain 500 first.
    return min(found, default=None)


def _period(date: str) -> tuple[int, int] | None:
    """Position and middle of the first century or millennium."""
    span = 1000
    match = _MILLENNIUM.search(date)
    if match is None:
        span = 100
        match = _ORDINAL.search(date) or _ROMAN.search(date)
    if match is None:
        return None
    written = next(group for group in match.groups() if group)
    count = int(written) if written.isdigit() else _roman(written)
    before_christ = re.match(rf"\s*{_BEFORE_CHRIST}", date[match.end() :], re.IGNORECASE) is not None
    words = date[: match.start()].lower()
    # How far into the period a word such as "early" points, in hundredths.
    share = next((share for name, share in _SHARES.items() if re.search(rf"\b{name}\b", words)), 50)
    start = -count * span if before_christ else (count - 1) * span
    return match.start(), start + share * span // 100


def _roman(numeral: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[letter] for letter in numeral.lower()]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))
