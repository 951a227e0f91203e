"""A study stays what it was when its first real participant came."""

from datetime import datetime

from sqlalchemy import Connection

from vernissage.errors import StudyError
from vernissage.storage.studies import Provenance, enter_provenance, freeze, frozen_provenance
from vernissage.storage.study_participants import Flag
from vernissage.study.definition import changed_keys


def check_unchanged(connection: Connection, study: str, provenance: Provenance) -> None:
    """Check that a study may go on with this definition and workspace.

    Raises:
        StudyError: real participants took part with others; the message says what differs.
    """
    held = frozen_provenance(connection, study)
    if held is None or held[0].same_as(provenance):
        return
    before, since = held
    raise StudyError(
        f"the study {study!r} began on {since:%Y-%m-%d %H:%M} UTC, and since then {_what_changed(before, provenance)} "
        f"changed; put that back, or give the definition another id to start anew (the answers so far stay under "
        f"{study!r})"
    )


def hold_to(connection: Connection, study: str, provenance: Provenance, flag: Flag, now: datetime) -> int:
    """The number of the provenance that a new participation has; the first real participant freezes it.

    Raises:
        StudyError: as in `check_unchanged`, for real participants.
    """
    if flag == "participant":
        check_unchanged(connection, study, provenance)
    number = enter_provenance(connection, study, provenance)
    if flag == "participant" and frozen_provenance(connection, study) is None:
        freeze(connection, number, now)
    return number


def _what_changed(before: Provenance, after: Provenance) -> str:
    changed = []
    if before.definition != after.definition:
        keys = ", ".join(changed_keys(before.content, after.content)[:5])
        changed.append(f"the definition ({keys or 'what later versions added'})")
    if before.collection != after.collection:
        changed.append("the collection")
    encoders = sorted(
        name for name in {*before.encoders, *after.encoders} if before.encoders.get(name) != after.encoders.get(name)
    )
    if encoders:
        changed.append(f"the workspace's encoders ({', '.join(encoders)})")
    return " and ".join(changed)
