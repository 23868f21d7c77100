"""The authorization endpoint and the code grant (RFC 6749 section 4.1, RFC 7636, RFC 9207, RFC 8707)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.browser_session import revoke_user_sessions
from authserver.store.client import update_client
from authserver.store.grant import list_grants, revoke_grant
from authserver.store.user import update_user
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.relying_party import RelyingParty, challenge_of

OTHER_API = "https://other.example.com"


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, roles=["editor"], groups=["staff"], attributes={"tier": "gold"})


@pytest.fixture
def spa(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    make_resource_server(runtime, claims={"roles": "roles", "email": "email", "level": "tier", "absent": "absent"})
    make_resource_server(runtime, OTHER_API, scopes={"paint": "Paint"}, token_lifetime_seconds=60)
    return RelyingParty(http, make_client(runtime, "spa", apis=[API, OTHER_API]), clock=clock)


@pytest.fixture
def web(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "web"), clock=clock)


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.spec("RFC 9207", "2")
def test_a_person_signs_in_and_the_client_gets_a_code_with_state_and_issuer(spa: RelyingParty, person: Person) -> None:
    callback = spa.authorize(person, scope="openid read")
    assert set(callback.parameters) == {"code", "state", "iss"}
    assert callback.parameters["iss"] == spa.issuer
    answer = spa.redeem(callback)
    assert answer.status == 200
    claims = spa.verify(answer.json["access_token"], audience=API)
    assert claims["aud"] == [API, spa.issuer]
    assert claims["sub"] == person.subject
    assert claims["scope"] == "openid read"
    assert (claims["roles"], claims["email"], claims["level"]) == (["editor"], person.email, "gold")
    assert "absent" not in claims
    assert {"grant_id", "auth_time", "acr", "amr"} <= set(claims)


def test_without_openid_the_audience_is_the_api_alone_and_there_is_no_id_token(spa: RelyingParty, person: Person) -> None:
    tokens = spa.sign_in(person, scope="read")
    assert "id_token" not in tokens
    assert spa.verify(tokens["access_token"], audience=API)["aud"] == API


@pytest.mark.spec("RFC 6749", "3.1")
def test_the_authorization_endpoint_takes_get_and_post(spa: RelyingParty, person: Person) -> None:
    spa.authorize(person)
    parameters, _ = spa.parameters()
    answer = spa.http.post("/oauth2/authorize", parameters)
    assert answer.status == 303
    assert "code" in answer.query
    stranger = spa.http.fresh().post("/oauth2/authorize", parameters)
    assert stranger.status == 303
    assert str(stranger.location).startswith(f"{spa.issuer}/oauth2/authorize?client_id=")


@pytest.mark.spec("RFC 9700", "4.11.2")
@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "é\x00"},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": None},
        {"redirect_uri": "https://app.example.org/callback/"},
        {"redirect_uri": "https://app.example.org/callback?x"},
        {"redirect_uri": "https://app.example.org/callbacké"},
        {"redirect_uri": 'https://app.example.org/callback"'},
        {"client_id": ["a", "b"]},
    ],
)
@pytest.mark.parametrize("rest", [{}, {"response_type": "token"}, {"scope": "no such"}, {"code_challenge": None}, {"request": "x"}])
def test_nothing_is_redirected_before_client_and_redirect_uri_are_trusted(
    spa: RelyingParty, change: dict[str, Any], rest: dict[str, Any]
) -> None:
    if change == {"redirect_uri": None}:
        rest = {**rest, "scope": "openid"}  # plain OAuth may leave the only one out
    answer = spa.begin(**change, **rest).answer
    assert answer.status == 400
    assert answer.location is None
    assert "<h1" in answer.text


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": 'co"de'}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "nonsense"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": "x" * 43 + "\n"}, "invalid_request"),
        ({"scope": "read delete"}, "invalid_scope"),
        ({"scope": 're"ad'}, "invalid_scope"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"resource": "not a uri"}, "invalid_target"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://a.example/"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"id_token_hint": "nonsense"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": '{"id_token":{"name":1}}'}, "invalid_request"),
        ({"scope": ["openid", "openid"]}, "invalid_request"),
        ({"nonce": "x" * 1025}, "invalid_request"),
    ],
)
def test_a_trusted_clients_bad_request_goes_back_with_state_and_issuer(spa: RelyingParty, change: dict[str, Any], error: str) -> None:
    begun = spa.begin(**change)
    assert begun.answer.status == 303
    assert begun.answer.query["error"] == error
    assert begun.answer.query["state"] == begun.parameters["state"]
    assert begun.answer.query["iss"] == spa.issuer
    assert begun.answer.query.get("error_description", "").isascii()


@pytest.mark.spec("RFC 9700", "2.1.2")
@pytest.mark.parametrize("response_type", ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token"])
def test_implicit_and_hybrid_requests_get_their_error_in_the_fragment(spa: RelyingParty, response_type: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    answer = spa.begin(response_type=response_type).answer
    fragment = parse_qs(urlsplit(str(answer.location)).fragment)
    assert fragment["error"] == ["unsupported_response_type"]
    assert {"state", "iss"} < set(fragment)


def test_a_state_that_is_repeated_or_too_long_is_not_echoed(spa: RelyingParty) -> None:
    for state in (["a", "b"], "x" * 9000):
        answer = spa.begin(state=state).answer
        assert answer.query["error"] == "invalid_request"
        assert "state" not in answer.query


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
def test_form_post_answers_with_a_form_that_needs_no_script(spa: RelyingParty, person: Person) -> None:
    callback = spa.authorize(person, response_mode="form_post", state='<script>"&')
    assert callback.parameters["state"] == '<script>"&'
    assert spa.redeem(callback).status == 200
    failed = spa.begin(response_mode="form_post", prompt="consent none").answer
    assert read(failed).forms[0].fields["error"] == "invalid_request"


def test_form_post_is_only_for_the_web(http: InProcess, runtime: Runtime) -> None:
    native = RelyingParty(http, make_client(runtime, "native", redirect_uris=["com.example.app:/cb"]))
    assert native.begin(response_mode="form_post").answer.query["error"] == "invalid_request"


def test_a_client_can_allow_fewer_response_modes(http: InProcess, runtime: Runtime) -> None:
    narrow = RelyingParty(http, make_client(runtime, "web", response_modes=["query"]))
    assert narrow.begin(response_mode="form_post").answer.query["error"] == "invalid_request"


def test_a_registered_query_stays_as_it_is(http: InProcess, runtime: Runtime, person: Person) -> None:
    uri = "https://app.example.org/cb?a=b%20c&d"
    web = RelyingParty(http, make_client(runtime, "web", redirect_uris=[uri], consent="skipped"))
    begun = web.begin()
    answer = web.go_on(begun.answer, person)
    assert str(answer.location).startswith(uri + "&code=")


@pytest.mark.spec("RFC 6749", "3.1.2.3")
def test_a_plain_oauth_request_may_leave_out_the_only_redirect_uri(spa: RelyingParty, person: Person) -> None:
    begun = spa.begin(redirect_uri=None, scope="read")
    callback = spa.callback(begun, spa.go_on(begun.answer, person))
    assert spa.redeem(callback).error == "invalid_grant", "it was not named, so it may not be named now"
    assert spa.redeem(callback, redirect_uri=None).status == 200


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
def test_unknown_scopes_are_ignored_in_openid_requests(spa: RelyingParty, person: Person) -> None:
    assert spa.sign_in(person, scope="openid nonsense read")["scope"] == "openid read"


@pytest.mark.spec("RFC 6749", "4.1.3")
@pytest.mark.spec("RFC 7636", "4.6")
@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": None},
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
        {"code_verifier": "é" * 43},
        {"redirect_uri": "https://app.example.org/other"},
        {"redirect_uri": None},
        {"code": "unknown"},
        {"resource": "https://unknown.example"},
    ],
)
def test_a_wrong_redemption_is_refused_and_does_not_burn_the_code(spa: RelyingParty, person: Person, change: dict[str, Any]) -> None:
    callback = spa.authorize(person)
    answer = spa.redeem(callback, **change)
    assert (answer.status, answer.error) == (400, "invalid_target" if "resource" in change else "invalid_grant")
    assert spa.redeem(callback).status == 200


def test_another_client_cannot_redeem_or_burn_a_code(spa: RelyingParty, web: RelyingParty, person: Person) -> None:
    callback = spa.authorize(person)
    assert web.redeem(callback).error == "invalid_grant"
    assert spa.redeem(callback).status == 200


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.parametrize("seconds", [0, 1, 31, 120])
def test_replaying_a_code_revokes_what_it_gave(spa: RelyingParty, person: Person, clock: Clock, seconds: int) -> None:
    callback = spa.authorize(person, scope="openid offline_access")
    tokens = spa.redeem(callback).json
    clock.advance(seconds=seconds)
    assert spa.redeem(callback).error == "invalid_grant"
    assert spa.userinfo(tokens["access_token"]).status == 401
    assert spa.refresh(tokens["refresh_token"]).error == "invalid_grant"


def test_a_replay_with_a_wrong_verifier_revokes_nothing(spa: RelyingParty, person: Person) -> None:
    callback = spa.authorize(person)
    tokens = spa.redeem(callback).json
    assert spa.redeem(callback, code_verifier="y" * 43).error == "invalid_grant"
    assert spa.userinfo(tokens["access_token"]).status == 200


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_a_code_lives_for_a_minute(spa: RelyingParty, person: Person, clock: Clock, seconds: int, status: int) -> None:
    callback = spa.authorize(person)
    clock.advance(seconds=seconds)
    assert spa.redeem(callback).status == status


@pytest.mark.spec("RFC 9700", "4.8.2")
def test_an_exempted_client_may_go_without_pkce_but_not_with_half_of_it(http: InProcess, runtime: Runtime, person: Person) -> None:
    web = RelyingParty(http, make_client(runtime, "web", require_pkce=False))
    callback = web.authorize(person, code_challenge=None, code_challenge_method=None)
    assert web.redeem(callback).error == "invalid_grant", "a verifier without a challenge"
    assert web.redeem(callback, code_verifier=None).status == 200
    assert web.begin(code_challenge=None).answer.query["error"] == "invalid_request"
    assert web.redeem(web.authorize(person)).status == 200


@pytest.mark.spec("RFC 8707", "2.2")
def test_a_token_request_picks_from_the_granted_resources(spa: RelyingParty, person: Person) -> None:
    callback = spa.authorize(person, resource=[API, OTHER_API], scope="openid read paint offline_access")
    tokens = spa.redeem(callback, resource=OTHER_API).json
    claims = spa.verify(tokens["access_token"], audience=OTHER_API)
    assert claims["aud"] == [OTHER_API, spa.issuer]
    assert claims["scope"] == "openid paint offline_access"
    assert tokens["expires_in"] == 60
    refreshed = spa.refresh(tokens["refresh_token"], resource=API).json
    assert spa.verify(refreshed["access_token"], audience=API)["scope"] == "openid read offline_access"
    both = spa.refresh(refreshed["refresh_token"]).json
    assert spa.verify(both["access_token"], audience=API)["aud"] == [API, OTHER_API, spa.issuer]


def test_a_scope_of_an_api_that_is_not_asked_for_is_refused(spa: RelyingParty) -> None:
    assert spa.begin(scope="paint").answer.query["error"] == "invalid_scope"


def test_a_registered_scope_limits_what_may_be_asked(http: InProcess, runtime: Runtime, person: Person) -> None:
    make_resource_server(runtime)
    narrow = RelyingParty(http, make_client(runtime, "spa", apis=[API], scope="openid read"))
    assert narrow.begin(scope="openid write").answer.query["error"] == "invalid_scope"
    assert narrow.sign_in(person, scope="openid read")["scope"] == "openid read"


def disable_user(runtime: Runtime, clock: Clock, person: Person) -> None:
    with transaction(runtime.engine) as db:
        update_user(db, person.user.id, person.user.version, {"disabled_at": clock.now()})


def end_sessions(runtime: Runtime, clock: Clock, person: Person) -> None:
    with transaction(runtime.engine) as db:
        revoke_user_sessions(db, person.user.id, clock.now())


@pytest.mark.parametrize("end", [disable_user, end_sessions])
def test_a_code_dies_with_its_user_and_session(spa: RelyingParty, person: Person, runtime: Runtime, clock: Clock, end: Any) -> None:
    callback = spa.authorize(person)
    end(runtime, clock, person)
    assert spa.redeem(callback).error == "invalid_grant"


@pytest.mark.parametrize("end", [disable_user, end_sessions])
def test_tokens_and_single_sign_on_die_with_user_and_session(
    spa: RelyingParty, person: Person, runtime: Runtime, clock: Clock, end: Any
) -> None:
    tokens = spa.sign_in(person)
    end(runtime, clock, person)
    assert spa.userinfo(tokens["access_token"]).status == 401
    assert spa.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert spa.begin(prompt="none").answer.query["error"] == "login_required"


def test_a_disabled_client_is_refused_everywhere(spa: RelyingParty, person: Person, runtime: Runtime, clock: Clock) -> None:
    tokens = spa.sign_in(person)
    callback = spa.authorize(person)
    with transaction(runtime.engine) as db:
        update_client(db, spa.made.client_id, 1, {"disabled_at": clock.now()})
    clock.advance(seconds=6)
    assert spa.begin().answer.status == 400
    assert spa.redeem(callback).status == 401
    assert spa.refresh(tokens["refresh_token"]).status == 401
    assert spa.userinfo(tokens["access_token"]).status == 401


def test_a_deleted_api_is_an_invalid_target(spa: RelyingParty, person: Person, runtime: Runtime, clock: Clock) -> None:
    from authserver.store.resource_server import delete_resource_server

    tokens = spa.sign_in(person, scope="openid read")
    with transaction(runtime.engine) as db:
        delete_resource_server(db, API)
    clock.advance(seconds=6)
    assert spa.refresh(tokens["refresh_token"]).error == "invalid_target"


def test_a_client_without_the_grant_is_told(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    made = make_client(runtime, "spa")
    with transaction(runtime.engine) as db:
        update_client(db, made.client_id, 1, {"metadata": {**made.client.metadata, "grant_types": ["refresh_token"]}})
    clock.advance(seconds=6)
    assert RelyingParty(http, made).begin().answer.query["error"] == "unauthorized_client"


def test_a_client_without_refresh_gets_no_refresh_token_but_a_grant(
    http: InProcess, runtime: Runtime, person: Person, clock: Clock
) -> None:
    web = RelyingParty(http, make_client(runtime, "web", grant_types=["authorization_code"]))
    tokens = web.sign_in(person)
    assert "refresh_token" not in tokens
    with transaction(runtime.engine) as db:
        (grant,) = list_grants(db, user_id=person.user.id)
        revoke_grant(db, grant.id, clock.now(), "test")
    assert web.userinfo(tokens["access_token"]).status == 401


def test_at_most_a_hundred_refresh_families_live(web: RelyingParty, person: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authserver.oauth.grants.authorization_code.MOST_FAMILIES", 2)
    families = []
    for _ in range(3):
        families.append(web.sign_in(person, scope="openid offline_access"))
        clock.advance(seconds=1)
    first, *rest = families
    assert web.refresh(first["refresh_token"]).error == "invalid_grant"
    assert all(web.refresh(tokens["refresh_token"]).status == 200 for tokens in rest)


def test_the_write_budgets_of_a_sign_in_hold(spa: RelyingParty, person: Person, counts: Counts) -> None:
    spa.sign_in(person)
    with counts.measure() as authorizing:
        callback = spa.callback(begun := spa.begin(), begun.answer)
    assert len(authorizing.writes) == 1
    with counts.measure() as redeeming:
        tokens = spa.redeem(callback).json
    assert len(redeeming.writes) == 2
    with counts.measure() as refreshing:
        tokens = spa.refresh(tokens["refresh_token"]).json
    assert len(refreshing.writes) == 1
    with counts.measure() as reading:
        assert spa.userinfo(tokens["access_token"]).status == 200
    assert reading.writes == []


def test_a_resumed_request_belongs_to_one_browser(spa: RelyingParty, person: Person) -> None:
    begun = spa.begin()
    resume = begun.answer.query["resume"]
    url = f"/oauth2/authorize?{urlencode({'resume': resume})}"
    assert spa.http.fresh().get(url).status == 400, "no cookies"
    other = spa.http.fresh()
    other.get(f"/oauth2/authorize?{urlencode(begun.parameters)}")
    assert other.get(url).status == 400
    assert spa.http.get(url).status == 303
    assert spa.http.get("/oauth2/authorize?resume=unknown").status == 400


def test_a_pending_request_expires_and_ends_once(spa: RelyingParty, person: Person, clock: Clock) -> None:
    begun = spa.begin()
    url = f"/oauth2/authorize?{urlencode({'resume': begun.answer.query['resume']})}"
    spa.callback(begun, spa.go_on(begun.answer, person))
    assert spa.http.get(url).status == 400
    again = spa.begin(prompt="login")
    clock.advance(minutes=31)
    assert spa.http.get(f"/oauth2/authorize?{urlencode({'resume': again.answer.query['resume']})}").status == 400


def test_a_pending_request_is_checked_again_when_it_goes_on(spa: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    begun = spa.begin()
    url = f"/oauth2/authorize?{urlencode({'resume': begun.answer.query['resume']})}"
    changed = {**spa.made.client.metadata, "apis": []}
    with transaction(runtime.engine) as db:
        update_client(db, spa.made.client_id, 1, {"metadata": {**changed, "scope": "profile"}})
    clock.advance(seconds=6)
    assert spa.http.get(url).status == 400
    with transaction(runtime.engine) as db:
        update_client(db, spa.made.client_id, 2, {"disabled_at": clock.now()})
    clock.advance(seconds=6)
    assert spa.http.get(url).status == 400


def test_a_browser_keeps_eight_pending_requests(spa: RelyingParty) -> None:
    resumes = [spa.begin().answer.query["resume"] for _ in range(9)]
    statuses = [spa.http.get(f"/oauth2/authorize?{urlencode({'resume': resume})}").status for resume in resumes]
    assert statuses == [400] + [303] * 8


def test_the_challenge_is_the_verifiers() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
