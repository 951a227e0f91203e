"""Keys of the REST API: what each may do, and from pages of which sites. The keys themselves are not kept."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, insert, select, update

from vernissage.errors import Kind, RequestError
from vernissage.storage.schema import API_KEYS
from vernissage.storage.validation import checked_name
from vernissage.values import Scope

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_PREFIX = "vk_"


@dataclass(frozen=True)
class StoredKey:
    """A key, without what opens anything.

    Attributes:
        number: by which it is revoked.
        name: what it is for, in the operator's words.
        scopes: what it may do; see `Scope`.
        origins: of sites whose pages may use it, such as ``https://museum.example``; any program may where there is
            none. A key with origins is no secret, since every visitor can read it, so it may only read and send events.
        revoked: since when it is refused; None while it holds.
    """

    number: int
    name: str
    scopes: frozenset[Scope]
    origins: frozenset[str]
    created: datetime
    revoked: datetime | None
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values, without the digest."""
        return {
            "key": self.number,
            "name": self.name,
            "scopes": sorted(self.scopes),
            "origins": sorted(self.origins),
            "created": self.created.isoformat(timespec="seconds"),
            "revoked": self.revoked and self.revoked.isoformat(timespec="seconds"),
        }


def create_key(
    connection: Connection, name: str, scopes: Sequence[str], origins: Sequence[str], time: datetime
) -> tuple[int, str]:
    """Make a key and keep its digest; returns its number and the key, which is to be had only now.

    Raises:
        RequestError: no scope or an unknown one, an origin that is none, or another scope with an origin.
    """
    if not scopes or (unknown := sorted(set(scopes) - set(get_args(Scope)))):
        told = f"the scope {unknown[0]!r} is unknown" if scopes else "no scope was named"
        raise RequestError(f"{told}; choose from {', '.join(get_args(Scope))}")
    if wrong := [each for each in origins if not _ORIGIN.fullmatch(each)]:
        raise RequestError(f"{wrong[0]!r} is no origin; write it as https://museum.example, without a path")
    if origins and (too_much := sorted(set(scopes) - {"read", "events"})):
        raise RequestError(
            f"every visitor can read a key that pages use, so it must not have the scope {too_much[0]}; leave the "
            f"origins out, or that scope"
        )
    key = _PREFIX + secrets.token_urlsafe(24)
    row = {"name": checked_name("name of a key", name), "digest": digest_of(key), "created": time}
    row |= {"scopes": sorted(set(scopes)), "origins": sorted(set(origins))}
    number: int = connection.execute(insert(API_KEYS).values(row).returning(API_KEYS.c.id)).scalar_one()
    return number, key


def all_keys(connection: Connection) -> tuple[StoredKey, ...]:
    """Every key that was ever made, in that order."""
    return tuple(
        StoredKey(row.id, row.name, frozenset(row.scopes), frozenset(row.origins), row.created, row.revoked, row.digest)
        for row in connection.execute(select(API_KEYS).order_by(API_KEYS.c.id))
    )


def revoke_key(connection: Connection, number: int, time: datetime) -> None:
    """Refuse a key from now on. Raises RequestError: there is no such key, or it was revoked before."""
    holds = (API_KEYS.c.id == number) & API_KEYS.c.revoked.is_(None)
    if not connection.execute(update(API_KEYS).where(holds).values(revoked=time)).rowcount:
        raise RequestError(f"there is no key {number} that holds; `admin keys` lists them", kind=Kind.NOT_FOUND)


def digest_of(key: str) -> str:
    """What is kept of a key: 192 random bits need no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
