"""Which uploads are the same as a work or as another upload."""

from alembic import op

from vernissage.storage.schema import define

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    define(
        op.create_table, "copies", "upload:words@uploads name:words state:words", key="upload", index=("name", "state")
    )
