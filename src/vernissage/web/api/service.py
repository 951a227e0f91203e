"""A collection as a server answers from it: its present state, addresses of works and pictures, signed tokens."""

import base64
import hashlib
import logging
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from vernissage.catalog.item import Item
from vernissage.catalog.keys import id_of, key_of
from vernissage.errors import Kind, UnknownItemError, VernissageError
from vernissage.gallery.answer import Answer, record_of
from vernissage.gallery.gallery import Gallery
from vernissage.pages.works import alt_text
from vernissage.taggers.contract import Tags
from vernissage.web.api.bodies import RecommendationRequest
from vernissage.web.api.problems import ProblemError
from vernissage.web.thumbnails import BytesCache, Thumbnails
from vernissage.workspace.repository import Snapshot

ROOT = "/api/v1"
REFRESH_SECONDS = 1.0
"""How often a server looks for what other processes built and uploaded."""

LONGEST_TOKEN = 6_000
"""Characters of a recommendation's id, which stands in addresses: servers and proxies take 8,000 in all."""

_ANSWERS_BYTES = 32 * 1024**2
_SHOWN_WIDTH = 320
_log = logging.getLogger("vernissage.web")


@dataclass(frozen=True, eq=False)
class _State:
    """One snapshot, and what is looked up in it."""

    snapshot: Snapshot
    fingerprint: str

    @cached_property
    def pictures(self) -> Mapping[str, int]:
        """The row of each leading picture by the first half of its SHA-256."""
        digests = self.snapshot.collection.texts("picture_digest")
        return {digest[:32]: row for row, digest in enumerate(digests) if digest}


class Service:
    """A gallery that is served; safe to share among threads.

    It follows the workspace: what is built or uploaded by others is taken in between two requests, never within one.
    """

    def __init__(self, gallery: Gallery, secret: bytes, public_url: str = "") -> None:
        """``secret`` signs and encrypts tokens; ``public_url`` begins all addresses, else what was asked for does."""
        self.gallery = gallery
        self.public_url = public_url.rstrip("/")
        self.thumbnails = Thumbnails()
        self.answers = BytesCache(_ANSWERS_BYTES)
        self._cipher = AESGCMSIV(hashlib.sha256(b"recommendations\0" + secret).digest())
        self._stop = threading.Event()
        self._kept: _State | None = None
        self._watch = threading.Thread(target=self._follow, name="refresh", daemon=True)

    def start(self) -> None:
        """Begin to follow the workspace."""
        self._watch.start()

    def stop(self) -> None:
        """Stop following, and close the database."""
        self._stop.set()
        if self._watch.is_alive():
            self._watch.join(5)
        self.gallery.close()

    def _follow(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            try:
                self.gallery.refresh()
            except VernissageError as error:
                _log.error("the state before goes on: %s", error)

    @property
    def state(self) -> _State:
        """The present state."""
        snapshot, kept = self.gallery.snapshot, self._kept
        if kept is None or kept.snapshot.workspace is not snapshot.workspace:
            self._kept = kept = _State(snapshot, self.gallery.fingerprint)
        return kept

    # Works

    def item(self, name: str) -> Item:
        """The work that an address names, by its key or by its id.

        Raises:
            UnknownItemError: there is none.
        """
        collection = self.gallery.collection
        item_id = id_of(name)
        return collection[item_id if item_id is not None and item_id in collection else name]

    def known(self, ids: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
        """The ids that works of the collection have, and what to say of the others."""
        there = dict.fromkeys(ids, False) | {each: True for each in ids if each in self.gallery.collection}
        unknown = [{"id": each, "why": "the collection has no such work"} for each, known in there.items() if not known]
        return [each for each, known in there.items() if known], unknown

    def record(self, item: Item, base: str) -> dict[str, Any]:
        """What is known of one work, with its addresses."""
        content = record_of(item)
        self._address(content, item, base, self.gallery.snapshot.seen([item.id]).get(item.id, ()))
        return content

    def content(self, answer: Answer, base: str, *, explain: bool = True) -> dict[str, Any]:
        """An answer as JSON values, its works with their addresses."""
        content = answer.to_dict()
        parts = [(answer.works, content["works"])]
        parts += [
            (each.works, made["works"]) for each, made in zip(answer.lists, content.get("lists", ()), strict=True)
        ]
        seen = self.gallery.snapshot.seen({work.id for works, _ in parts for work in works})
        for works, records in parts:
            for work, record in zip(works, records, strict=True):
                self._address(record, work.item, base, seen.get(work.id, ()))
                if not explain:
                    record["reasons"] = []
        return content

    def _address(self, content: dict[str, Any], item: Item, base: str, tags: Tags) -> None:
        """Fill in where a work and its pictures are to be had."""
        key = quote(key_of(item.id))
        content["url"] = f"{base}{ROOT}/works/{key}"
        digests = [digest for _, digest in item.pictures if digest]
        content["pictures"] = []
        path = self._picture(item) if digests else None
        sizes = self.thumbnails.sizes(path, digests[0]) if path is not None else ()
        if sizes:
            place = f"{base}{ROOT}/thumbnails/{digests[0][:32]}"
            width, height = next((size for size in sizes if size[0] >= _SHOWN_WIDTH), sizes[-1])
            content["thumbnail"] = {
                "src": f"{place}/{width}.jpg",
                "srcset": ", ".join(f"{place}/{each}.jpg {each}w" for each, _ in sizes),
                "width": width,
                "height": height,
                "alt": alt_text(item, tags).text,
            }
            content["pictures"] = [f"{place}/{sizes[-1][0]}.jpg"]

    def _picture(self, item: Item) -> Path | None:
        """Where the picture of a work lies; None where it is of an upload, which only its owner may let others see."""
        if item.id not in self.gallery.collection:
            return None
        with suppress(VernissageError):
            return self.gallery.snapshot.picture_path(item)
        return None

    def picture(self, name: str, width: int, kind: Any) -> bytes:
        """A picture of the collection by the beginning of its digest.

        Raises:
            UnknownItemError: there is none, or not in that width.
        """
        state = self.state
        row = state.pictures.get(name)
        if row is not None:
            [item] = state.snapshot.collection.take([row])
            path = state.snapshot.picture_path(item)
            content = None if path is None else self.thumbnails.get(path, item.picture_digest, width, kind)
            if content is not None:
                return content
        raise UnknownItemError("there is no such picture in that width; take the address from a work's thumbnail")

    # Tokens of recommendations

    def token(self, request: RecommendationRequest, shown: int) -> str | None:
        """What names a recommendation so that more of it can be asked for; None where it would be too long.

        It is encrypted: ratings are a person's. It holds all that is needed, so that every process can read it, and is
        good for the state of the collection that it was made in.
        """
        content = [self.gallery.fingerprint, shown, request.model_dump(exclude_defaults=True)]
        packed = zlib.compress(orjson.dumps(content), 9)
        nonce = hashlib.sha256(packed).digest()[:12]  # of a cipher that no repeated nonce breaks
        token = base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, packed, None)).decode().rstrip("=")
        return token if len(token) <= LONGEST_TOKEN else None

    def read_token(self, token: str) -> tuple[RecommendationRequest, int]:
        """What `token` made it of, and how many works were shown.

        Raises:
            ProblemError: this server did not make it (404), or of a state that is no longer served (410).
        """
        try:
            raw = base64.urlsafe_b64decode(token[:LONGEST_TOKEN] + "=" * (-len(token) % 4))
            fingerprint, shown, asked = orjson.loads(zlib.decompress(self._cipher.decrypt(raw[:12], raw[12:], None)))
            request = RecommendationRequest.model_validate(asked)
        except (ValueError, InvalidTag, zlib.error):
            told = "this server has made no such recommendation; take recommendation_id from an answer, as it stands"
            raise ProblemError(404, told) from None
        if fingerprint != self.gallery.fingerprint:
            raise ProblemError(410, "the collection has changed since; ask for recommendations anew")
        return request, int(shown)

    # Requests

    def recommend(self, request: RecommendationRequest, base: str, shown: int = 0) -> dict[str, Any]:
        """Works for ratings, after those that were ``shown`` already, as JSON values.

        Raises:
            RatingsError, RequestError: the request cannot be answered.
        """
        given = {**request.ratings, **dict.fromkeys(request.disliked, 1.0), **dict.fromkeys(request.liked, 5.0)}
        if twice := sorted({*request.liked} & {*request.disliked}):
            raise VernissageError(f"{twice[0]} is both liked and disliked; name it once", kind=Kind.BAD_REQUEST)
        there, unused = self.known(list(given))
        ratings = {item_id: given[item_id] for item_id in there}
        if given and not ratings:
            raise VernissageError(
                f"none of the {len(given)} rated works is in this collection, for example {next(iter(given))}; "
                f"{ROOT}/works lists ids",
                kind=Kind.BAD_REQUEST,
            )
        answer = self.gallery.recommend(
            ratings,
            shown + request.limit,
            engine=request.engine,
            rule=request.rule,
            where=request.where,
            exclude=request.exclude,
            per=request.per,
            diversity=request.diversity,
            weights=request.weights,
        )
        content = self.content(answer, base, explain=request.explain)
        content["works"] = content["works"][shown:]
        token = self.token(request, shown + len(content["works"]))
        if token is None:
            content["notes"].append("more of this list cannot be asked for: its ratings are too many for an address")
        return {"recommendation_id": token, "unused": unused} | content
