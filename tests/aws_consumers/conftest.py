"""The server that the emulations talk to: one for all tests that only look, and one of a test's own where time must pass."""

from collections.abc import Iterator
from typing import Any

import pytest

from authserver.app import create_app
from authserver.runtime import Runtime
from tests import databases
from tests.aws_consumers.world import World, on_loopback
from tests.clock import Clock
from tests.factories import insert_keys, make_settings, make_test_runtime


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """A server whose clock nobody moves."""
    database, clock = databases.start("sqlite"), Clock()
    runtime = make_test_runtime(make_settings(database_url=database.new()), clock)
    insert_keys(runtime)
    application = create_app(runtime)
    with on_loopback(application) as place:
        yield World(runtime, clock, place, application)
    runtime.engine.dispose()
    database.stop()


@pytest.fixture
def own_world(runtime: Runtime, clock: Clock, app: Any) -> Iterator[World]:
    """A server of this test's own."""
    with on_loopback(app) as place:
        yield World(runtime, clock, place, app)
