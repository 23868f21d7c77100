"""Fixtures of the tests of the console: browsers in which an administrator of some role is signed in."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.runtime import Runtime
from authserver.store.base import transaction
from tests.administrators import sign_in_to_console
from tests.factories import Person, make_user
from tests.http_client import InProcess


@pytest.fixture(autouse=True)
def _own(runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)


@pytest.fixture
def administrator(runtime: Runtime) -> Callable[..., Person]:
    """Make a person of a role: `administrator("support")`."""

    def make(role: str = "owner", **changes: Any) -> Person:
        person = make_user(runtime, **changes)
        with transaction(runtime.engine) as db:
            give_role(Operation(db, runtime), person.user, role)
        return person

    return make


@pytest.fixture
def console(app: Any, settings: Any, administrator: Callable[..., Person]) -> Callable[..., InProcess]:
    """A browser in which somebody of a role is signed in to the console: `console("support")`."""

    def open_browser(role: str = "owner", person: Person | None = None) -> InProcess:
        person = person or administrator(role)
        if person.user.subject and role != "owner":
            administrator("owner")  # without an owner nobody signs in
        http = InProcess(app, settings.issuer)
        sign_in_to_console(http, person)
        return http

    return open_browser
