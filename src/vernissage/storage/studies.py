"""Studies in the database: what each was when people took part, and whether it is paused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from vernissage.storage.schema import STUDIES, STUDY_PROVENANCES
from vernissage.storage.words import checked_name


@dataclass(frozen=True)
class Provenance:
    """What answers depend on.

    Attributes:
        definition: the digest of the study's definition, whose values are ``content``.
        collection: the collection's fingerprint.
        encoders: encoder name → its fingerprint.
        software: the version of Vernissage; another one does not make it another study.
    """

    definition: str
    collection: str
    encoders: Mapping[str, str]
    software: str
    content: Mapping[str, Any]

    def same_as(self, other: "Provenance") -> bool:
        """Whether both are one study over one workspace."""
        mine, theirs = (self.definition, self.collection), (other.definition, other.collection)
        return mine == theirs and dict(self.encoders) == dict(other.encoders)


def study_ids(connection: Connection) -> tuple[str, ...]:
    """All studies of which something is kept, by id."""
    return tuple(connection.scalars(select(STUDIES.c.id).order_by(STUDIES.c.id)))


def enter_study(connection: Connection, study: str) -> None:
    """Make a study's row where there is none.

    Raises:
        StorageError: the id is empty, too long, or holds control characters.
    """
    if connection.scalar(select(STUDIES.c.id).where(STUDIES.c.id == study)) is None:
        connection.execute(insert(STUDIES).values(id=checked_name("id of a study", study), paused=False))


def is_paused(connection: Connection, study: str) -> bool:
    """Whether a study is paused; False where nothing is kept of it."""
    return bool(connection.scalar(select(STUDIES.c.paused).where(STUDIES.c.id == study)))


def set_paused(connection: Connection, study: str, paused: bool) -> None:
    """Pause a study, or let it go on."""
    enter_study(connection, study)
    connection.execute(update(STUDIES).where(STUDIES.c.id == study).values(paused=paused))


def enter_provenance(connection: Connection, study: str, provenance: Provenance) -> int:
    """The number that stands for a provenance in other tables, given to it where it has none."""
    query = select(STUDY_PROVENANCES).where(STUDY_PROVENANCES.c.study == study)
    for row in connection.execute(query.order_by(STUDY_PROVENANCES.c.id)):
        if _provenance(row) == provenance:
            known: int = row.id
            return known
    values = {
        "study": study, "definition": provenance.definition, "collection": provenance.collection,
        "encoders": dict(provenance.encoders), "software": provenance.software, "content": dict(provenance.content),
    }  # fmt: skip
    number: int = connection.execute(
        insert(STUDY_PROVENANCES).values(values).returning(STUDY_PROVENANCES.c.id)
    ).scalar_one()
    return number


def freeze(connection: Connection, provenance: int, time: datetime) -> None:
    """Make a provenance the one that holds."""
    connection.execute(update(STUDY_PROVENANCES).where(STUDY_PROVENANCES.c.id == provenance).values(frozen=time))


def frozen_provenance(connection: Connection, study: str) -> tuple[Provenance, datetime] | None:
    """What a study was when its first real participant came, and when that was; None before."""
    query = select(STUDY_PROVENANCES).where(STUDY_PROVENANCES.c.study == study, STUDY_PROVENANCES.c.frozen.is_not(None))
    row = connection.execute(query.order_by(STUDY_PROVENANCES.c.id).limit(1)).one_or_none()
    return None if row is None else (_provenance(row), row.frozen)


def provenances_of(connection: Connection, study: str) -> dict[int, Provenance]:
    """All provenances of a study, by number."""
    query = select(STUDY_PROVENANCES).where(STUDY_PROVENANCES.c.study == study).order_by(STUDY_PROVENANCES.c.id)
    return {row.id: _provenance(row) for row in connection.execute(query)}


def _provenance(row: Row[Any]) -> Provenance:
    return Provenance(row.definition, row.collection, row.encoders, row.software, row.content)
