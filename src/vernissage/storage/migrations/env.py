"""Alembic's entry: run migrations on the connection, and in the transaction, that `migrate` hands over."""

from alembic import context

from vernissage.storage.schema import METADATA, REVISION_TABLE

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=REVISION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
