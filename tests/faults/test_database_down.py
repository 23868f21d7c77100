"""The database goes away and comes back: what needs none still answers, everything else is 503, nothing is used up."""

from urllib.parse import urlencode

import pytest

from tests.factories import API, make_client, make_resource_server, make_user
from tests.pages import read
from tests.relying_party import RelyingParty

pytestmark = [pytest.mark.slow, pytest.mark.databases("postgresql")]


@pytest.fixture
def rp(runtime, http, clock):
    make_resource_server(runtime)
    made = make_client(
        runtime,
        "web",
        apis=[API],
        scope="openid offline_access read",
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
    )
    return RelyingParty(http, made, clock=clock)


class Outage:
    """The database server is stopped in the block, and the process's caches have expired."""

    def __init__(self, database_server, clock):
        self.server, self.clock = database_server, clock

    def __enter__(self):
        self.server.pause()
        self.clock.advance(seconds=30)

    def __exit__(self, *_):
        self.server.resume()


@pytest.fixture
def outage(database_server, clock):
    return Outage(database_server, clock)


def refuses(answer) -> None:
    """Ask for patience, and for nothing else."""
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.location is None
    assert b'"active"' not in answer.body


def test_documents_and_liveness_answer_without_a_database(rp, outage):
    paths = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/livez"]
    before = [rp.back.get(path) for path in paths]
    with outage:
        after = [rp.back.get(path) for path in paths]
    assert [answer.status for answer in after] == [200] * 4
    assert [answer.body for answer in after] == [answer.body for answer in before]


def test_everything_else_says_503_and_works_again_afterwards(rp, runtime, outage):
    person = make_user(runtime)
    tokens = rp.sign_in(person, scope="openid offline_access read")
    callback = rp.authorize(person, scope="openid offline_access read")
    with outage:
        refuses(rp.redeem(callback))
        refuses(rp.refresh(tokens["refresh_token"]))
        refuses(rp.client_credentials())
        refuses(rp.introspect(tokens["access_token"]))
        refuses(rp.revoke(tokens["refresh_token"]))
        refuses(rp.userinfo(tokens["access_token"]))
        refuses(rp.begin().answer)
        refuses(rp.back.get("/readyz"))
        refuses(rp.http.get("/oidc/logout?" + urlencode({"id_token_hint": tokens["id_token"]})))
    assert rp.back.get("/readyz").status == 200
    assert rp.is_active(tokens["access_token"])
    assert rp.redeem(callback).status == 200, "the code was not used up"
    assert rp.refresh(tokens["refresh_token"]).status == 200
    assert rp.userinfo(tokens["access_token"]).status == 200


def test_signing_in_says_503_and_works_again_afterwards(rp, runtime, outage):
    person = make_user(runtime)
    begun = rp.begin()
    page = read(rp.http.get(begun.answer.location))
    with outage:
        answer = rp.fill(page, person, "allow")
        refuses(answer)
        assert "error" in read(answer).text.lower() or read(answer).text
    finished = rp.go_on(rp.fill(page, person, "allow"), person)
    assert "code" in rp.callback(begun, finished).parameters


def test_the_ring_of_keys_is_served_stale_for_as_long_as_it_takes(rp, runtime, outage, clock):
    before = rp.back.get("/.well-known/jwks.json").json
    with outage:
        clock.advance(hours=1)
        assert rp.back.get("/.well-known/jwks.json").json == before
