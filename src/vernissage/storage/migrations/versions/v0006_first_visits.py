"""How many browsers a participant came with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of former participants it is unknown."""
    op.add_column("study_participants", sa.Column("first_visits", sa.Integer(), nullable=True))
