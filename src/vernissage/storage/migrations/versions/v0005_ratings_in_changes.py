"""Ratings in the log of changes."""

from alembic import op

revision = "0005"
down_revision = "0004"

_KINDS = "kind IN ('added', 'encoded', 'removed', 'rated')"
_COLUMNS = "version BIGINT NOT NULL, upload VARCHAR NOT NULL, kind VARCHAR NOT NULL"


def upgrade() -> None:
    """Let entries be of the kind ``rated``."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_changes_kind"), "changes", type_="check")
        op.create_check_constraint(op.f("ck_changes_kind"), "changes", _KINDS)
        return
    # SQLite cannot change a constraint: a new table takes the place of the former.
    op.execute("ALTER TABLE changes RENAME TO former_changes")
    op.execute(
        f"CREATE TABLE changes ({_COLUMNS}, CONSTRAINT pk_changes PRIMARY KEY (version, upload), "
        f"CONSTRAINT ck_changes_kind CHECK ({_KINDS}))"
    )
    op.execute("INSERT INTO changes SELECT version, upload, kind FROM former_changes")
    op.execute("DROP TABLE former_changes")
