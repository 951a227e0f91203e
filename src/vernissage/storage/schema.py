"""The tables of people and of what they gave; `migrations` makes them, and a test holds both together."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa

from vernissage.values import Modality

REVISION = "0013"
"""The migration that makes these tables; ``REVISION_TABLE`` has the number of the database's own in its only row."""
REVISION_TABLE = "vernissage_schema"

METADATA = sa.MetaData()

UploadModality = Literal["image", "text", "both", "video", "video-text"]

Visibility = Literal["private", "waiting", "shared", "hidden"]
"""Who may be shown an upload: its owner alone; the same until it was reviewed; others; the owner, by an operator."""

READ: Mapping[UploadModality, tuple[Modality, ...]] = MappingProxyType({
    "image": ("image",), "text": ("text",), "both": ("image", "text"), "video": ("video",),
    "video-text": ("video", "text"),
})  # fmt: skip
"""What is read of an upload of each kind."""


class UTCTime(sa.TypeDecorator[datetime]):
    """A time with its zone; SQLite, which has no zones, keeps UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


_KINDS: Mapping[str, Any] = {
    "counted": sa.Integer(),
    "number": sa.Integer(),
    "long": sa.BigInteger(),
    "real": sa.Double(),
    "flag": sa.Boolean(),
    # Compared and sorted byte by byte, so that both kinds of database put words in one order.
    "words": sa.String().with_variant(sa.String(collation="C"), "postgresql"),
    "json": sa.JSON(),
    "bytes": sa.LargeBinary(),
    "time": UTCTime(),
}


def define(
    make: Callable[..., sa.Table],
    name: str,
    columns: str,
    *,
    key: str,
    unique: tuple[str, ...] = (),
    index: tuple[str, ...] = (),
    never_reuse: bool = False,
    **checks: str,
) -> sa.Table:
    """Make a table of a description; migrations that were released call this, so what it makes never changes.

    Args:
        make: called with the name, the columns and the constraints.
        name: of the table.
        columns: ``name:kind`` each, see `_KINDS`; with ``?`` at the end the value may be missing. The database draws
            the numbers of ``counted``. After ``@``, the table by whose ``id`` a row is named, which goes with that row.
        key: the columns of the primary key.
        unique, index: the columns of each further constraint and index, which is named after its first column.
        never_reuse: whether numbers of deleted rows are not given again, on SQLite as they are not on PostgreSQL.
        checks: what must hold, by the name of the constraint.
    """
    parts: list[Any] = []
    references: list[Any] = []
    for column, described in (each.split(":") for each in columns.split()):
        kind, _, table = described.removesuffix("?").partition("@")
        counted = kind == "counted"
        parts.append(sa.Column(column, _KINDS[kind], nullable=described.endswith("?"), autoincrement=counted))
        if table:
            reference = f"fk_{name}_{column}"
            references.append(sa.ForeignKeyConstraint([column], [f"{table}.id"], name=reference, ondelete="CASCADE"))
    parts += [sa.PrimaryKeyConstraint(*key.split(), name=f"pk_{name}"), *references]
    parts += [sa.UniqueConstraint(*each.split(), name=f"uq_{name}_{each.split()[0]}") for each in unique]
    parts += [sa.CheckConstraint(holds, name=f"ck_{name}_{check}") for check, holds in checks.items()]
    parts += [sa.Index(f"ix_{name}_{each.split()[0]}", *each.split()) for each in index]
    return make(name, *parts, sqlite_autoincrement=never_reuse)


_table = partial(define, lambda name, *parts, **options: sa.Table(name, METADATA, *parts, **options))

STATE = _table("state", "id:number version:long kept_from:long", key="id", single_row="id = 1")
"""One row: the number of the latest change, and the change after which ``changes`` is complete."""

PEOPLE = _table("people", "id:counted name:words", key="id", unique=("name",))
"""The only table with names of people; every other row of a person is deleted with the one here."""

UPLOADS = _table(
    "uploads",
    "id:words person:number@people modality:words title:words text:words keywords:json picture:words "
    "picture_digest:words time:time version:long visibility:words? reviewed:time?",
    key="id",
    index=("person", "visibility"),
    modality="modality <> ''",
)
"""What people uploaded; ``picture`` is the file's name in the folder of uploads, empty without one.

``visibility`` is a `Visibility`; ``reviewed`` is when an operator let it be shown.
"""

VECTORS = _table(
    "vectors",
    "encoder:words modality:words fingerprint:words upload:words@uploads vector:bytes",
    key="encoder modality fingerprint upload",
    index=("upload",),
    modality="modality <> ''",
)
"""Vectors of uploads: float32, little-endian."""

COPIES = _table("copies", "upload:words@uploads name:words state:words", key="upload", index=("name", "state"))
"""What each upload shows or says: the same ``name`` as everything that is the same (see `workspace.copies`).

``state`` is that of the works with which the upload was compared.
"""

CHANGES = _table(
    "changes",
    "version:long upload:words kind:words",
    key="version upload",
    kind="kind IN ('added', 'encoded', 'removed', 'rated')",
)
"""What became of uploads, and which works were rated; ``upload`` is the id.

It refers to no other table, because a removed upload stays here until every reader could know.
"""

RATINGS = _table("ratings", "person:number@people item:words rating:real time:time", key="person item", index=("item",))

AREA_EDITS = _table(
    "area_edits",
    "id:counted person:number@people kind:words payload:json time:time",
    key="id",
    index=("person id",),
    kind="kind IN ('mute', 'weight', 'merge', 'split', 'rename')",
    never_reuse=True,
)
"""Edits of areas, in the order of their ids."""

TAGS = _table("tags", "tagger:words item:words tags:json", key="tagger item", index=("item",))
"""What a tagger found in a work or an upload."""

ERASURES = _table("erasures", "picture:words", key="picture")
"""What has yet to go from files: names of pictures, and an empty one for the database's bytes (see `erasure`)."""

API_KEYS = _table(
    "api_keys",
    "id:counted name:words digest:words scopes:json origins:json created:time revoked:time?",
    key="id",
    unique=("digest",),
    never_reuse=True,
)
"""Keys of the REST API; ``digest`` is the SHA-256 of the key, which is not kept."""

JOBS = _table(
    "jobs",
    "number:counted id:words person:number@people? kind:words content:words payload:json state:words worker:words "
    "due:time? attempts:number progress:json? result:json? problem:json? created:time finished:time?",
    key="number",
    unique=("id",),
    index=("person", "state number"),
    state="state IN ('waiting', 'running', 'done', 'failed')",
)
"""Work that the service does after it has answered, in the order of their numbers (see `jobs`).

``content`` is a digest of what was sent. ``due`` is when a waiting job may be begun, and a running one be taken over.
"""
CONSENTS = _table("consents", "person:number@people purpose:words given:time", key="person purpose")
"""What a person has agreed to, and since when."""

AUDIT = _table("audit", "id:counted time:time who:words what:words about:words", key="id", index=("time",))
"""What operators did, see `moderation`; ``about`` is the id of an upload or a work, or the number of a key."""

EVENTS = _table(
    "events",
    "recommendation:words item:words kind:words engine:words position:number split:words visitor:words? "
    "person:number@people? time:time",
    key="recommendation item kind",
    index=("visitor time", "person"),
    kind="kind IN ('shown', 'opened', 'kept', 'hidden')",
)
"""What became of works that were recommended (see `events`); a list without works is shown once, with an empty item.

``visitor`` is a pseudonym, which is erased after a while; ``split`` is how engines were assigned, empty where they were
not.
"""

STUDIES = _table("studies", "id:words paused:flag", key="id")
"""Studies by the id that their definition names."""

STUDY_PROVENANCES = _table(
    "study_provenances",
    "id:counted study:words@studies definition:words collection:words encoders:json software:words content:json "
    "frozen:time?",
    key="id",
    index=("study",),
)
"""What a study was when somebody took part: digests of definition and collection, encoders' fingerprints, version.

``content`` is the definition itself. ``frozen`` is when the first real participant made it the one that holds.
"""

STUDY_PARTICIPANTS = _table(
    "study_participants",
    "id:counted study:words@studies flag:words external_id:words key:words recruitment_study:words "
    "recruitment_session:words provenance:number@study_provenances square_row:number page:number page_since:time "
    "registered:time consented:time? age:number? gender:words equal_weights:flag finished:time? dropped:time? "
    "dropped_by:words first_visits:number?",
    key="id",
    unique=("key", "study flag external_id"),
    flag="flag IN ('participant', 'preview', 'robot')",
    dropped_by="dropped_by IN ('', 'experimenter', 'inactivity')",
    never_reuse=True,
)
"""Who takes part, and at which page; every other row of theirs goes when this one goes.

``page_since`` is when the page became the current one: the participant's last sign of activity. ``first_visits`` is how
many browsers came with the participant's id for the first time; missing where that was not counted.
"""

STUDY_ELICITATION = _table(
    "study_elicitation",
    "participant:number@study_participants position:number item:words rating:number? "
    "provenance:number@study_provenances?",
    key="participant position",
    unique=("participant item",),
    rating="rating BETWEEN 1 AND 5",
)
"""The works that a participant is asked to rate, and the ratings; both, or neither, of the last two are there."""

STUDY_LISTS = _table(
    "study_lists",
    "participant:number@study_participants engine:words rank:number item:words",
    key="participant engine rank",
    unique=("participant engine item",),
)
"""What each engine recommends to a participant: computed once, shown from here."""

STUDY_SCREENS = _table(
    "study_screens",
    "participant:number@study_participants position:number engine:words repetition:number",
    key="participant position",
    unique=("participant engine repetition",),
)
"""Which engine's list a participant sees on which screen."""

STUDY_ANSWERS = _table(
    "study_answers",
    "participant:number@study_participants engine:words repetition:number ratings:json seconds:real clock:words "
    "time:time provenance:number@study_provenances",
    key="participant engine repetition",
    seconds="seconds >= 0",
    clock="clock IN ('monotonic', 'utc', 'clamped')",
)
"""One answer for each participant, engine and repetition; ``ratings`` maps statements to 1 to 5."""
