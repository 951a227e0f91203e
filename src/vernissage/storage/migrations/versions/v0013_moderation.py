"""Who may be shown an upload, and what operators did."""

import sqlalchemy as sa
from alembic import op

from vernissage.storage.schema import define

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Uploads that were there were shown to others, and go on to be; nobody has reviewed them."""
    words = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.add_column("uploads", sa.Column("visibility", words, nullable=True))
    op.add_column("uploads", sa.Column("reviewed", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_uploads_visibility", "uploads", ["visibility"])
    op.execute("UPDATE uploads SET visibility = 'shared'")
    define(op.create_table, "audit", "id:counted time:time who:words what:words about:words", key="id", index=("time",))
    columns = "person:number@people purpose:words given:time"
    define(op.create_table, "consents", columns, key="person purpose")
