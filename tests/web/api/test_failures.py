"""Recent failures over the admin API: listed, explained and mended."""

from typing import Any

import pytest

from authserver.runtime import Runtime
from tests.clock import Clock
from tests.factories import Made, make_client
from tests.relying_party import RelyingParty
from tests.web.api.conftest import Caller, at, code_of


@pytest.fixture
def application(api: Caller, runtime: Runtime) -> RelyingParty:
    made: Made = make_client(runtime, "web")
    return RelyingParty(api.http.fresh(), made)


@pytest.fixture
def failure(application: RelyingParty) -> str:
    """The error id of a request whose redirect URI is registered without a slash at the end."""
    return application.begin(redirect_uri=f"{application.made.redirect_uri}/").answer.headers["X-Request-Id"]


def test_a_failure_is_explained_beside_the_registration(api: Caller, application: RelyingParty, failure: str) -> None:
    uri = application.made.redirect_uri
    shown = api.get(f"/failures/{failure}").json
    assert shown["client_id"] == application.made.client_id
    assert shown["asked"]["redirect_uri"] == f"{uri}/"
    assert shown["registered"] == {"redirect_uri": [uri]}
    assert any("slash" in sentence for sentence in shown["explanation"])
    assert shown["mend"]["changes"] == {"redirect_uris": [uri, f"{uri}/"]}


def test_failures_are_listed_by_client(api: Caller, application: RelyingParty, failure: str, runtime: Runtime) -> None:
    other = RelyingParty(api.http.fresh(), make_client(runtime, "web"))
    other.begin(scope="unheard-of")

    def found(**query: str) -> list[dict[str, Any]]:
        return api.get("/failures", **query).json["items"]

    assert len(found()) == 2
    (mine,) = found(client_id=application.made.client_id)
    assert (mine["error_id"], mine["error"]) == (failure, api.get(f"/failures/{failure}").json["error"])


def test_the_mend_lets_the_application_work(api: Caller, application: RelyingParty, failure: str, clock: Clock) -> None:
    answer = api.post(f"/failures/{failure}/mend")
    assert f"{application.made.redirect_uri}/" in answer.json["redirect_uris"]
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
    assert api.get(at("clients", application.made.client_id)).json == answer.json
    clock.advance(seconds=6)
    assert application.begin(redirect_uri=f"{application.made.redirect_uri}/").answer.status == 303
    again = api.post(f"/failures/{failure}/mend")
    assert (again.status, code_of(again)) == (409, "conflict")


def test_what_nobody_was_told_is_not_found(api: Caller, failure: str) -> None:
    for answer in (api.get("/failures/0"), api.post("/failures/0/mend")):
        assert (answer.status, code_of(answer)) == (404, "not-found")
