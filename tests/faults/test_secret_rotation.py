"""A secret is rotated with overlap, in the console, while a client keeps fetching tokens: none is refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.store.base import transaction
from tests.administrators import sign_in_to_console
from tests.factories import make_client, make_user
from tests.http_client import OverNetwork
from tests.pages import read

pytestmark = [pytest.mark.slow]
ROUNDS = 5


class Fetcher(threading.Thread):
    """Fetches tokens with a secret, which may be changed, until it is told to stop."""

    def __init__(self, issuer: str, client_id: str, secret: str) -> None:
        super().__init__()
        self.http, self.client_id, self.secret = OverNetwork(issuer), client_id, secret
        self.statuses: list[int] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret}
            self.statuses.append(self.http.post("/oauth2/token", form).status)


def test_a_secret_is_rotated_without_a_single_refused_token(serve: Callable[..., Any]) -> None:
    server = serve(workers=2)
    runtime = server.runtime
    made = make_client(runtime, "service", token_endpoint_auth_method="client_secret_post")
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
        give_role(Operation(db, runtime), person.user, "owner")
    browser = OverNetwork(server.issuer)
    assert sign_in_to_console(browser, person).status == 200
    fetcher = Fetcher(server.issuer, made.client_id, str(made.secret))
    fetcher.start()
    try:
        for _ in range(ROUNDS):
            page = read(browser.get(f"/admin/applications/credentials/{made.client_id}"))
            form = next(form for form in page.forms if "overlap" in form.fields or "overlap" in form.types or "rotate" in form.action)
            answer = form.submit(browser, overlap="7")
            assert answer.status == 303, read(answer).text
            shown = read(browser.get(str(answer.location)))
            secret = next(word for word in shown.text.split() if len(word) == 43)
            seen = len(fetcher.statuses)
            fetcher.secret = secret
            while len(fetcher.statuses) < seen + 20:
                fetcher.stopped.wait(0.01)
    finally:
        fetcher.stopped.set()
        fetcher.join()
    assert len(fetcher.statuses) >= 20 * ROUNDS
    assert set(fetcher.statuses) == {200}
