"""Bring an empty database to the current schema, by the migrations."""

from authserver.admin.schema import upgrade
from authserver.runtime import Settings
from authserver.runtime.engine import make_engine


def migrate(url: str) -> None:
    """Run all migrations."""
    engine = make_engine(Settings(issuer="https://login.example.com", database_url=url))
    upgrade(engine)
    engine.dispose()
