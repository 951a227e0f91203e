"""People, what they upload, its vectors, and the log of changes."""

from alembic import op

from vernissage.storage.schema import define

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the one row of the state."""
    state = define(op.create_table, "state", "id:number version:long kept_from:long", key="id", single_row="id = 1")
    op.bulk_insert(state, [{"id": 1, "version": 0, "kept_from": 0}])
    define(op.create_table, "people", "id:counted name:words", key="id", unique=("name",))
    define(
        op.create_table,
        "uploads",
        "id:words person:number@people modality:words title:words text:words keywords:json picture:words "
        "picture_digest:words time:time version:long",
        key="id",
        index=("person",),
        modality="modality IN ('image', 'text', 'both')",
    )
    define(
        op.create_table,
        "vectors",
        "encoder:words modality:words fingerprint:words upload:words@uploads vector:bytes",
        key="encoder modality fingerprint upload",
        index=("upload",),
        modality="modality IN ('image', 'text')",
    )
    define(
        op.create_table,
        "changes",
        "version:long upload:words kind:words",
        key="version upload",
        kind="kind IN ('added', 'encoded', 'removed')",
    )
