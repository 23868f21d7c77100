"""What the console makes (secrets, links, passwords, cookies) is shown once, and is in no log line and in no row afterwards."""

import logging
import re
from typing import Any

import pytest
from sqlalchemy import select

from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.runtime import Runtime
from authserver.store import metadata
from authserver.store.base import transaction
from tests.factories import REDIRECT_URI, make_client
from tests.http_client import Answer, InProcess
from tests.pages import Form, read

PASSWORD = "canary-password-of-the-owner-3c1f"


def form_to(http: InProcess, path: str) -> Form:
    page = read(http.get(path))
    return next(form for form in page.forms if form.method == "post" and not form.action.endswith("sign-out"))


def secret_on(answer: Answer) -> str:
    """The secret that a page shows."""
    found = re.search(r"[>\s\"]([A-Za-z0-9_-]{43})[<\s\"]", answer.text)
    assert found is not None
    return found[1]


@pytest.mark.spec("ASVS 5.0", "16.2.5")
def test_what_is_shown_once_is_kept_nowhere(http: InProcess, console: Any, runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with transaction(runtime.engine) as db:
        link = setup_link(Operation(db, runtime))
    form = next(form for form in read(http.get(link)).forms if "token" in form.fields)
    assert form.submit(http, email="first@example.com", password=PASSWORD, repeated=PASSWORD).status == 303
    canaries = [link.rpartition("=")[2], PASSWORD]

    owner = console()
    created = form_to(owner, "/admin/applications/new/service").submit(owner, name="Billing")
    shown = owner.get(str(created.location))
    canaries.append(secret_on(shown))
    assert canaries[-1] not in owner.get(str(created.location)).text, "it is shown once"

    made = make_client(runtime, "web", redirect_uris=[REDIRECT_URI])
    rotated = form_to(owner, f"/admin/applications/credentials/{made.client_id}").submit(owner, overlap="7")
    canaries += [secret_on(owner.get(str(rotated.location))), str(made.secret)]
    driven = form_to(owner, f"/admin/applications/test-drive/{made.client_id}").submit(owner)
    canaries += [value for name, value in owner.cookies().items() if "test-drive" in name]
    assert driven.status == 303

    invited = form_to(owner, "/admin/users/invite").submit(owner, email="new@example.com")
    page = owner.get(str(invited.location)) if invited.status == 303 else invited
    token = re.search(r"/password\?token=([A-Za-z0-9_-]{43})", page.text)
    assert token is not None
    canaries += [token[1], *(value for value in owner.cookies().values() if value)]

    with transaction(runtime.engine) as db:
        rows = [str(row) for table in metadata.sorted_tables for row in db.execute(select(table))]
    for canary in canaries:
        assert len(canary) > 20
        assert not [row for row in rows if canary in row], "in the database"
        assert canary not in caplog.text
        assert not [record for record in caplog.records if canary in str(vars(record))], "in a log line"
