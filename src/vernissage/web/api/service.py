"""A collection as a server answers from it: its present state, addresses of works and pictures, signed tokens."""

import base64
import hashlib
import logging
import secrets
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from vernissage import storage
from vernissage.catalog.item import Item
from vernissage.catalog.keys import id_of
from vernissage.errors import RequestError, UnknownItemError, VernissageError
from vernissage.files import digest
from vernissage.gallery.answer import Answer
from vernissage.gallery.gallery import Gallery
from vernissage.pages.addresses import Addressed, Addresses
from vernissage.pages.thumbnails import BytesCache, Thumbnails
from vernissage.sentences import Sentence, translated
from vernissage.storage.people import PeopleRules
from vernissage.web.api.bodies import RecommendationRequest
from vernissage.web.api.problems import ProblemError
from vernissage.web.operations import Metrics
from vernissage.web.visitors import Trial, Visitors
from vernissage.workspace.repository import Snapshot

if TYPE_CHECKING:
    from vernissage.storage.schema import Visibility

ROOT = "/api/v1"
REFRESH_SECONDS = 0.5
"""How often a server looks for what other processes built and uploaded."""

LONGEST_TOKEN = 6_000
"""Characters of a recommendation's id, which stands in addresses: servers and proxies take 8,000 in all."""

_ERASE_SECONDS = 3600.0
"""How often pseudonyms are looked for whose time is over."""

USUAL_RULES = PeopleRules(uploads=1_000, picture_bytes=1024**3, ratings=10_000)
"""What may be kept of each person over HTTP."""

_ANSWERS_BYTES = 32 * 1024**2
_UNKNOWN = Sentence("the collection has no such work")
_log = logging.getLogger("vernissage.web")


@dataclass(frozen=True, eq=False)
class _State:
    """One snapshot, and what is looked up in it."""

    snapshot: Snapshot
    fingerprint: str
    records: dict[Any, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def pictures(self) -> Mapping[str, tuple[int, int]]:
        """The row of a work and the place among its pictures, by the first half of each one's SHA-256."""
        return {name[:32]: place for name, place in self.snapshot.collection.picture_places().items()}


@dataclass(frozen=True)
class Recommended:
    """What a recommendation's id says.

    Attributes:
        key: a name of its own, as no two answers have.
        fingerprint: of the state of the collection that it was made in.
        request: what was asked for; ``shown`` is how many works of that list were shown so far.
        engine: what made it; ``trial`` is how it is counted, without a pseudonym whose time is over.
        made: when the list was first asked for, in seconds since 1970.
        digests: of the works of this answer, in order, see `digest_of_work`.
    """

    key: str
    fingerprint: str
    request: RecommendationRequest
    shown: int
    engine: str
    trial: Trial
    made: float
    digests: tuple[bytes, ...]

    def position(self, item_id: str) -> int | None:
        """The place of a work in the list, from 1; None where it is not in this answer."""
        work, before = digest_of_work(item_id), self.shown - len(self.digests)
        return before + self.digests.index(work) + 1 if work in self.digests else None


def digest_of_work(item_id: str) -> bytes:
    """Four bytes, since there may be 200 in an address."""
    return hashlib.blake2b(item_id.encode("utf-8", "replace"), digest_size=4).digest()


class Service:
    """A gallery that is served; safe to share among threads.

    It follows the workspace: what is built or uploaded by others is taken in between two requests, never within one.
    """

    def __init__(
        self,
        gallery: Gallery,
        secret: bytes,
        public_url: str = "",
        metrics: Metrics | None = None,
        visitors: Visitors | None = None,
        *,
        review: bool = False,
        rules: PeopleRules = USUAL_RULES,
        pages: bool = False,
    ) -> None:
        """``secret`` signs and encrypts tokens; ``public_url`` begins all addresses, else what was asked for does.

        With ``review`` uploads that their owners share are shown to others once an operator has approved them.
        ``rules`` say what may be kept of each person. Where ``pages`` for visitors are served beside it, the addresses
        of works lead to them.
        """
        gallery.repository.rules = rules
        self.sharing: Visibility = "waiting" if review else "shared"
        self.gallery = gallery
        self.metrics = metrics or Metrics()
        self.public_url = public_url.rstrip("/")
        self.visitors = visitors or Visitors(secret)
        self.thumbnails = Thumbnails()
        self.answers = BytesCache(_ANSWERS_BYTES)
        self._pages = pages
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
        erased = -_ERASE_SECONDS
        while not self._stop.wait(REFRESH_SECONDS):
            try:
                self.gallery.refresh()
                if time.monotonic() - erased >= _ERASE_SECONDS:
                    erased = time.monotonic()
                    self._erase()
            except VernissageError as error:
                _log.error("the state before goes on: %s", error)

    def _erase(self) -> None:
        """Take out pseudonyms whose time is over, and files of what was deleted while the database was busy."""
        repository, before = self.gallery.repository, self.visitors.kept_from()
        if repository.existing_database is not None:
            with repository.existing_database.writing() as connection:
                storage.events.erase_visitors(connection, before)
            storage.erasure.resume_erasures(repository.existing_database, repository.uploads_folder)

    @property
    def state(self) -> _State:
        """The present state."""
        snapshot, kept = self.gallery.snapshot, self._kept
        if kept is None or kept.snapshot.workspace is not snapshot.workspace:
            self._kept = kept = _State(snapshot, self.gallery.fingerprint)
        return kept

    # Works

    def item(self, name: str) -> Item:
        """The work that an address names, by its key or by its id. Raises UnknownItemError: there is none."""
        return self.gallery.collection[self.item_id(name)]

    def item_id(self, name: str) -> str:
        """The id of that work; errors as in `item`."""
        collection, item_id = self.gallery.collection, id_of(name)
        found = item_id if item_id is not None and item_id in collection else name
        collection.rows_of([found])
        return found

    def known(self, ids: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
        """The ids that works of the collection have, and what to say of the others."""
        there = dict.fromkeys(ids, False) | {each: True for each in ids if each in self.gallery.collection}
        unknown = [{"id": each, "why": _UNKNOWN} for each, known in there.items() if not known]
        return [each for each, known in there.items() if known], unknown

    def addressed(self, base: str, *, data: bool = False) -> Addressed:
        """Records of works with addresses that begin with ``base``: of their pages where there are any.

        With ``data``, of what the API says of them, which never depends on pages.
        """
        base = base.replace("{", "{{").replace("}", "}}")
        root = f"{base}{ROOT}"
        places = Addresses(
            f"{base if self._pages and not data else root}/works/{{key}}",
            f"{root}/thumbnails/{{picture}}/{{width}}.{{kind}}",
            f"{root}/iiif/3/manifest/{{key}}",
        )
        snapshot, state = self.gallery.snapshot, self.state
        kept = state.records if state.snapshot.workspace is snapshot.workspace else {}  # else it was swapped just now
        return Addressed(snapshot, self.thumbnails, places, kept)

    def picture(self, name: str, width: int, kind: Any) -> bytes:
        """A picture of the collection by the beginning of its digest.

        Raises:
            UnknownItemError: there is none, or not in that width.
        """
        state = self.state
        if name in state.pictures:
            row, place = state.pictures[name]
            [item] = state.snapshot.collection.take([row])
            path, picture = state.snapshot.collection.picture_path(item, place), item.pictures[place][1]
            content = None if path is None else self.thumbnails.get(path, picture, width, kind)
            if content is not None:
                return content
        raise UnknownItemError("there is no such picture in that width; take the address from a work's thumbnail")

    # Tokens of recommendations

    def token(
        self, request: RecommendationRequest, shown: int, engine: str, ids: Sequence[str], trial: Trial, made: float
    ) -> str | None:
        """What names a recommendation so that more of it can be asked for; None where it would be too long.

        It is encrypted: ratings are a person's. It holds all that is needed, so that every process can read it, and
        more of it is to be had in the state of the collection that it was made in. ``shown`` is how many works of the
        list were shown so far, those of ``ids`` last; ``made`` is when it was first asked for, in seconds since 1970.
        """
        works = b"".join(map(digest_of_work, ids))
        content = [self.gallery.fingerprint, shown, request.model_dump(exclude_defaults=True), engine]
        content += [trial.visitor, trial.split, int(made), base64.b64encode(works).decode()]
        packed = zlib.compress(orjson.dumps(content), 9)
        nonce = secrets.token_bytes(12)  # which names this answer too: two visitors may ask for the same
        token = base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, packed, None)).decode().rstrip("=")
        return token if len(token) <= LONGEST_TOKEN else None

    def recommended(self, token: str) -> Recommended:
        """What `token` made it of, in whichever state of the collection.

        Raises:
            ProblemError: this server did not make it (404).
        """
        try:
            raw = base64.urlsafe_b64decode(token[:LONGEST_TOKEN] + "=" * (-len(token) % 4))
            content = orjson.loads(zlib.decompress(self._cipher.decrypt(raw[:12], raw[12:], None)))
            fingerprint, shown, asked, engine, visitor, split, made, works = content
            request = RecommendationRequest.model_validate(asked)
        except (ValueError, InvalidTag, zlib.error):
            told = "this server has made no such recommendation; take recommendation_id from an answer, as it stands"
            raise ProblemError(404, told) from None
        packed = base64.b64decode(works)
        digests = tuple(packed[place : place + 4] for place in range(0, len(packed), 4))
        # A pseudonym whose time is over must not come back into the database by a late event.
        trial = Trial(visitor if made >= self.visitors.kept_from().timestamp() else "", split)
        return Recommended(raw[:12].hex(), fingerprint, request, int(shown), engine, trial, made, digests)

    def read_token(self, token: str) -> Recommended:
        """As `recommended`, to go on with.

        Raises:
            ProblemError: this server did not make it (404), or of a state that is no longer served (410).
        """
        found = self.recommended(token)
        if found.fingerprint != self.gallery.fingerprint:
            raise ProblemError(410, "the collection has changed since; ask for recommendations anew")
        return found

    # Requests

    def answered(self, request: RecommendationRequest, n: int) -> tuple[Answer, list[dict[str, str]]]:
        """The ``n`` works for ratings, and what to say of ratings that were left out.

        Raises:
            RatingsError, RequestError: the request cannot be answered.
        """
        given = {**request.ratings, **dict.fromkeys(request.disliked, 1.0), **dict.fromkeys(request.liked, 5.0)}
        if twice := sorted({*request.liked} & {*request.disliked}):
            raise RequestError(f"{twice[0]} is both liked and disliked; name it once")
        if not given:
            raise RequestError('no works were rated; rate at least one, such as {"ratings": {"ID": 5}}')
        there, unused = self.known(list(given))
        if not there:
            raise RequestError(
                f"none of the {len(given)} rated works is in this collection, for example {next(iter(given))}; "
                f"{ROOT}/works lists ids"
            )
        answer = self.gallery.recommend(
            {item_id: given[item_id] for item_id in there},
            n,
            engine=request.engine,
            rule=request.rule,
            where=request.where,
            exclude=request.exclude,
            per=request.per,
            diversity=request.diversity,
            weights=request.weights,
        )
        return answer, unused

    def recommend(self, request: RecommendationRequest, base: str, before: Recommended | None = None) -> dict[str, Any]:
        """Works for ratings, after those that were shown ``before``, as JSON values.

        Raises:
            RatingsError, RequestError: the request cannot be answered.
        """
        trial, request = self._counted(request)
        shown = before.shown if before else 0
        content = self._works(request, base, shown)
        ids, made = [work["id"] for work in content["works"]], before.made if before else time.time()
        count = shown + len(ids)
        token = self.token(request, count, content["engine"], ids, before.trial if before else trial, made)
        if token is None:
            told = "more of this list cannot be asked for: its ratings are too many for an address"
            content["notes"].append(Sentence(told))
        return {"recommendation_id": token} | content

    def recommend_json(self, request: RecommendationRequest, base: str, language: str) -> bytes:
        """As `recommend`, told in a language. Works are kept for equal requests of one state, but each answer has an id
        of its own, since events are counted by it; of who asked, nothing is kept.

        Raises:
            RatingsError, RequestError: the request cannot be answered.
        """
        trial, asked = self._counted(request)
        key = (self.gallery.fingerprint, self.gallery.snapshot.version, base, language, asked.model_dump_json())

        def make() -> bytes:
            content = self._works(asked, base, 0)
            about = [content["engine"], [work["id"] for work in content["works"]]]
            return orjson.dumps(about) + b"\n" + orjson.dumps(translated(content, language))

        about, _, works = self.answers.get(digest(repr(key).encode()), make).partition(b"\n")
        engine, ids = orjson.loads(about)
        token = self.token(asked, len(ids), engine, ids, trial, time.time())
        if token is None:  # a note says so, which is not kept with the works
            return orjson.dumps(translated(self.recommend(request, base), language))
        return b'{"recommendation_id":"%s",%s' % (token.encode(), works[1:])

    def _counted(self, request: RecommendationRequest) -> tuple[Trial, RecommendationRequest]:
        """How a request is counted, and the request by the engine of its visitor, without who asks."""
        trial, engine = self.visitors.trial(request.visitor, request.session, request.engine)
        return trial, request.model_copy(update={"engine": engine, "visitor": None, "session": None})

    def _works(self, request: RecommendationRequest, base: str, shown: int) -> dict[str, Any]:
        began = time.perf_counter()
        answer, unused = self.answered(request, shown + request.limit)
        ranked = time.perf_counter()
        content = self.addressed(base).answer(answer, explain=request.explain)
        self.metrics.recommended(answer.engine, self.gallery.engines, ranked - began, time.perf_counter() - ranked)
        return {"unused": unused} | content | {"works": content["works"][shown:]}
