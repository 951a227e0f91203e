"""Studies, who takes part in them, and what they answer."""

from alembic import op

from vernissage.storage.schema import define

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    define(op.create_table, "studies", "id:words paused:flag", key="id")
    define(
        op.create_table,
        "study_provenances",
        "id:counted study:words@studies definition:words collection:words encoders:json software:words content:json "
        "frozen:time?",
        key="id",
        index=("study",),
    )
    define(
        op.create_table,
        "study_participants",
        "id:counted study:words@studies flag:words external_id:words key:words recruitment_study:words "
        "recruitment_session:words provenance:number@study_provenances square_row:number page:number page_since:time "
        "registered:time consented:time? age:number? gender:words equal_weights:flag finished:time? dropped:time? "
        "dropped_by:words",
        key="id",
        unique=("key", "study flag external_id"),
        flag="flag IN ('participant', 'preview', 'robot')",
        dropped_by="dropped_by IN ('', 'experimenter', 'inactivity')",
        never_reuse=True,
    )
    define(
        op.create_table,
        "study_elicitation",
        "participant:number@study_participants position:number item:words rating:number? "
        "provenance:number@study_provenances?",
        key="participant position",
        unique=("participant item",),
        rating="rating BETWEEN 1 AND 5",
    )
    define(
        op.create_table,
        "study_lists",
        "participant:number@study_participants engine:words rank:number item:words",
        key="participant engine rank",
        unique=("participant engine item",),
    )
    define(
        op.create_table,
        "study_screens",
        "participant:number@study_participants position:number engine:words repetition:number",
        key="participant position",
        unique=("participant engine repetition",),
    )
    define(
        op.create_table,
        "study_answers",
        "participant:number@study_participants engine:words repetition:number ratings:json seconds:real clock:words "
        "time:time provenance:number@study_provenances",
        key="participant engine repetition",
        seconds="seconds >= 0",
        clock="clock IN ('monotonic', 'utc', 'clamped')",
    )
