"""OpenID Connect Core: the authentication request, ID tokens, userinfo, claims; discovery; RP-initiated logout."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.client import update_client
from authserver.store.user import delete_user
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.pages import follow, read
from tests.relying_party import RelyingParty

PROFILE = {
    "name": "Ada Example",
    "given_name": "Ada",
    "email_verified": True,
    "phone_number": "+49 1",
    "address": {"locality": "Ulm"},
    "website": "",
}


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, claims=PROFILE)


@pytest.fixture
def web(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    made = make_client(runtime, "web", post_logout_redirect_uris=["https://app.example.org/bye", "https://app.example.org/bye?a=1"])
    return RelyingParty(http, made, clock=clock)


def claims_of(party: RelyingParty, tokens: dict[str, Any]) -> dict[str, Any]:
    return party.verify(tokens["id_token"], audience=party.made.client_id)


@pytest.mark.spec("OpenID Connect Core", "2")
@pytest.mark.spec("OpenID Connect Core", "3.1.3.6")
def test_an_id_token_says_who_signed_in_when_and_how(web: RelyingParty, person: Person, clock: Clock) -> None:
    import jwt

    callback = web.authorize(person, nonce="the nonce")
    signed_in_at = clock.timestamp()
    clock.advance(seconds=20)
    tokens = web.redeem(callback).json
    header, claims = jwt.get_unverified_header(tokens["id_token"]), claims_of(web, tokens)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    expected = {
        "iss": web.issuer,
        "sub": person.subject,
        "aud": web.made.client_id,
        "azp": web.made.client_id,
        "nonce": "the nonce",
        "auth_time": signed_in_at,
        "acr": "urn:authserver:password",
        "amr": ["pwd"],
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "iat": clock.timestamp(),
    }
    assert expected.items() <= claims.items()
    assert isinstance(claims["sid"], str)
    assert "name" not in claims, "claims of scopes come from userinfo"


@pytest.mark.parametrize("alg", ["PS256", "ES256", "Ed25519"])
def test_a_client_chooses_the_algorithm_of_its_id_tokens(http: InProcess, runtime: Runtime, person: Person, alg: str) -> None:
    import jwt

    chosen = RelyingParty(http, make_client(runtime, "web", id_token_signed_response_alg=alg))
    tokens = chosen.sign_in(person)
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == alg
    assert "at_hash" in chosen.verify(tokens["id_token"])


@pytest.mark.spec("OpenID Connect Core", "12.2")
def test_a_refreshed_id_token_keeps_subject_and_auth_time_and_has_no_nonce(web: RelyingParty, person: Person, clock: Clock) -> None:
    tokens = web.sign_in(person, scope="openid offline_access")
    before = claims_of(web, tokens)
    clock.advance(days=3)
    after = claims_of(web, web.refresh(tokens["refresh_token"]).json)
    same = ("iss", "sub", "aud", "auth_time", "azp", "sid", "acr", "amr")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert "nonce" not in after
    assert after["iat"] == clock.timestamp()


@pytest.mark.spec("OpenID Connect Core", "5.4")
@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", {"sub"}),
        ("openid profile", {"sub", "name", "given_name", "updated_at"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid address phone", {"sub", "address", "phone_number"}),
    ],
)
def test_userinfo_gives_the_claims_of_granted_scopes(web: RelyingParty, person: Person, scope: str, names: set[str]) -> None:
    answer = web.userinfo(web.sign_in(person, scope=scope)["access_token"])
    assert answer.status == 200
    assert set(answer.json) == names
    assert answer.json["sub"] == person.subject


@pytest.mark.spec("OpenID Connect Core", "5.5")
def test_the_claims_parameter_asks_for_single_claims(web: RelyingParty, person: Person) -> None:
    asked = {"userinfo": {"given_name": {"essential": True}, "nonsense": None}, "id_token": {"email": None, "auth_time": None}, "other": 5}
    tokens = web.sign_in(person, claims=json.dumps(asked))
    assert set(web.userinfo(tokens["access_token"]).json) == {"sub", "given_name"}
    assert claims_of(web, tokens)["email"] == person.email


@pytest.mark.spec("OpenID Connect Core", "5.5")
def test_single_claims_need_the_consent_that_their_scope_needs(
    web: RelyingParty, person: Person, http: InProcess, runtime: Runtime
) -> None:
    web.sign_in(person)
    asked = json.dumps({"userinfo": {"email": None}, "id_token": {"phone_number": None}})
    assert asks(web) == "code"
    assert asks(web, claims=asked) == "/consent"
    page = read(follow(web.http, web.begin(claims=asked).answer)).text
    assert "See your email address" in page
    assert "See your phone number" in page
    web.sign_in(person, claims=asked)
    assert asks(web, claims=asked) == "code"
    narrow = RelyingParty(http, make_client(runtime, "web", scope="openid profile"))
    tokens = narrow.sign_in(person, claims=json.dumps({"userinfo": {"email": None, "name": None}}))
    assert set(narrow.userinfo(tokens["access_token"]).json) == {"sub", "name"}


def test_the_claims_parameter_means_nothing_without_openid(http: InProcess, runtime: Runtime, person: Person) -> None:
    make_resource_server(runtime)
    plain = RelyingParty(http, make_client(runtime, "web", apis=[API]))
    assert "id_token" not in plain.sign_in(person, scope="read", claims='{"id_token":{"email":null}}')


@pytest.mark.spec("OpenID Connect Core", "5.3.1")
@pytest.mark.spec("RFC 6750", "2.2")
def test_userinfo_takes_the_token_by_get_and_post_in_header_or_body(web: RelyingParty, person: Person) -> None:
    token = web.sign_in(person)["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert web.back.get("/oidc/userinfo", headers=bearer).status == 200
    assert web.back.post("/oidc/userinfo", headers=bearer).status == 200
    assert web.back.post("/oidc/userinfo", {"access_token": token}).status == 200
    assert web.back.get(f"/oidc/userinfo?access_token={token}").status == 401, "never in the query"
    assert web.back.post("/oidc/userinfo", {"access_token": token}, headers=bearer).status == 400


@pytest.mark.spec("RFC 6750", "3.1")
def test_userinfo_refuses_with_a_challenge(web: RelyingParty, http: InProcess, runtime: Runtime, person: Person) -> None:
    nothing = web.back.get("/oidc/userinfo")
    assert (nothing.status, nothing.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert web.back.get("/oidc/userinfo", headers={"Authorization": "Basic eA=="}).status == 401
    bad = web.userinfo("nonsense")
    assert (bad.status, bad.error) == (401, "invalid_token")
    assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
    service = RelyingParty(http, make_client(runtime, "service"))
    lacking = service.userinfo(service.client_credentials().json["access_token"])
    assert (lacking.status, lacking.error) == (403, "insufficient_scope")
    make_resource_server(runtime)
    plain = RelyingParty(http, make_client(runtime, "web", apis=[API]))
    assert plain.userinfo(plain.sign_in(person, scope="read")["access_token"]).status == 401, "for another audience"


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
def test_userinfo_is_signed_where_the_client_registered_it(http: InProcess, runtime: Runtime, person: Person) -> None:
    signed = RelyingParty(http, make_client(runtime, "web", userinfo_signed_response_alg="ES256"))
    answer = signed.userinfo(signed.sign_in(person, scope="openid email")["access_token"])
    assert answer.headers["Content-Type"] == "application/jwt"
    import jwt

    kid = jwt.get_unverified_header(answer.text)["kid"]
    key = jwt.PyJWK(signed.served_keys()[kid])
    claims = jwt.decode(answer.text, key, algorithms=["ES256"], audience=signed.made.client_id)
    assert (claims["iss"], claims["sub"], claims["email"]) == (signed.issuer, person.subject, person.email)


def test_a_deleted_users_tokens_are_dead(web: RelyingParty, person: Person, runtime: Runtime) -> None:
    tokens = web.sign_in(person)
    with transaction(runtime.engine) as db:
        delete_user(db, person.user.id)
    assert web.userinfo(tokens["access_token"]).status == 401
    assert web.refresh(tokens["refresh_token"]).error == "invalid_grant"


def test_userinfo_writes_nothing(web: RelyingParty, person: Person, counts: Counts) -> None:
    token = web.sign_in(person)["access_token"]
    with counts.measure() as tally:
        web.userinfo(token)
    assert (tally.writes, len(tally.reads)) == ([], 1)


# When the user must sign in


def asks(party: RelyingParty, **parameters: Any) -> str:
    """Which page comes first, or `code`, or the error."""
    answer = party.begin(**parameters).answer
    address = str(answer.location)
    if address.startswith(party.issuer):
        return address.removeprefix(party.issuer).split("?")[0]
    return answer.query.get("error", "code")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.3")
def test_single_sign_on_and_prompts(web: RelyingParty, person: Person, http: InProcess, runtime: Runtime) -> None:
    assert asks(web) == "/login"
    assert asks(web, prompt="none") == "login_required"
    web.sign_in(person)
    assert asks(web) == "code"
    assert asks(web, prompt="none") == "code"
    assert asks(web, prompt="login") == "/login"
    assert asks(web, prompt="consent") == "/consent"
    assert asks(web, prompt="select_account") == "/login/account"
    assert asks(web, scope="openid email") == "/consent"
    assert asks(web, scope="openid email", prompt="none") == "consent_required"
    native = RelyingParty(http, make_client(runtime, "native"))
    assert asks(native) == "/consent"
    native.sign_in(person)
    assert asks(native) == "/consent", "a native client could be anybody"
    first_party = RelyingParty(http, make_client(runtime, "native", consent="skipped"))
    first_party.http = web.http
    assert asks(first_party) == "code"
    strict = RelyingParty(http, make_client(runtime, "web", consent="required"))
    strict.sign_in(person)
    assert asks(strict) == "/consent"


def test_a_fresh_sign_in_is_a_new_session_with_a_new_time(web: RelyingParty, person: Person, clock: Clock) -> None:
    first = claims_of(web, web.sign_in(person))
    clock.advance(seconds=30)
    second = claims_of(web, web.sign_in(person, prompt="login"))
    assert second["auth_time"] == first["auth_time"] + 30
    assert second["sid"] != first["sid"]


def test_a_prompt_for_login_in_the_second_of_the_sign_in_still_asks(web: RelyingParty, person: Person) -> None:
    web.sign_in(person)
    assert asks(web, prompt="login") == "/login"
    web.sign_in(person, prompt="login")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
def test_max_age_asks_for_a_sign_in_that_is_recent_enough(web: RelyingParty, person: Person, clock: Clock, runtime: Runtime) -> None:
    web.sign_in(person)
    clock.advance(seconds=100)
    assert asks(web, max_age="100") == "code"
    assert asks(web, max_age="99") == "/login"
    assert asks(web, max_age="99", prompt="none") == "login_required"
    assert claims_of(web, web.sign_in(person, max_age="0"))["auth_time"] == clock.timestamp()
    with transaction(runtime.engine) as db:
        update_client(db, web.made.client_id, 1, {"metadata": {**web.made.client.metadata, "default_max_age": 10}})
    clock.advance(seconds=11)
    assert asks(web) == "/login"


def test_an_id_token_hint_or_a_claimed_subject_names_the_user(web: RelyingParty, person: Person, runtime: Runtime, clock: Clock) -> None:
    hint = web.sign_in(person)["id_token"]
    clock.advance(hours=2)
    assert asks(web, id_token_hint=hint, prompt="none") == "code"
    wanted = json.dumps({"id_token": {"sub": {"value": person.subject}}})
    assert asks(web, claims=wanted) == "code"
    other = make_user(runtime)
    stranger = RelyingParty(web.http.fresh(), web.made, clock=clock)
    stranger.sign_in(other)
    assert asks(stranger, id_token_hint=hint) == "/login"
    assert asks(stranger, id_token_hint=hint, prompt="none") == "login_required"
    assert stranger.authorize(other, id_token_hint=hint).error == "login_required"
    assert stranger.authorize(person, claims=wanted).error is None
    access_token = web.sign_in(person)["access_token"]
    assert asks(web, id_token_hint=access_token) == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "5.5.1.1")
def test_an_essential_acr_that_cannot_be_reached_is_an_error(web: RelyingParty, person: Person) -> None:
    def wanted(**request: Any) -> str:
        return json.dumps({"id_token": {"acr": request}})

    assert claims_of(web, web.sign_in(person, acr_values="urn:other urn:more"))["acr"] == "urn:authserver:password"
    assert web.authorize(person, claims=wanted(essential=True, values=["urn:strong"])).error == "unmet_authentication_requirements"
    assert web.authorize(person, claims=wanted(essential=True, value="urn:authserver:password")).error is None
    assert web.authorize(person, claims=wanted(values=["urn:strong"])).error is None
    assert web.authorize(person, claims=wanted(essential=True)).error is None


def test_choosing_the_account_goes_on_with_it_or_with_another(web: RelyingParty, person: Person, runtime: Runtime) -> None:
    web.sign_in(person)
    assert claims_of(web, web.sign_in(person, prompt="select_account"))["sub"] == person.subject


@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_a_denied_consent_is_final_for_the_request(web: RelyingParty, person: Person) -> None:
    callback = web.authorize(person, consent="deny")
    assert callback.error == "access_denied"
    assert asks(web) == "/consent", "a denial is not remembered"


def test_display_and_languages_are_read_and_nonsense_is_ignored(web: RelyingParty, person: Person) -> None:
    begun = web.begin(ui_locales="de en", display="popup", login_hint=person.email)
    page = read(follow(web.http, begun.answer))
    assert 'lang="de"' in page.answer.text
    assert person.email in page.answer.text
    web.authorize(person, display="hologram", ui_locales="x-klingon")


# Discovery


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.spec("RFC 8414", "3")
def test_both_discovery_documents_are_the_same_and_complete(http: InProcess) -> None:
    answer = http.get("/.well-known/openid-configuration")
    document = answer.json
    assert http.get("/.well-known/oauth-authorization-server").json == document
    assert document["issuer"] == http.issuer
    required = (
        *("authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported"),
        *("id_token_signing_alg_values_supported", "userinfo_endpoint", "scopes_supported", "claims_supported"),
    )
    assert set(required) <= set(document)
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    words = {word for value in document.values() if isinstance(value, list) for word in value if word != "none"}
    assert not {"HS256", "client_secret_jwt", "implicit", "password", "plain", "token", "id_token"} & words
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=300" in answer.headers["Cache-Control"]


def test_every_announced_endpoint_answers(http: InProcess) -> None:
    document = http.get("/.well-known/openid-configuration").json
    for name, url in document.items():
        if name.endswith("_endpoint"):
            assert http.post(url, {}).status in (400, 401, 303, 200), name


@pytest.mark.spec("RFC 7517", "5")
def test_the_keys_are_public_named_and_cacheable(http: InProcess) -> None:
    answer = http.get("/.well-known/jwks.json")
    for key in answer.json["keys"]:
        assert {"kid", "use", "alg", "kty"} <= set(key)
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    again = http.get("/.well-known/jwks.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_an_empty_ring_is_filled_before_it_is_shown(runtime: Runtime, http: InProcess) -> None:
    from sqlalchemy import delete

    from authserver.store.signing_key import signing_keys

    with transaction(runtime.engine) as db:
        db.execute(delete(signing_keys))
    runtime.caches.key_ring.clear()
    assert [key["alg"] for key in http.get("/.well-known/jwks.json").json["keys"]] == ["RS256"]


# RP-initiated logout


def logout(party: RelyingParty, **parameters: Any) -> Any:
    return party.http.get(f"/oidc/logout?{urlencode(parameters)}")


BYE = "https://app.example.org/bye"


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_a_client_signs_its_user_out_and_gets_them_back(web: RelyingParty, person: Person) -> None:
    tokens = web.sign_in(person)
    answer = logout(web, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="a b")
    assert answer.location == f"{BYE}?state=a+b"
    assert asks(web, prompt="none") == "login_required"
    assert web.refresh(tokens["refresh_token"]).error == "invalid_grant"


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_an_expired_hint_still_names_the_session(web: RelyingParty, person: Person, clock: Clock) -> None:
    token = web.sign_in(person)["id_token"]
    clock.advance(hours=3)
    registered_query = f"{BYE}?a=1"
    assert logout(web, id_token_hint=token, post_logout_redirect_uri=registered_query, state="s").location == f"{registered_query}&state=s"


@pytest.mark.spec("OpenID RP-Initiated Logout", "3")
@pytest.mark.parametrize("uri", ["https://evil.example/", f"{BYE}/", f"{BYE}?x=1", "javascript:alert(1)"])
def test_nobody_is_sent_to_an_unregistered_address(web: RelyingParty, person: Person, uri: str) -> None:
    token = web.sign_in(person)["id_token"]
    answer = logout(web, id_token_hint=token, post_logout_redirect_uri=uri)
    assert answer.location is None or answer.location.startswith(web.issuer)
    assert uri not in answer.text


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_without_a_hint_of_this_session_the_person_is_asked(web: RelyingParty, person: Person, runtime: Runtime) -> None:
    tokens = web.sign_in(person)
    other = RelyingParty(web.http.fresh(), web.made)
    foreign = other.sign_in(make_user(runtime))["id_token"]
    questions: list[dict[str, Any]] = [
        {},
        {"client_id": web.made.client_id, "post_logout_redirect_uri": BYE},
        {"id_token_hint": "nonsense"},
        {"id_token_hint": tokens["access_token"]},
        {"id_token_hint": foreign},
        {"id_token_hint": tokens["id_token"], "client_id": "another"},
    ]
    for parameters in questions:
        answer = follow(web.http, logout(web, **parameters))
        assert answer.status == 200
        assert read(answer).forms, parameters
        assert asks(web, prompt="none") == "code", "still signed in"
