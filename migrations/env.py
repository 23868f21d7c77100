"""How Alembic runs the migrations: on the connection that admin/schema.py hands over, in one transaction of ours."""

from alembic import context

from authserver.store import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, render_as_batch=connection.dialect.name == "sqlite")
context.run_migrations()
