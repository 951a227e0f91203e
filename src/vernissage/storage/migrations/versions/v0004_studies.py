"""Studies, who takes part in them, and what they answer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _words() -> sa.types.TypeEngine[str]:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _cascade(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def upgrade() -> None:
    """Make the tables."""
    _make_studies()
    _make_participants()
    _make_elicitation()
    _make_assessment()


def _make_studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", _words(), nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
    )
    op.create_table(
        "study_provenances",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("study", _words(), nullable=False),
        sa.Column("definition", _words(), nullable=False),
        sa.Column("collection", _words(), nullable=False),
        sa.Column("encoders", sa.JSON, nullable=False),
        sa.Column("software", _words(), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("frozen", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_study_provenances"),
        _cascade("study_provenances", "study", "studies"),
    )
    op.create_index("ix_study_provenances_study", "study_provenances", ["study"])


def _make_participants() -> None:
    name = "study_participants"
    op.create_table(
        name,
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("study", _words(), nullable=False),
        sa.Column("flag", _words(), nullable=False),
        sa.Column("external_id", _words(), nullable=False),
        sa.Column("key", _words(), nullable=False),
        sa.Column("recruitment_study", _words(), nullable=False),
        sa.Column("recruitment_session", _words(), nullable=False),
        sa.Column("provenance", sa.Integer, nullable=False),
        sa.Column("square_row", sa.Integer, nullable=False),
        sa.Column("page", sa.Integer, nullable=False),
        sa.Column("page_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consented", sa.DateTime(timezone=True)),
        sa.Column("age", sa.Integer),
        sa.Column("gender", _words(), nullable=False),
        sa.Column("equal_weights", sa.Boolean, nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("dropped", sa.DateTime(timezone=True)),
        sa.Column("dropped_by", _words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        _cascade(name, "study", "studies"),
        _cascade(name, "provenance", "study_provenances"),
        sa.UniqueConstraint("key", name=f"uq_{name}_key"),
        sa.UniqueConstraint("study", "flag", "external_id", name=f"uq_{name}_study"),
        sa.CheckConstraint("flag IN ('participant', 'preview', 'robot')", name=op.f(f"ck_{name}_flag")),
        sa.CheckConstraint("dropped_by IN ('', 'experimenter', 'inactivity')", name=op.f(f"ck_{name}_dropped_by")),
        sqlite_autoincrement=True,
    )


def _make_elicitation() -> None:
    op.create_table(
        "study_elicitation",
        sa.Column("participant", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("item", _words(), nullable=False),
        sa.Column("rating", sa.Integer),
        sa.Column("provenance", sa.Integer),
        sa.PrimaryKeyConstraint("participant", "position", name="pk_study_elicitation"),
        _cascade("study_elicitation", "participant", "study_participants"),
        _cascade("study_elicitation", "provenance", "study_provenances"),
        sa.UniqueConstraint("participant", "item", name="uq_study_elicitation_participant"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_study_elicitation_rating")),
    )
    op.create_table(
        "study_lists",
        sa.Column("participant", sa.Integer, nullable=False),
        sa.Column("engine", _words(), nullable=False),
        sa.Column("rank", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("item", _words(), nullable=False),
        sa.PrimaryKeyConstraint("participant", "engine", "rank", name="pk_study_lists"),
        _cascade("study_lists", "participant", "study_participants"),
        sa.UniqueConstraint("participant", "engine", "item", name="uq_study_lists_participant"),
    )


def _make_assessment() -> None:
    op.create_table(
        "study_screens",
        sa.Column("participant", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("engine", _words(), nullable=False),
        sa.Column("repetition", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("participant", "position", name="pk_study_screens"),
        _cascade("study_screens", "participant", "study_participants"),
        sa.UniqueConstraint("participant", "engine", "repetition", name="uq_study_screens_participant"),
    )
    op.create_table(
        "study_answers",
        sa.Column("participant", sa.Integer, nullable=False),
        sa.Column("engine", _words(), nullable=False),
        sa.Column("repetition", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("ratings", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("clock", _words(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provenance", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("participant", "engine", "repetition", name="pk_study_answers"),
        _cascade("study_answers", "participant", "study_participants"),
        _cascade("study_answers", "provenance", "study_provenances"),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_study_answers_seconds")),
        sa.CheckConstraint("clock IN ('monotonic', 'utc', 'clamped')", name=op.f("ck_study_answers_clock")),
    )
