"""An operation on the test's database, committed after each step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from authserver.admin.authority import Authority
from authserver.admin.operation import Operation
from authserver.runtime import Runtime
from authserver.store.audit import AuditEvent, list_events
from authserver.store.base import transaction
from tests.admin.configuration_files import Files


@pytest.fixture
def operating(runtime: Runtime) -> Callable[[], Any]:
    """`with operating() as operation:` is one transaction."""

    @contextmanager
    def begin() -> Iterator[Operation]:
        with transaction(runtime.engine) as db:
            yield Operation(db, runtime, Authority("tester"))

    return begin


@pytest.fixture
def act(operating: Callable[[], Any]) -> Callable[..., Any]:
    """`act(create_client, "web", "Name", {})` is one transaction around one function."""

    def run(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with operating() as operation:
            return function(operation, *arguments, **named)

    return run


@pytest.fixture
def events(operating: Callable[[], Any]) -> Callable[..., list[AuditEvent]]:
    """The audit events, all or of one action."""

    def read(action: str = "") -> list[AuditEvent]:
        with operating() as operation:
            return [event for event in list_events(operation.db) if event.action.startswith(action)]

    return read


@pytest.fixture
def files(runtime: Runtime, tmp_path: Path) -> Files:
    """Configuration files, compared with and applied to the test's database."""
    return Files(runtime, tmp_path)
