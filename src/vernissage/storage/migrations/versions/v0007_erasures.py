"""Erasures under way."""

from alembic import op

from vernissage.storage.schema import define

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    define(op.create_table, "erasures", "picture:words", key="picture")
