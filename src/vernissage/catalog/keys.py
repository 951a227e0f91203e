"""Ids as file names and addresses: a reversible key that every file system and every server takes as it stands."""

import re
from functools import lru_cache

PART_LENGTH = 200
"""Characters of one part of a key, so that it is a file name of at most 255 bytes with any ending."""

_PLAIN = re.compile(r"(?:[a-z0-9-]|(?<=[a-z0-9-])\.(?=[a-z0-9-]))+")
_KEY = re.compile(r"(?:[a-z0-9.-]|_[0-9a-f]{2})+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
"""Names that Windows keeps for devices, whatever follows their first full stop."""


@lru_cache(16_384)
def key_of(item_id: str) -> str:
    """The key of an id: ``v041`` stays, ``AIC/1934.12 é`` becomes ``_41_49_43_2f1934.12_20_c3_a9``.

    Small letters a to z, digits, hyphens and full stops between two of these stay; every other byte of the UTF-8 is
    ``_`` and two hexadecimal digits, capital letters too, because some file systems do not tell them from small ones.
    Keys of more than 200 characters are parts with ``/`` between them, folders on a disk. `id_of` reverses it.
    """
    pieces, start = [], 0
    for plain in _PLAIN.finditer(item_id):
        pieces += [_escaped(item_id[start : plain.start()]), plain.group()]
        start = plain.end()
    key = "".join([*pieces, _escaped(item_id[start:])])
    parts = []
    while key:
        length = min(PART_LENGTH, len(key))
        while length < len(key) and key[length - 1] == ".":  # Windows drops a full stop at the end of a name
            length -= 1
        part, key = key[:length], key[length:]
        parts.append(_escaped(part[0]) + part[1:] if _RESERVED.match(part) or part[0] == "." else part)
    return "/".join(parts)


def id_of(key: str) -> str | None:
    """The id that `key_of` made a key of; None for what it makes of none."""
    whole = key.replace("/", "")  # a part may end within what stands for a byte
    if not _KEY.fullmatch(whole):
        return None
    read = re.sub(r"_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), whole)
    try:
        item_id = read.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    return item_id if key_of(item_id) == key else None


def _escaped(text: str) -> str:
    return "".join(f"_{byte:02x}" for byte in text.encode())
