"""Keys of the REST API, by digests."""

from alembic import op

from vernissage.storage.schema import define

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    columns = "id:counted name:words digest:words scopes:json origins:json created:time revoked:time?"
    define(op.create_table, "api_keys", columns, key="id", unique=("digest",), never_reuse=True)
