"""The tables of people and of what they gave; `migrations` makes them, and a test holds both together."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

REVISION = "0005"
"""The migration that makes these tables; ``REVISION_TABLE`` has the number of the database's own in its only row."""
REVISION_TABLE = "vernissage_schema"

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UTCTime(TypeDecorator[datetime]):
    """A time with its zone; SQLite, which has no zones, keeps UTC without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


def text() -> String:
    """Words compared and sorted byte by byte, so that both kinds of database put them in one order."""
    return String().with_variant(String(collation="C"), "postgresql")


STATE = Table(
    "state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("kept_from", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
"""One row: the number of the latest change, and the change after which ``changes`` is complete."""

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", text(), nullable=False, unique=True),
)
"""The only table with names of people; every other row of a person is deleted with the one here."""


def person_column(**options: Any) -> Column[int]:
    """A column that names the person and makes the row go with them."""
    return Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, **options)


UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", text(), primary_key=True),
    person_column(index=True),
    Column("modality", text(), nullable=False),
    Column("title", text(), nullable=False),
    Column("text", text(), nullable=False),
    Column("keywords", JSON, nullable=False),
    Column("picture", text(), nullable=False),
    Column("picture_digest", text(), nullable=False),
    Column("time", UTCTime, nullable=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("modality IN ('image', 'text', 'both')", name="modality"),
)
"""What people uploaded; ``picture`` is the file's name in the folder of uploads, empty without one."""

VECTORS = Table(
    "vectors",
    METADATA,
    Column("encoder", text(), primary_key=True),
    Column("modality", text(), primary_key=True),
    Column("fingerprint", text(), primary_key=True),
    Column("upload", ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("vector", LargeBinary, nullable=False),
    CheckConstraint("modality IN ('image', 'text')", name="modality"),
)
"""Vectors of uploads: float32, little-endian."""

CHANGES = Table(
    "changes",
    METADATA,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("upload", text(), primary_key=True),
    Column("kind", text(), nullable=False),
    CheckConstraint("kind IN ('added', 'encoded', 'removed', 'rated')", name="kind"),
)
"""What became of uploads, and which works were rated; ``upload`` is the id.

It refers to no other table, because a removed upload stays here until every reader could know.
"""

RATINGS = Table(
    "ratings",
    METADATA,
    person_column(primary_key=True),
    Column("item", text(), primary_key=True, index=True),
    Column("rating", Double, nullable=False),
    Column("time", UTCTime, nullable=False),
)

AREA_EDITS = Table(
    "area_edits",
    METADATA,
    Column("id", Integer, primary_key=True),
    person_column(),
    Column("kind", text(), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("time", UTCTime, nullable=False),
    Index("ix_area_edits_person", "person", "id"),
    CheckConstraint("kind IN ('mute', 'weight', 'merge', 'split', 'rename')", name="kind"),
    sqlite_autoincrement=True,
)
"""Edits of areas, in the order of their ids."""

TAGS = Table(
    "tags",
    METADATA,
    Column("tagger", text(), primary_key=True),
    Column("item", text(), primary_key=True, index=True),
    Column("tags", JSON, nullable=False),
)
"""What a tagger found in a work or an upload."""

STUDIES = Table(
    "studies",
    METADATA,
    Column("id", text(), primary_key=True),
    Column("paused", Boolean, nullable=False),
)
"""Studies by the id that their definition names."""

STUDY_PROVENANCES = Table(
    "study_provenances",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("definition", text(), nullable=False),
    Column("collection", text(), nullable=False),
    Column("encoders", JSON, nullable=False),
    Column("software", text(), nullable=False),
    Column("content", JSON, nullable=False),
    Column("frozen", UTCTime),
)
"""What a study was when somebody took part: digests of definition and collection, encoders' fingerprints, version.

``content`` is the definition itself. ``frozen`` is when the first real participant made it the one that holds.
"""

STUDY_PARTICIPANTS = Table(
    "study_participants",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    Column("flag", text(), nullable=False),
    Column("external_id", text(), nullable=False),
    Column("key", text(), nullable=False, unique=True),
    Column("recruitment_study", text(), nullable=False),
    Column("recruitment_session", text(), nullable=False),
    Column("provenance", ForeignKey("study_provenances.id", ondelete="CASCADE"), nullable=False),
    Column("square_row", Integer, nullable=False),
    Column("page", Integer, nullable=False),
    Column("page_since", UTCTime, nullable=False),
    Column("registered", UTCTime, nullable=False),
    Column("consented", UTCTime),
    Column("age", Integer),
    Column("gender", text(), nullable=False),
    Column("equal_weights", Boolean, nullable=False),
    Column("finished", UTCTime),
    Column("dropped", UTCTime),
    Column("dropped_by", text(), nullable=False),
    UniqueConstraint("study", "flag", "external_id"),
    CheckConstraint("flag IN ('participant', 'preview', 'robot')", name="flag"),
    CheckConstraint("dropped_by IN ('', 'experimenter', 'inactivity')", name="dropped_by"),
    sqlite_autoincrement=True,
)
"""Who takes part, and at which page; every other row of theirs goes when this one goes.

``page_since`` is when the page became the current one: the participant's last sign of activity.
"""


def participant_column() -> Column[int]:
    """A column that names the participant and makes the row go with them."""
    return Column("participant", ForeignKey("study_participants.id", ondelete="CASCADE"), primary_key=True)


STUDY_ELICITATION = Table(
    "study_elicitation",
    METADATA,
    participant_column(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("item", text(), nullable=False),
    Column("rating", Integer),
    Column("provenance", ForeignKey("study_provenances.id", ondelete="CASCADE")),
    UniqueConstraint("participant", "item"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
)
"""The works that a participant is asked to rate, and the ratings; both, or neither, of the last two are there."""

STUDY_LISTS = Table(
    "study_lists",
    METADATA,
    participant_column(),
    Column("engine", text(), primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("item", text(), nullable=False),
    UniqueConstraint("participant", "engine", "item"),
)
"""What each engine recommends to a participant: computed once, shown from here."""

STUDY_SCREENS = Table(
    "study_screens",
    METADATA,
    participant_column(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("engine", text(), nullable=False),
    Column("repetition", Integer, nullable=False),
    UniqueConstraint("participant", "engine", "repetition"),
)
"""Which engine's list a participant sees on which screen."""

STUDY_ANSWERS = Table(
    "study_answers",
    METADATA,
    participant_column(),
    Column("engine", text(), primary_key=True),
    Column("repetition", Integer, primary_key=True, autoincrement=False),
    Column("ratings", JSON, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("clock", text(), nullable=False),
    Column("time", UTCTime, nullable=False),
    Column("provenance", ForeignKey("study_provenances.id", ondelete="CASCADE"), nullable=False),
    CheckConstraint("seconds >= 0", name="seconds"),
    CheckConstraint("clock IN ('monotonic', 'utc', 'clamped')", name="clock"),
)
"""One answer for each participant, engine and repetition; ``ratings`` maps statements to 1 to 5."""
