"""Visitors whom callers name by ids of their own: their pseudonyms, and the engine that each is shown in a split."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Literal

from vernissage.errors import RequestError

SplitBy = Literal["visitor", "session"]


@dataclass(frozen=True)
class Trial:
    """Under which pseudonym, and in which kind of split, a recommendation is counted; empty for neither."""

    visitor: str = ""
    split: str = ""


class Visitors:
    """Pseudonyms and engines by keyed hashes: equal on every server with the secret, and to be foretold by nobody else.

    With ``shares``, engine → share of the visitors, or of the sessions where ``by`` says so, engines are compared.
    Sessions that are numbered 0, 1, 2 … alternate: the hash of the visitor is moved on by van der Corput's sequence
    (0, ½, ¼, ¾ …), so that the first two have both of two equal engines, and the first 2ᵏ keep all shares closely;
    a random shift of it as in Cranley and Patterson (SIAM J. Numer. Anal. 13, 1976, doi 10.1137/0713071).
    """

    def __init__(
        self, secret: bytes, shares: Mapping[str, float] | None = None, by: SplitBy = "visitor", days: int = 90
    ) -> None:
        """``days`` is for how long pseudonyms are kept."""
        self._key = hashlib.sha256(b"visitors\0" + secret).digest()
        self._shares, self._by, self._days = shares or {}, by, days

    def kept_from(self) -> datetime:
        """Since when pseudonyms are kept now."""
        return datetime.now(UTC) - timedelta(days=self._days)

    def trial(self, visitor: str | None, session: str | None, engine: str | None) -> tuple[Trial, str | None]:
        """How a request is counted, and by which engine it is answered; who names an ``engine`` is in no split."""
        if visitor is None:
            return Trial(), engine
        pseudonym = self._hash("pseudonym", visitor).hex()[:24]
        if engine is not None or not self._shares or (self._by == "session" and session is None):
            return Trial(pseudonym), engine
        which = session if self._by == "session" and session else ""
        numbered = which.isascii() and which.isdecimal()
        unit = int.from_bytes(self._hash("engine", visitor, "" if numbered else which)[:8], "big") / 2**64
        point = (unit + (_van_der_corput(int(which)) if numbered else 0)) % 1 * sum(self._shares.values())
        ends = zip(accumulate(self._shares.values()), self._shares, strict=True)
        return Trial(pseudonym, self._by), next((name for end, name in ends if point < end), [*self._shares][-1])

    def _hash(self, *parts: str) -> bytes:
        content = b"".join(len(raw).to_bytes(4, "big") + raw for part in parts for raw in [part.encode()])
        return hmac.new(self._key, content, hashlib.sha256).digest()


def _van_der_corput(number: int) -> float:
    """The binary digits of a number in reverse behind the point, in [0, 1)."""
    return int(f"{number:b}"[::-1], 2) / (1 << number.bit_length())


def read_shares(words: tuple[str, ...]) -> dict[str, float]:
    """Shares as ``lda=.5``, by engine.

    Raises:
        RequestError: fewer than two engines, one twice, or shares that are not above 0 with a sum of 1.
    """
    found: dict[str, float] = {}
    for word in words:
        name, _, share = word.rpartition("=")
        try:
            value = float(share)
        except ValueError:
            value = 0.0
        if not name or name in found or not 0 < value < 1:
            raise RequestError(f"{word!r} is no share of an engine; write each engine once, as in lda=.5")
        found[name] = value
    if words and (len(found) < 2 or abs(sum(found.values()) - 1) > 1e-6):
        raise RequestError(f"the shares of the split are {', '.join(words)}; name two engines or more, with a sum of 1")
    return found
