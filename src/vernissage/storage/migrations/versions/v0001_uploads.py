"""People, what they upload, its vectors, and the log of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the one row of the state."""
    words = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    state = op.create_table(
        "state",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kept_from", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_state"),
        sa.CheckConstraint("id = 1", name=op.f("ck_state_single_row")),
    )
    op.bulk_insert(state, [{"id": 1, "version": 0, "kept_from": 0}])
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", words, nullable=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("modality", words, nullable=False),
        sa.Column("title", words, nullable=False),
        sa.Column("text", words, nullable=False),
        sa.Column("keywords", sa.JSON, nullable=False),
        sa.Column("picture", words, nullable=False),
        sa.Column("picture_digest", words, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_uploads_person", ondelete="CASCADE"),
        sa.CheckConstraint("modality IN ('image', 'text', 'both')", name=op.f("ck_uploads_modality")),
    )
    op.create_index("ix_uploads_person", "uploads", ["person"])
    op.create_table(
        "vectors",
        sa.Column("encoder", words, nullable=False),
        sa.Column("modality", words, nullable=False),
        sa.Column("fingerprint", words, nullable=False),
        sa.Column("upload", words, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("encoder", "modality", "fingerprint", "upload", name="pk_vectors"),
        sa.ForeignKeyConstraint(["upload"], ["uploads.id"], name="fk_vectors_upload", ondelete="CASCADE"),
        sa.CheckConstraint("modality IN ('image', 'text')", name=op.f("ck_vectors_modality")),
    )
    op.create_index("ix_vectors_upload", "vectors", ["upload"])
    op.create_table(
        "changes",
        sa.Column("version", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("upload", words, nullable=False),
        sa.Column("kind", words, nullable=False),
        sa.PrimaryKeyConstraint("version", "upload", name="pk_changes"),
        sa.CheckConstraint("kind IN ('added', 'encoded', 'removed')", name=op.f("ck_changes_kind")),
    )
