"""The token endpoint and the client credentials grant (RFC 6749 sections 3.2 and 4.4), client authentication (2.3)."""

import base64
from typing import Any

import pytest
from joserfc import jwt as jose_jwt

from authserver.crypto.digest import digest
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.client import find_client, insert_secret, update_client
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, make_client, make_key, make_resource_server
from tests.http_client import InProcess
from tests.relying_party import ASSERTION_TYPE, RelyingParty

TOKEN = "/oauth2/token"


@pytest.fixture
def service(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    make_resource_server(runtime, claims={"tier": "tier", "sub": "tier"})
    return RelyingParty(http, make_client(runtime, "service", apis=[API], attributes={"tier": "gold"}), clock=clock)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.spec("RFC 6749", "4.4.3")
def test_a_service_gets_a_token_for_its_default_api_without_a_refresh_token(service: RelyingParty) -> None:
    answer = service.client_credentials()
    assert answer.status == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json["scope"] == "read write"
    assert answer.headers["Cache-Control"] == "no-store"
    claims = service.verify(answer.json["access_token"], audience=API)
    assert claims["sub"] == claims["client_id"] == service.made.client_id
    assert claims["aud"] == API
    assert "grant_id" not in claims


@pytest.mark.spec("RFC 9068", "2.1")
@pytest.mark.spec("RFC 9068", "2.2")
def test_an_access_token_has_the_type_and_claims_of_the_profile(service: RelyingParty) -> None:
    import jwt

    token = service.client_credentials().json["access_token"]
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256"
    claims = service.verify(token, audience=API)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"} <= set(claims)
    assert all(isinstance(claims[name], int) for name in ("iat", "exp"))


def test_an_api_adds_claims_but_never_over_a_reserved_one(service: RelyingParty) -> None:
    claims = service.verify(service.client_credentials().json["access_token"], audience=API)
    assert claims["tier"] == "gold"
    assert claims["sub"] == service.made.client_id


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519"])
def test_an_api_chooses_the_algorithm_of_its_tokens(http: InProcess, runtime: Runtime, clock: Clock, alg: str) -> None:
    import jwt

    make_resource_server(runtime, signing_alg=alg, token_lifetime_seconds=120)
    service = RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)
    answer = service.client_credentials()
    assert answer.json["expires_in"] == 120
    assert jwt.get_unverified_header(answer.json["access_token"])["alg"] == alg
    service.verify(answer.json["access_token"], audience=API)


def test_without_an_api_the_audience_is_the_issuer(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    service = RelyingParty(http, make_client(runtime, "service"), clock=clock)
    answer = service.client_credentials()
    assert "scope" not in answer.json
    assert service.verify(answer.json["access_token"], audience=http.issuer)["aud"] == http.issuer


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'a"b\\é'}, "unsupported_grant_type"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "unauthorized_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "unauthorized_client"),
        ({"scope": "read admin"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": 're"ad'}, "invalid_scope"),
        ({"scope": "x" * 1025}, "invalid_request"),
        ({"resource": "https://other.example.com"}, "invalid_target"),
        ({"resource": ["https://r.example.com"] * 17}, "invalid_request"),
        ({"client_id": "someone-else"}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
    ],
)
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.spec("RFC 8707", "2")
def test_a_bad_request_is_refused_with_its_error(service: RelyingParty, change: dict[str, Any], error: str) -> None:
    answer = service.client_credentials(**change)
    assert (answer.status, answer.error) == (400, error)
    assert answer.json["error_description"].isascii()


def test_openid_scopes_say_nothing_about_a_client_itself(http: InProcess, runtime: Runtime) -> None:
    make_resource_server(runtime)
    made = make_client(runtime, "web", apis=[API], grant_types=["authorization_code", "client_credentials"])
    web = RelyingParty(http, made)
    assert web.client_credentials(scope="openid read").error == "invalid_scope"
    assert web.client_credentials().json["scope"] == "read write"


@pytest.mark.spec("RFC 6749", "3.2")
def test_only_post_with_a_form_is_taken(service: RelyingParty) -> None:
    http = service.back
    assert http.get(TOKEN).status == 405
    headers = basic(service.made.client_id, str(service.made.secret))
    answer = http.post(TOKEN, '{"grant_type":"client_credentials"}', headers={**headers, "Content-Type": "application/json"})
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert http.post(f"{TOKEN}?grant_type=client_credentials", {}, headers=headers).error == "invalid_request"
    assert http.post(TOKEN, "&".join("a" * 3 for _ in range(300)), headers=headers).error == "invalid_request"
    assert http.post(TOKEN, "grant_type=client_credentials&x=" + "y" * 70_000, headers=headers).status == 413


@pytest.mark.spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize(
    "header",
    [
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no-colon").decode(),
        "Basic " + base64.b64encode(b":secret").decode(),
        "Basic " + base64.b64encode("nobody:sécret".encode()).decode(),
        "Basic " + base64.b64encode(b"%ff%fe:x").decode(),
        "Bearer abc",
        "Basic",
    ],
)
def test_bad_basic_credentials_are_one_answer(service: RelyingParty, header: str) -> None:
    answer = service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.spec("RFC 6749", "5.2")
def test_unknown_client_and_wrong_secret_answer_alike(service: RelyingParty) -> None:
    data = {"grant_type": "client_credentials"}
    known = service.back.post(TOKEN, data, headers=basic(service.made.client_id, "wrong"))
    unknown = service.back.post(TOKEN, data, headers=basic("nobody", "wrong"))
    public = service.back.post(TOKEN, {**data, "client_id": service.made.client_id})
    nobody = service.back.post(TOKEN, data)
    assert {(answer.status, answer.body) for answer in (known, unknown, public, nobody)} == {(401, known.body)}


@pytest.mark.spec("RFC 6749", "2.3.1")
def test_basic_credentials_are_form_decoded(http: InProcess, runtime: Runtime) -> None:
    made = make_client(runtime, "service", secret="a+b c%d/e:f=g and long enough")
    headers = basic(made.client_id, "a%2Bb+c%25d%2Fe%3Af%3Dg+and+long+enough")
    assert http.post(TOKEN, {"grant_type": "client_credentials"}, headers=headers).status == 200


def test_a_client_authenticates_by_its_registered_method_alone(http: InProcess, runtime: Runtime) -> None:
    post = make_client(runtime, "service", token_endpoint_auth_method="client_secret_post")
    data = {"grant_type": "client_credentials"}
    assert http.post(TOKEN, {**data, "client_id": post.client_id, "client_secret": post.secret}).status == 200
    assert http.post(TOKEN, data, headers=basic(post.client_id, str(post.secret))).status == 401
    assert http.post(TOKEN, {**data, "client_secret": post.secret}).status == 401


def test_two_live_secrets_open_and_an_expired_one_does_not(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    made = service.made
    with transaction(runtime.engine) as db:
        insert_secret(db, digest("second secret of the client"), made.client_id, clock.now(), clock.advance(days=1))
    clock.advance(seconds=-3600)
    runtime.caches.clients.clear()
    headers = basic(made.client_id, "second+secret+of+the+client")
    assert service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers=headers).status == 200
    assert service.client_credentials().status == 200
    clock.advance(hours=2)
    assert service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers=headers).status == 401
    assert service.client_credentials().status == 200


def test_a_disabled_client_is_refused_within_the_cache_time(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    assert service.client_credentials().status == 200
    with transaction(runtime.engine) as db:
        update_client(db, service.made.client_id, 1, {"disabled_at": clock.now()})
    clock.advance(seconds=6)
    assert service.client_credentials().status == 401


def test_a_warm_client_credentials_request_touches_no_database(service: RelyingParty, counts: Counts) -> None:
    service.client_credentials()
    with counts.measure() as tally:
        assert service.client_credentials().status == 200
    assert tally.statements == []


def test_a_public_client_gets_no_client_credentials(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    made = make_client(runtime, "spa")
    with transaction(runtime.engine) as db:
        changed = {**made.client.metadata, "grant_types": ["client_credentials"]}
        update_client(db, made.client_id, 1, {"metadata": changed})
    clock.advance(seconds=6)
    assert RelyingParty(http, made).client_credentials().error == "unauthorized_client"


def test_opaque_tokens_are_for_apis_that_ask_for_them(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    make_resource_server(runtime, token_format="opaque")
    service = RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)
    token = service.client_credentials().json["access_token"]
    assert token.startswith("at_")
    assert service.is_active(token)
    assert not service.is_active(token[:-1])
    assert not service.is_active(token.swapcase())
    clock.advance(seconds=601)
    assert not service.is_active(token)


@pytest.mark.spec("RFC 8707", "2")
def test_a_token_for_apis_of_different_kinds_cannot_be(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    other = "https://other.example.com"
    make_resource_server(runtime)
    make_resource_server(runtime, other, signing_alg="ES256", scopes={"paint": "Paint"})
    service = RelyingParty(http, make_client(runtime, "service", apis=[API, other]), clock=clock)
    assert service.client_credentials(resource=[API, other]).error == "invalid_target"
    claims = service.verify(service.client_credentials(resource=other).json["access_token"], audience=other)
    assert claims["scope"] == "paint"


def assertion(service: RelyingParty, clock: Clock, *, alg: str = "ES256", header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = clock.timestamp()
    claims = {"iss": service.made.client_id, "sub": service.made.client_id, "aud": service.issuer, "exp": now + 60, "iat": now, "jti": "j1"}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jose_jwt.encode({"alg": alg, "kid": "client-key", **(header or {})}, claims, service.made.key, algorithms=[alg])


def by_assertion(service: RelyingParty, token: str, **changes: Any) -> Any:
    data = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": token, **changes}
    return service.back.post(TOKEN, data)


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519"])
def test_a_client_proves_itself_with_its_key(http: InProcess, runtime: Runtime, clock: Clock, alg: str) -> None:
    service = RelyingParty(http, make_client(runtime, "service", key=make_key(alg)), clock=clock)
    assert by_assertion(service, assertion(service, clock, alg=alg)).status == 200
    assert by_assertion(service, assertion(service, clock, alg=alg)).status == 401, "a jti is spent once"
    assert by_assertion(service, assertion(service, clock, alg=alg, jti="j2"), client_id=service.made.client_id).status == 200


@pytest.fixture
def keyed(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "service", key=make_key()), clock=clock)


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://login.example.com/oauth2/token"},
        {"aud": ["https://login.example.com"]},
        {"aud": None},
        {"iss": "someone"},
        {"sub": "someone"},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"iat": "now"},
        {"nbf": 4_000_000_000},
        {"jti": None},
        {"jti": 5},
        {"header": {"kid": "unknown"}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    ],
)
def test_a_bad_assertion_is_refused(keyed: RelyingParty, clock: Clock, change: dict[str, Any]) -> None:
    answer = by_assertion(keyed, assertion(keyed, clock, **change), client_id=keyed.made.client_id)
    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.parametrize("token", ["", "a.b.c", "{}", "x" * 20_000, "[" * 5_000])
def test_a_garbled_assertion_is_refused(keyed: RelyingParty, token: str) -> None:
    for changes in ({}, {"client_id": keyed.made.client_id}):
        assert by_assertion(keyed, token, **changes).error in ("invalid_client", "invalid_request")


def test_an_assertion_of_another_type_or_for_a_client_with_a_secret_is_refused(keyed: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    assert by_assertion(keyed, assertion(keyed, clock), client_assertion_type="urn:x").status == 401
    other = make_client(runtime, "service")
    assert by_assertion(keyed, assertion(keyed, clock), client_id=other.client_id).status == 401


def test_a_registration_can_fix_the_algorithm_and_allow_the_token_endpoint(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    made = make_client(runtime, "service", key=make_key(), token_endpoint_auth_signing_alg="PS256")
    fixed = RelyingParty(http, made, clock=clock)
    assert by_assertion(fixed, assertion(fixed, clock)).status == 401
    made = make_client(runtime, "service", key=make_key(), assertion_audience="token_endpoint")
    lenient = RelyingParty(http, made, clock=clock)
    assert by_assertion(lenient, assertion(lenient, clock, aud=f"{lenient.issuer}/oauth2/token")).status == 200


def test_last_use_of_a_secret_is_remembered_without_a_write_per_token(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    service.client_credentials()
    clock.advance(minutes=2)
    service.client_credentials()
    with transaction(runtime.engine) as db:
        client = find_client(db, service.made.client_id)
    assert client is not None
    used = client.secrets[0].last_used_at
    assert used is not None
    assert (used.date(), used.hour) == (clock.now().date(), 0)


@pytest.mark.parametrize(("grant_type", "missing"), [("authorization_code", "code"), ("refresh_token", "refresh_token")])
def test_a_missing_parameter_is_named(http: InProcess, runtime: Runtime, grant_type: str, missing: str) -> None:
    answer = RelyingParty(http, make_client(runtime, "web")).token(grant_type=grant_type)
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert missing in answer.json["error_description"]


@pytest.mark.settings(specifications_off=("RFC-7523",))
def test_without_assertions_none_is_announced_or_taken(http: InProcess, runtime: Runtime, clock: Clock) -> None:
    document = http.get("/.well-known/oauth-authorization-server").json
    assert "private_key_jwt" not in document["token_endpoint_auth_methods_supported"]
    assert "token_endpoint_auth_signing_alg_values_supported" not in document
    service = RelyingParty(http, make_client(runtime, "service", key=make_key()), clock=clock)
    assert by_assertion(service, assertion(service, clock)).status == 401


def test_a_secret_made_a_moment_ago_opens_although_the_client_is_cached(http: InProcess, runtime: Runtime) -> None:
    made = make_client(runtime, "service")
    ask = {"grant_type": "client_credentials"}
    assert http.post(TOKEN, ask, headers=basic(made.client_id, str(made.secret))).status == 200
    with transaction(runtime.engine) as db:
        insert_secret(db, digest("the new secret of this client"), made.client_id, runtime.now())
    assert http.post(TOKEN, ask, headers=basic(made.client_id, "the new secret of this client")).status == 200
    assert http.post(TOKEN, ask, headers=basic(made.client_id, "no secret of this client")).status == 401


def test_a_client_disabled_a_moment_ago_is_not_let_in_by_its_new_secret(http: InProcess, runtime: Runtime) -> None:
    made = make_client(runtime, "service")
    ask = {"grant_type": "client_credentials"}
    assert http.post(TOKEN, ask, headers=basic(made.client_id, str(made.secret))).status == 200
    with transaction(runtime.engine) as db:
        insert_secret(db, digest("the new secret of this client"), made.client_id, runtime.now())
        assert update_client(db, made.client_id, 1, {"disabled_at": runtime.now()})
    assert http.post(TOKEN, ask, headers=basic(made.client_id, "the new secret of this client")).status == 401
