"""What a request may cost the database: writes and commits by operation, and reads where there may be none."""

import pytest

from tests.factories import API, make_client, make_key, make_resource_server, make_user
from tests.relying_party import RelyingParty

pytestmark = pytest.mark.databases

SCOPE = "openid offline_access read"


@pytest.fixture
def api(runtime):
    return make_resource_server(runtime)


@pytest.fixture
def service(runtime, http, clock, api):
    return RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)


@pytest.fixture(params=["spa", "web"])
def rp(request, runtime, http, clock, api):
    return RelyingParty(http, make_client(runtime, request.param, apis=[API], scope=SCOPE), clock=clock)


def test_a_warm_client_credentials_request_touches_no_database(service, counts):
    service.client_credentials()
    with counts.measure() as tally:
        assert service.client_credentials().status == 200
    assert tally.statements == []


def test_an_assertion_costs_one_write(runtime, http, clock, api, counts):
    service = RelyingParty(http, make_client(runtime, "service", key=make_key(), apis=[API]), clock=clock)
    service.client_credentials()
    with counts.measure() as tally:
        assert service.client_credentials().status == 200
    assert len(tally.writes) == 1
    assert tally.commits == 1
    assert tally.reads == []


def test_a_redemption_costs_two_writes_in_one_transaction(rp, runtime, counts):
    callback = rp.authorize(make_user(runtime), scope=SCOPE)
    with counts.measure() as tally:
        assert rp.redeem(callback).status == 200
    assert len(tally.writes) <= 2
    assert tally.commits == 1


def test_a_refresh_costs_one_write(rp, runtime, counts):
    token = rp.sign_in(make_user(runtime), scope=SCOPE)["refresh_token"]
    with counts.measure() as tally:
        assert rp.refresh(token).status == 200
    assert len(tally.writes) == 1
    assert tally.commits == 1
    assert len(tally.reads) <= 2


def test_introspection_and_userinfo_write_nothing(runtime, http, clock, api, counts):
    rp = RelyingParty(http, make_client(runtime, "web", apis=[API], scope=SCOPE), clock=clock)
    tokens = rp.sign_in(make_user(runtime), scope=SCOPE)
    with counts.measure() as tally:
        assert rp.introspect(tokens["access_token"]).json["active"]
        assert rp.userinfo(tokens["access_token"]).status == 200
    assert tally.writes == []
    assert tally.commits == 0
    assert len(tally.reads) <= 4


def test_documents_need_no_database_when_warm(service, counts):
    paths = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/livez"]
    for path in paths:
        service.back.get(path)
    with counts.measure() as tally:
        assert [service.back.get(path).status for path in paths] == [200] * 4
    assert tally.statements == []


def test_a_signed_in_authorization_costs_one_write(rp, runtime, counts):
    rp.authorize(make_user(runtime), scope=SCOPE)
    with counts.measure() as tally:
        assert "code" in rp.authorize(None, scope=SCOPE).parameters
    assert len(tally.writes) == 1, "the code"
    assert tally.commits == 1


def test_refused_anonymous_requests_write_so_many_rows_a_minute_and_no_more(service, counts, runtime):
    asked = {"grant_type": "client_credentials", "client_secret": "x"}
    with counts.measure() as tally:
        for number in range(runtime.settings.refused_events_per_minute):
            assert service.back.post("/oauth2/token", {**asked, "client_id": f"nobody-{number}"}).status == 401
            assert service.back.get(f"/oauth2/authorize?client_id=nobody-{number}").status == 400
    assert len(tally.writes) == runtime.settings.refused_events_per_minute
    assert all("INTO refusals" in statement for statement in tally.writes)


def test_an_opaque_token_costs_one_write(runtime, http, clock, counts):
    make_resource_server(runtime, token_format="opaque")
    service = RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)
    service.client_credentials()
    with counts.measure() as tally:
        assert service.client_credentials().status == 200
    assert len(tally.writes) == 1


@pytest.mark.parametrize("query", ["client_id={}", "client_id={}&redirect_uri=a&redirect_uri=b", "client_id={0}&client_id={0}"])
def test_invented_client_ids_fill_no_table(service, counts, runtime, query):
    with counts.measure() as tally:
        for number in range(runtime.settings.refused_events_per_minute + 20):
            assert service.back.get(f"/oauth2/authorize?{query.format(f'invented-{number}')}").status == 400
    assert len(tally.writes) == runtime.settings.refused_events_per_minute
