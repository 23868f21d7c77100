"""What Authlib's documented wiring gets wrong, asked of our server: double spending, hostile input, lost `iss` and `state`."""

import base64
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.factories import API, make_client, make_key, make_resource_server, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.relying_party import ASSERTION_TYPE, TOKEN, RelyingParty, arrived, challenge_of, is_form_post

BAD_STATUS = range(500, 600)


@pytest.fixture
def person(runtime):
    return make_user(runtime)


@pytest.fixture
def api(runtime):
    return make_resource_server(runtime)


@pytest.fixture
def rp(runtime, http, clock, api):
    """A public client that rotates its refresh tokens."""
    return RelyingParty(http, make_client(runtime, "spa", apis=[API], scope="openid profile email offline_access read write"), clock=clock)


@pytest.fixture
def service(runtime, http, clock, api):
    return RelyingParty(http, make_client(runtime, "service", apis=[API], scope="read write"), clock=clock)


def basic(pair: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


# Parameters of the token endpoint


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("elsewhere", [["grant_type"], ["grant_type", "scope"], ["grant_type", "client_id", "client_secret"]])
def test_token_parameters_in_the_query_are_not_believed(service, elsewhere):
    headers, _ = service.credentials()
    everything = {
        "grant_type": "client_credentials",
        "scope": "read",
        "client_id": service.made.client_id,
        "client_secret": service.made.secret,
    }
    query = urlencode({name: everything[name] for name in elsewhere})
    answer = service.back.post(f"{TOKEN}?{query}", {}, headers=headers)
    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2")
def test_the_query_does_not_override_the_body(service):
    headers, _ = service.credentials()
    answer = service.back.post(
        f"{TOKEN}?grant_type=password&scope=write", {"grant_type": "client_credentials", "scope": "read"}, headers=headers
    )
    assert answer.json["scope"] == "read"


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize(
    ("method", "content_type", "status"),
    [("GET", None, 405), ("PUT", "application/x-www-form-urlencoded", 405), ("POST", "application/json", 400), ("POST", "text/plain", 400)],
)
def test_the_token_endpoint_takes_posted_forms_alone(service, method, content_type, status):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = service.back.request(method, TOKEN, data=b'{"grant_type":"client_credentials"}' if content_type else None, headers=headers)
    assert answer.status == status


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize(
    "name", ["grant_type", "scope", "client_id", "client_secret", "code", "refresh_token", "code_verifier", "redirect_uri"]
)
def test_a_repeated_token_parameter_is_refused(service, name):
    good = [("grant_type", "client_credentials"), ("client_id", service.made.client_id), ("client_secret", str(service.made.secret))]
    values = dict(good)
    pairs = [*good, (name, values.get(name, "x")), *([] if name in values else [(name, "y")])]
    answer = service.back.post(TOKEN, pairs)
    assert (answer.status, answer.error) == (400, "invalid_request")


# Hostile credentials

HOSTILE = {
    "not base64": {"Authorization": "Basic %%%"},
    "nothing": {"Authorization": "Basic "},
    "no colon": basic(b"client"),
    "not UTF-8": basic(b"\xff\xfe:\xff"),
    "bad percent encoding": basic(b"%ff%fe:%ff"),
    "non-ASCII secret": basic("web:gehéim".encode()),
    "NUL": basic(b"web\x00:secret\x00"),
    "another scheme": {"Authorization": "Bearer abc"},
    "long": basic(b"web:" + b"x" * 4000),
    "quotes": basic(b'we"b:se\\cret'),
}


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_basic_credentials_are_invalid_client(service, headers):
    answer = service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers=headers)
    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "secret", ["gehéim", '"\\', "x" * 4000, "%", "+", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
)
def test_hostile_secrets_in_the_body_are_invalid_client(runtime, http, secret):
    made = make_client(runtime, "web", token_endpoint_auth_method="client_secret_post")
    data = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": secret}
    answer = http.post(TOKEN, data)
    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 6749", "5.2")
def test_bytes_that_are_not_utf8_in_the_body_are_refused(service):
    body = b"grant_type=client_credentials&client_id=%ff%fe&client_secret=%80"
    assert service.back.post(TOKEN, body).status in (400, 401)


@pytest.mark.spec("RFC 6749", "2.3")
def test_a_secret_for_a_public_client_is_invalid_client(rp):
    answer = rp.back.post(
        TOKEN, {"grant_type": "refresh_token", "refresh_token": "x"}, headers=basic(f"{rp.made.client_id}:secret".encode())
    )
    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 6749", "2.3")
def test_two_authentication_methods_at_once_are_refused(service):
    headers, _ = service.credentials()
    answer = service.token(
        client_id=service.made.client_id, client_secret=service.made.secret, headers=headers, grant_type="client_credentials"
    )
    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "2.3")
def test_a_client_id_other_than_the_authenticated_one_is_refused(service, rp):
    answer = service.client_credentials(client_id=rp.made.client_id)
    assert answer.status in (400, 401)


@pytest.mark.spec("RFC 6749", "2.3.1")
def test_basic_credentials_are_form_decoded(runtime, http):
    made = make_client(runtime, "service", secret="a b+c%d:e", token_endpoint_auth_method="client_secret_basic")
    assert RelyingParty(http, made).client_credentials().status == 200


@pytest.mark.spec("RFC 6749", "5.2")
def test_unknown_client_and_wrong_secret_cannot_be_told_apart(service):
    wrong = service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers=basic(f"{service.made.client_id}:wrong".encode()))
    unknown = service.back.post(TOKEN, {"grant_type": "client_credentials"}, headers=basic(b"nobody:wrong"))
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)


# Hostile authorization requests

HOSTILE_REDIRECTS = [
    'https://app.example.org/callback"',
    "https://app.example.org/cällback",
    "javascript:alert(1)",
    "https://app.example.org/callback\\x",
    "x" * 9000,
]


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("redirect_uri", HOSTILE_REDIRECTS)
def test_a_hostile_redirect_uri_is_shown_as_a_page_and_never_followed(rp, redirect_uri):
    answer = rp.begin(redirect_uri=redirect_uri).answer
    assert answer.status == 400
    assert answer.location is None
    assert redirect_uri not in answer.text


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("response_type", ['fo"o', "é", "code\\", "token", "id_token", "code token", "none", "x" * 5000])
def test_another_response_type_is_refused_without_echo(rp, response_type):
    begun = rp.begin(response_type=response_type)
    _, parameters = arrived(begun.answer)
    assert parameters["error"] in ("unsupported_response_type", "invalid_request")
    assert parameters["state"] == begun.parameters["state"]
    assert response_type not in parameters["error_description"].replace("code", "").split()


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"scope": 'op"enid'},
        {"scope": "read é"},
        {"prompt": '"'},
        {"max_age": "é"},
        {"max_age": "-1"},
        {"max_age": "9" * 5000},
        {"claims": "{" * 5000},
        {"claims": '{"userinfo":5}'},
        {"claims": "[]"},
        {"nonce": "n" * 5000},
        {"response_mode": 'fo"rm'},
        {"code_challenge": "é" * 43},
        {"id_token_hint": "a.b.c"},
        {"id_token_hint": "é"},
        {"acr_values": "é"},
        {"ui_locales": "é" * 100},
        {"resource": "é"},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"request_uri": "https://attacker.example/request"},
        {"registration": "{}"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_hostile_authorization_parameters_never_break_the_server(rp, changes):
    answer = rp.begin(**changes).answer
    assert answer.status not in BAD_STATUS
    if answer.location and not answer.location.startswith(rp.issuer):
        _, parameters = arrived(answer)
        assert parameters["iss"] == rp.issuer


# PKCE

VERIFIER = "v" * 64
PKCE = {
    "omitted": {"code_challenge": None, "code_challenge_method": None},
    "plain": {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
    "method omitted": {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": None},
    "challenge omitted": {"code_challenge": None},
    "too short": {"code_challenge": "c" * 42},
    "too long": {"code_challenge": "c" * 129},
    "newline": {"code_challenge": "c" * 43 + "\n"},
    "S512": {"code_challenge_method": "S512"},
    "lower case": {"code_challenge_method": "s256"},
}


@pytest.mark.spec("RFC 7636", "4.3")
@pytest.mark.parametrize("kind", ["spa", "native", "web"])
@pytest.mark.parametrize("changes", PKCE.values(), ids=PKCE.keys())
def test_pkce_is_s256_for_every_client(runtime, http, kind, changes):
    begun = RelyingParty(http, make_client(runtime, kind)).begin(**changes)
    _, parameters = arrived(begun.answer)
    assert parameters["error"] == "invalid_request"
    assert (parameters["state"], parameters["iss"]) == (begun.parameters["state"], http.issuer)


@pytest.mark.spec("RFC 7636", "4.6")
@pytest.mark.parametrize("verifier", [None, "", "w" * 64, VERIFIER + "\n", VERIFIER[:-1], challenge_of(VERIFIER), VERIFIER.upper()])
def test_a_wrong_verifier_is_refused_and_does_not_burn_the_code(rp, person, verifier):
    callback = rp.authorize(person, code_challenge=challenge_of(VERIFIER))
    refused = rp.redeem(callback, code_verifier=verifier)
    assert (refused.status, refused.error) == (400, "invalid_grant")
    assert rp.redeem(callback, code_verifier=VERIFIER).status == 200


# Codes


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_a_replayed_code_is_refused_and_ends_what_it_gave(rp, person):
    callback = rp.authorize(person, scope="openid offline_access")
    tokens = rp.redeem(callback).json
    assert rp.userinfo(tokens["access_token"]).status == 200
    replay = rp.redeem(callback)
    assert (replay.status, replay.error) == (400, "invalid_grant")
    assert rp.userinfo(tokens["access_token"]).status == 401
    assert rp.refresh(tokens["refresh_token"]).error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_of_eight_threads_one_redeems_a_code(rp, person):
    for _ in range(5):
        callback = rp.authorize(person)
        statuses = race(8, lambda callback=callback: redeem_alone(rp, callback))
        assert sorted(statuses) == [200] + [400] * 7


def redeem_alone(rp, callback) -> int:
    return RelyingParty(rp.http, rp.made, back=rp.back.fresh()).redeem(callback).status


def race(number, act) -> list:
    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(act) for _ in range(number)]]


@pytest.mark.spec("RFC 6749", "4.1.3")
def test_a_code_is_its_clients_alone(runtime, rp, person):
    other = RelyingParty(rp.http, make_client(runtime, "spa"), clock=rp.clock)
    callback = rp.authorize(person)
    assert other.redeem(callback).error == "invalid_grant"
    assert rp.redeem(callback, redirect_uri="https://app.example.org/other").error == "invalid_grant"
    assert rp.redeem(callback).status == 200


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_a_code_lives_for_a_minute(rp, person, clock):
    callback = rp.authorize(person)
    clock.advance(seconds=60)
    assert rp.redeem(callback).error == "invalid_grant"


# Refresh tokens


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_an_old_refresh_token_ends_its_family(rp, person, clock):
    first = rp.sign_in(person, scope="openid offline_access")
    second = rp.refresh(first["refresh_token"]).json
    clock.advance(seconds=31)
    assert rp.refresh(first["refresh_token"]).error == "invalid_grant"
    assert rp.refresh(second["refresh_token"]).error == "invalid_grant"
    assert rp.userinfo(second["access_token"]).status == 401


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_a_retry_within_the_leeway_gets_the_same_successor(rp, person, clock):
    first = rp.sign_in(person, scope="openid offline_access")
    second = rp.refresh(first["refresh_token"]).json
    clock.advance(seconds=29)
    assert rp.refresh(first["refresh_token"]).json["refresh_token"] == second["refresh_token"]
    assert rp.refresh(second["refresh_token"]).status == 200


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_a_retry_after_the_successor_was_used_ends_the_family(rp, person):
    first = rp.sign_in(person, scope="openid offline_access")
    second = rp.refresh(first["refresh_token"]).json
    third = rp.refresh(second["refresh_token"]).json
    assert rp.refresh(first["refresh_token"]).error == "invalid_grant"
    assert rp.refresh(third["refresh_token"]).error == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.settings(refresh_token_leeway=timedelta(0))
def test_without_leeway_every_retry_is_reuse(rp, person, clock):
    first = rp.sign_in(person, scope="openid offline_access")
    second = rp.refresh(first["refresh_token"]).json
    clock.advance(seconds=1)
    assert rp.refresh(first["refresh_token"]).error == "invalid_grant"
    assert rp.refresh(second["refresh_token"]).error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "6")
def test_a_narrowed_refresh_does_not_narrow_the_family(rp, person):
    tokens = rp.sign_in(person, scope="openid offline_access read write")
    narrow = rp.refresh(tokens["refresh_token"], scope="read").json
    assert narrow["scope"] == "read"
    again = rp.refresh(narrow["refresh_token"]).json
    assert set(again["scope"].split()) == {"openid", "offline_access", "read", "write"}


@pytest.mark.spec("RFC 6749", "6")
def test_a_refresh_cannot_widen_scope_or_resource(rp, person):
    tokens = rp.sign_in(person, scope="openid offline_access read")
    assert rp.refresh(tokens["refresh_token"], scope="read write").error == "invalid_scope"
    assert rp.refresh(tokens["refresh_token"], resource="https://other.example.com").error == "invalid_target"


@pytest.mark.spec("RFC 6749", "6")
def test_a_refresh_token_is_its_clients_alone(runtime, rp, person):
    other = RelyingParty(rp.http, make_client(runtime, "spa"), clock=rp.clock)
    tokens = rp.sign_in(person, scope="openid offline_access")
    assert other.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert rp.refresh(tokens["refresh_token"]).status == 200


@pytest.mark.spec("RFC 6749", "10.4")
def test_no_variant_of_a_refresh_token_is_taken(rp, person):
    token = rp.sign_in(person, scope="openid offline_access")["refresh_token"]
    kid, family, generation, mac = token.split(".")
    variants = [
        token[:-1],
        token + "A",
        token + "=",
        token + ".",
        token.upper(),
        token.swapcase(),
        " " + token,
        f"{kid}.{family}.1.{mac}",
        f"{kid}.{family}.00.{mac}",
        f"{kid}.{family}.-0.{mac}",
        f"{kid}.{family}.٠.{mac}",
        f"{kid}.{family[:-1]}.{generation}.{mac}",
        f"es256-1.{family}.{generation}.{mac}",
        f"{kid}.{family}.{'9' * 100}.{mac}",
    ]
    answers = [rp.refresh(variant) for variant in variants]
    assert {(answer.status, answer.error) for answer in answers} == {(400, "invalid_grant")}
    assert rp.refresh(token).status == 200


@pytest.mark.spec("OpenID Connect Core", "12.2")
def test_a_refreshed_id_token_keeps_auth_time_and_subject(rp, person, clock):
    tokens = rp.sign_in(person, scope="openid offline_access", max_age="3600")
    before = rp.verify(tokens["id_token"], rp.made.client_id)
    clock.advance(seconds=500)
    after = rp.verify(rp.refresh(tokens["refresh_token"]).json["id_token"], rp.made.client_id)
    for claim in ("iss", "sub", "aud", "auth_time"):
        assert after[claim] == before[claim]
    assert after["iat"] == before["iat"] + 500
    assert "nonce" not in after


# iss and state on every answer


FAULTS = {
    "response_type": ({"response_type": "foo"}, "unsupported_response_type"),
    "pkce": ({"code_challenge": None}, "invalid_request"),
    "scope": ({"scope": "read nothing-of-the-kind"}, "invalid_scope"),
    "resource": ({"resource": "https://unknown.example.com"}, "invalid_target"),
    "prompt": ({"prompt": "none"}, "login_required"),
    "none and login": ({"prompt": "none login"}, "invalid_request"),
    "repeated": ({"nonce": ["one", "two"]}, "invalid_request"),
    "request": ({"request": "e30.e30."}, "request_not_supported"),
    "request_uri": ({"request_uri": "https://attacker.example/"}, "request_uri_not_supported"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
    "max_age": ({"max_age": "soon"}, "invalid_request"),
}


@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.parametrize("mode", [None, "query", "form_post"])
@pytest.mark.parametrize(("changes", "error"), FAULTS.values(), ids=FAULTS.keys())
def test_every_error_has_iss_and_state(rp, mode, changes, error):
    state = 'a b+c/d?e=f&g#h"é'
    begun = rp.begin(state=state, response_mode=mode, **changes)
    assert is_form_post(begun.answer) == (mode == "form_post")
    address, parameters = arrived(begun.answer)
    assert address == rp.made.redirect_uri
    assert (parameters["error"], parameters["state"], parameters["iss"]) == (error, state, rp.issuer)


@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.parametrize("mode", [None, "query", "form_post"])
@pytest.mark.parametrize("consent", ["allow", "deny"])
def test_success_and_denial_have_iss_and_state(rp, person, mode, consent):
    state = 'a b+c/d?e=f&g#h"é'
    callback = rp.authorize(person, consent=consent, state=state, response_mode=mode, prompt="consent")
    assert (callback.parameters["state"], callback.parameters["iss"]) == (state, rp.issuer)
    assert callback.error == {"allow": None, "deny": "access_denied"}[consent]


# Assertions of clients


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519"])
def test_an_assertion_is_taken_with_every_algorithm_of_ours(runtime, http, clock, alg):
    rp = RelyingParty(http, make_client(runtime, "service", key=make_key(alg)), clock=clock)
    assert rp.client_credentials().status == 200


@pytest.fixture(scope="module")
def key():
    return make_key("ES256")


@pytest.fixture
def asserting(runtime, http, clock, key):
    return RelyingParty(http, make_client(runtime, "service", key=key), clock=clock)


def post_assertion(rp, **claims):
    headers, data = rp.credentials(**claims)
    return rp.back.post(TOKEN, {"grant_type": "client_credentials", **data}, headers=headers)


BAD_CLAIMS = {
    "exp in ten years": lambda now: {"exp": now + 315360000},
    "exp in six minutes": lambda now: {"exp": now + 360},
    "expired": lambda now: {"exp": now - 31, "iat": now - 90},
    "no exp": lambda now: {"exp": None},
    "exp as text": lambda now: {"exp": str(now + 60)},
    "exp is true": lambda now: {"exp": True},
    "exp is a fraction": lambda now: {"exp": now + 60.5},
    "iat ahead": lambda now: {"iat": now + 61},
    "nbf ahead": lambda now: {"nbf": now + 61},
    "no jti": lambda now: {"jti": None},
    "jti is a number": lambda now: {"jti": 5},
    "no iss": lambda now: {"iss": None},
    "another sub": lambda now: {"sub": "somebody"},
    "aud is a list": lambda now: {"aud": ["https://login.example.com"]},
    "aud is the token endpoint": lambda now: {"aud": "https://login.example.com/oauth2/token"},
    "aud with a slash": lambda now: {"aud": "https://login.example.com/"},
    "aud is another server": lambda now: {"aud": "https://other.example.com"},
    "no aud": lambda now: {"aud": None},
}


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("change", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_an_assertion_with_a_bad_claim_is_invalid_client(asserting, clock, change):
    claims = change(clock.timestamp())
    if "sub" in claims:
        answer = post_assertion(asserting, **claims)
    else:
        answer = asserting.back.post(
            TOKEN,
            {
                "grant_type": "client_credentials",
                "client_id": asserting.made.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": asserting.assertion(**claims),
            },
        )
    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 7523", "3")
def test_an_assertion_is_used_once(asserting):
    _, data = asserting.credentials()
    answers = [asserting.back.post(TOKEN, {"grant_type": "client_credentials", **data}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 401]


@pytest.mark.spec("RFC 7521", "4.2")
def test_a_client_id_beside_an_assertion_must_be_its_own(asserting, rp):
    _, data = asserting.credentials()
    answer = asserting.back.post(TOKEN, {"grant_type": "client_credentials", **data, "client_id": rp.made.client_id})
    assert answer.status in (400, 401)


@pytest.mark.spec("RFC 8725", "3.1")
@pytest.mark.parametrize("alg", ["none", "None", "HS256", "ES384", "RS256", "EdDSA"])
def test_an_assertion_with_another_algorithm_is_invalid_client(asserting, key, alg):
    _header, claims, _ = asserting.assertion().split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "client-key"}).encode()).rstrip(b"=").decode()
    for signature in ("", "c2lnbmF0dXJl"):
        data = {
            "grant_type": "client_credentials",
            "client_id": asserting.made.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": f"{forged}.{claims}.{signature}",
        }
        answer = asserting.back.post(TOKEN, data)
        assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 8725", "3.10")
@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "crit"])
def test_an_assertion_that_brings_its_own_key_is_invalid_client(asserting, member):
    intruder = make_key("ES256", "client-key")
    value = {"jwk": intruder.as_dict(private=False), "crit": ["b64"], "x5c": ["AAAA"]}.get(member, "https://attacker.example/keys")
    header = encoded({"alg": "ES256", "kid": "client-key", member: value})
    body = encoded({"iss": asserting.made.client_id, "sub": asserting.made.client_id})
    data = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": f"{header}.{body}.AAAA", "client_id": asserting.made.client_id}
    answer = asserting.back.post(TOKEN, {"grant_type": "client_credentials", **data})
    assert (answer.status, answer.error) == (401, "invalid_client")


def encoded(members) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("assertion", ["", "a", "a.b.c", "é.é.é", "." * 50, "e30.e30.", "W" * 20000, encoded([]) + ".e30."], ids=range(8))
def test_a_garbled_assertion_is_invalid_client(asserting, assertion):
    data = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "client_id": asserting.made.client_id}
    answer = asserting.back.post(TOKEN, {"grant_type": "client_credentials", **data})
    assert answer.status in (400, 401)


def test_a_deeply_nested_assertion_is_invalid_client(asserting):
    nested = base64.urlsafe_b64encode(b"[" * 9000).rstrip(b"=").decode()
    for token in (f"{nested}.e30.", f"{encoded({'alg': 'ES256'})}.{nested}."):
        data = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token, "client_id": asserting.made.client_id}
        assert asserting.back.post(TOKEN, {"grant_type": "client_credentials", **data}).status in (400, 401)


# Introspection, logout, logs


@pytest.mark.spec("RFC 7662", "2.2")
def test_introspection_says_inactive_for_what_is_no_access_token_of_ours(runtime, http, clock, person, api):
    made = make_client(runtime, "web", apis=[API], scope="openid offline_access read")
    rp = RelyingParty(http, made, clock=clock)
    tokens = rp.sign_in(person, scope="openid offline_access read")
    assert rp.introspect(tokens["access_token"]).json["active"] is True
    header, claims, signature = tokens["access_token"].split(".")
    for token in (
        tokens["id_token"],
        "x",
        "é",
        "a.b.c",
        tokens["access_token"][:-2],
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature}=",
    ):
        answer = rp.introspect(token)
        assert (answer.status, answer.json) == (200, {"active": False})


@pytest.mark.spec("RFC 7662", "2.2")
def test_a_token_without_scope_is_introspected(runtime, http, clock):
    service = RelyingParty(http, make_client(runtime, "service"), clock=clock)
    token = service.client_credentials().json["access_token"]
    answer = service.introspect(token)
    assert answer.status == 200
    assert answer.json["active"] is True
    assert "scope" not in answer.json


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_an_access_token_is_no_hint_for_signing_out(rp, person):
    tokens = rp.sign_in(person)
    answer = rp.http.get("/oidc/logout?" + urlencode({"id_token_hint": tokens["access_token"]}))
    assert answer.status in (200, 400)
    assert rp.begin(prompt="none").answer.query.get("error") is None, "still signed in"


@pytest.mark.spec("RFC 7515", "4.1.4")
def test_tokens_are_signed_by_the_current_key_and_never_by_an_announced_one(runtime, service, clock):
    before = token_kid(service)
    clock.advance(days=90, hours=-2)
    assert token_kid(service) == before
    assert len([kid for kid in service.served_keys() if kid.startswith("rs256-")]) == 2
    clock.advance(hours=3)
    after = token_kid(service)
    assert after != before
    assert {before, after} <= set(service.served_keys())


def token_kid(service) -> str:
    token = service.client_credentials().json["access_token"]
    service.verify(token)
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


@pytest.fixture
def debug_logs(caplog):
    """Every logger at DEBUG, those of libraries too."""
    caplog.set_level(logging.DEBUG)
    before = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_no_token_is_logged_at_debug(rp, service, person, debug_logs):
    callback = rp.authorize(person, scope="openid offline_access")
    tokens = rp.redeem(callback).json
    refreshed = rp.refresh(tokens["refresh_token"]).json
    rp.userinfo(tokens["access_token"])
    rp.introspect(tokens["access_token"])
    rp.revoke(refreshed["refresh_token"])
    service.client_credentials()
    secrets = [callback.code, callback.verifier, person.password, str(service.made.secret)]
    secrets += [document[name] for document in (tokens, refreshed) for name in ("access_token", "id_token", "refresh_token")]
    logged = "\n".join(json.dumps(vars(record), default=repr) for record in debug_logs.records)
    assert logged
    assert not [position for position, secret in enumerate(secrets) if secret in logged]


def test_an_unknown_grant_type_is_refused_without_echo(service):
    for grant_type in ("password", "implicit", 'pass"word', "é", "urn:ietf:params:oauth:grant-type:token-exchange", "x" * 4000):
        answer = service.token(grant_type=grant_type)
        assert (answer.status, answer.error) == (400, "unsupported_grant_type")
        assert grant_type not in answer.text


def test_a_page_never_echoes_a_script(rp):
    answer = rp.begin(client_id='"><script>alert(1)</script>').answer
    assert answer.status == 400
    assert "<script>alert" not in answer.text
    assert read(answer).text


def test_another_browser_cannot_go_on_with_a_request(rp, person):
    begun = rp.begin()
    step = begun.answer.location
    stranger = InProcess(rp.http.app, rp.issuer)
    answer = stranger.get(step)
    assert answer.status == 400
    assert not read(answer).asks_for_password
