"""Work that the service does after it has answered."""

from alembic import op

from vernissage.storage.schema import define

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table."""
    columns = (
        "number:counted id:words person:number@people? kind:words content:words payload:json state:words worker:words "
        "due:time? attempts:number progress:json? result:json? problem:json? created:time finished:time?"
    )
    states = "state IN ('waiting', 'running', 'done', 'failed')"
    define(
        op.create_table, "jobs", columns, key="number", unique=("id",), index=("person", "state number"), state=states
    )
