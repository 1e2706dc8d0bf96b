"""Runs migrations on the connection it is given, within its transaction."""

from alembic import context

from runway_store_sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's
    render_as_batch=False,
)
context.run_migrations()
