"""Ratings of works, and edits of areas of interest."""

from alembic import op

from vernissage.storage.schema import define

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    define(
        op.create_table,
        "ratings",
        "person:number@people item:words rating:real time:time",
        key="person item",
        index=("item",),
    )
    define(
        op.create_table,
        "area_edits",
        "id:counted person:number@people kind:words payload:json time:time",
        key="id",
        index=("person id",),
        kind="kind IN ('mute', 'weight', 'merge', 'split', 'rename')",
        never_reuse=True,
    )
