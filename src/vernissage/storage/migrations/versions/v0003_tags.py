"""Tags that taggers found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    words = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "tags",
        sa.Column("tagger", words, nullable=False),
        sa.Column("item", words, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("tagger", "item", name="pk_tags"),
    )
    op.create_index("ix_tags_item", "tags", ["item"])
