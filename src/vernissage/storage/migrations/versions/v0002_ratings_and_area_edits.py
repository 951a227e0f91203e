"""Ratings of works, and edits of areas of interest."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    words = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "ratings",
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("item", words, nullable=False),
        sa.Column("rating", sa.Double, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", "item", name="pk_ratings"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_ratings_person", ondelete="CASCADE"),
    )
    op.create_index("ix_ratings_item", "ratings", ["item"])
    op.create_table(
        "area_edits",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("kind", words, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_area_edits"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_area_edits_person", ondelete="CASCADE"),
        sa.CheckConstraint("kind IN ('mute', 'weight', 'merge', 'split', 'rename')", name=op.f("ck_area_edits_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_area_edits_person", "area_edits", ["person", "id"])
