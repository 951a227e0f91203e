"""People and places that never were."""

from vernissage_lab.sample.noise import Rng

_FIRST = (
    "Ilse", "Marek", "Ottoline", "Teodor", "Hedda", "Aurelio", "Solveig", "Casimir", "Noor", "Benedikt", "Ysolde",
    "Rafael", "Philippa", "Anselm", "Mirela", "Joost", "Clemence", "Emeka", "Freydis", "Lazar", "Tamsin",
    "Valdemar", "Perpetua", "Hiroshi",
)  # fmt: skip
_LAST = (
    "Vantorre", "Dolinarek", "Farrowmere", "Wiernicki", "Lindqvarn", "Braccioli", "Tveterås", "Oblonsky-Hart",
    "Quillfeather",
    "Steenhaven", "Marchbanksen", "Okonrade", "Drostevik", "Pellamont", "Zerafin", "Aldersgaard", "Corvinelli",
    "Hathersedge",
    "Immerfeldt", "Juranovic-Bell", "Kestermann", "Lorrimond", "Nakatomori", "Ravensholt",
)  # fmt: skip

PLACES = (
    "Skarnholm", "Port Averil", "Lindenau", "Vallombria", "Marrow Quay", "Sint-Elde", "Koronice", "Tarnwick",
    "Bellecombe-sur-Orle",
    "Østervik", "Ravella", "Hathermouth", "Zeldenrust", "Pont-Amaury", "Grauweiler", "Castel Morane",
)  # fmt: skip
PEAKS = (
    "Weisshornli",
    "Tindfjell",
    "Sasso Grigio",
    "Aiguille Perdue",
    "Krivan Vrh",
    "Old Maud",
    "Storhammer",
    "Cima Velata",
)


def invent_name(rng: Rng, *, woman: bool) -> str:
    """A first and a last name; women's and men's first names take turns in the list."""
    first = _FIRST[2 * int(rng.integers(len(_FIRST) // 2)) + (0 if woman else 1)]
    return f"{first} {_LAST[rng.integers(len(_LAST))]}"


def artist_of(group: int, rng: Rng) -> tuple[str, int]:
    """One of a group's seven artists, two of whom it shares with the next group, and the year their work began."""
    number = group * 5 + int(rng.integers(7))
    name = f"{_FIRST[number % len(_FIRST)]} {_LAST[(number * 7 + number // len(_FIRST)) % len(_LAST)]}"
    return name, 1872 + (number * 13) % 58


def dated(began: int, rng: Rng) -> str:
    """A date as museums write it, within 35 years of the beginning."""
    year = began + int(rng.integers(35))
    forms = (f"{year}", f"{year}", f"{year}", f"c. {year}", f"{year}–{(year + 1) % 100:02d}")
    return forms[rng.integers(len(forms))]
