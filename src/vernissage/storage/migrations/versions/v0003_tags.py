"""Tags that taggers found."""

from alembic import op

from vernissage.storage.schema import define

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    define(op.create_table, "tags", "tagger:words item:words tags:json", key="tagger item", index=("item",))
