"""Uploads and vectors of any modality that has a card."""

from alembic import op

from vernissage.storage.schema import define

revision = "0009"
down_revision = "0008"

_NAMED = "modality <> ''"
_UPLOADS = (
    "id:words person:number@people modality:words title:words text:words keywords:json picture:words "
    "picture_digest:words time:time version:long"
)
_VECTORS = "encoder:words modality:words fingerprint:words upload:words@uploads vector:bytes"


def upgrade() -> None:
    """Let the database take any word for a modality; the code knows which there are."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("uploads", "vectors"):
            op.drop_constraint(op.f(f"ck_{table}_modality"), table, type_="check")
            op.create_check_constraint(op.f(f"ck_{table}_modality"), table, _NAMED)
        return
    # SQLite cannot change a constraint: new tables take the places of the former. What refers to uploads moves with
    # them, else dropping the former uploads would delete it.
    tables = {"uploads": ("person",), "vectors": ("upload",), "copies": ("name", "state")}
    for table, indexes in tables.items():
        for index in indexes:
            op.execute(f"DROP INDEX ix_{table}_{index}")
        op.execute(f"ALTER TABLE {table} RENAME TO former_{table}")
    define(op.create_table, "uploads", _UPLOADS, key="id", index=("person",), modality=_NAMED)
    key = "encoder modality fingerprint upload"
    define(op.create_table, "vectors", _VECTORS, key=key, index=("upload",), modality=_NAMED)
    copies = "upload:words@uploads name:words state:words"
    define(op.create_table, "copies", copies, key="upload", index=("name", "state"))
    for table in tables:
        op.execute(f"INSERT INTO {table} SELECT * FROM former_{table}")  # noqa: S608  (names from above)
    for table in reversed(tables):
        op.execute(f"DROP TABLE former_{table}")
