"""What became of works that were recommended."""

from alembic import op

from vernissage.storage.schema import define

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    columns = (
        "recommendation:words item:words kind:words engine:words position:number split:words visitor:words? "
        "person:number@people? time:time"
    )
    kinds = "kind IN ('shown', 'opened', 'kept', 'hidden')"
    key, index = "recommendation item kind", ("visitor time", "person")
    define(op.create_table, "events", columns, key=key, index=index, kind=kinds)
