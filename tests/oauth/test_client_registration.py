"""The rules of a client's metadata: defaults by kind, what each field may hold, and what fits together."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.crypto.jose import ALGORITHMS
from authserver.oauth.client_metadata import CONFIDENTIAL_METHODS, DEVICE_CODE, FIELDS, TEXT_FIELDS
from authserver.oauth.client_registration import PROFILES, Invalid, check_client, check_kind, check_name, origins_of, redirect_matches
from authserver.store.client import Client
from tests.factories import jwks_of, make_key

REDIRECTS = {"redirect_uris": ["https://app.example.com/cb"]}
WORKING = {"spa": REDIRECTS, "native": REDIRECTS, "web": REDIRECTS, "service": {}, "device": {}}
JWKS = jwks_of(make_key())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def each_kind():
    return pytest.mark.parametrize("kind", PROFILES)


@each_kind()
def test_a_kind_decides_the_defaults(kind):
    metadata = check_client(kind, WORKING[kind])
    assert metadata == {
        "redirect_uris": WORKING[kind].get("redirect_uris", []),
        "post_logout_redirect_uris": [],
        "allowed_origins": [],
        "grant_types": {
            "service": ["client_credentials"],
            "device": [DEVICE_CODE, "refresh_token"],
        }.get(kind, ["authorization_code", "refresh_token"]),
        "response_types": [] if kind in ("service", "device") else ["code"],
        "response_modes": [] if kind in ("service", "device") else ["query", "form_post"],
        "token_endpoint_auth_method": "client_secret_basic" if kind in ("web", "service") else "none",
        "id_token_signed_response_alg": "RS256",
        "scope": "",
        "apis": [],
        "require_pkce": True,
        "refresh_token_rotation": "auto",
        "assertion_audience": "issuer",
        "consent": "remembered",
    }


@each_kind()
def test_checked_metadata_is_taken_again_as_it_is(kind):
    metadata = check_client(kind, WORKING[kind])
    assert check_client(kind, metadata) == metadata


def test_none_takes_a_value_back_to_its_default():
    assert check_client("web", {**REDIRECTS, "scope": None, "jwks": None}) == check_client("web", REDIRECTS)


GOOD = [
    ("spa", {"allowed_origins": ["https://shell.example.com", "capacitor://localhost", "http://localhost:5173", "http://[::1]:1"]}),
    ("native", {"redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb"], "allowed_origins": ["capacitor://localhost"]}),
    ("web", {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}),
    ("web", {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example.com/keys"}),
    ("web", {"jwks": jwks_of(make_key("RS256", "a"), make_key("Ed25519", "b"), make_key("ES256", "c"))}),
    ("web", {"jwks": {"keys": [{name: value for name, value in JWKS["keys"][0].items() if name not in ("alg", "use", "kid")}]}}),
    ("web", {"require_pkce": False}),
    ("web", {"grant_types": ["authorization_code"]}),
    ("web", {"grant_types": ["authorization_code", "refresh_token", "client_credentials"]}),
    ("web", {"scope": "openid  profile openid"}),
    ("web", {"apis": ["https://api.example.com", "urn:example:api"]}),
    ("web", {"refresh_token_lifetime": 2592000, "default_max_age": 0}),
    ("web", {"post_logout_redirect_uris": ["https://app.example.com/bye"]}),
    ("web", {"client_uri": "https://example.com", "tos_uri": "https://example.com/tos", "policy_uri": "https://example.com/privacy"}),
    ("web", {"contacts": ["ops@example.com"], "initiate_login_uri": "https://app.example.com/login"}),
    ("web", {"attributes": {"tier": "gold", "limits": {"calls": 10}}}),
    (
        "web",
        {"userinfo_signed_response_alg": "ES256", "id_token_signed_response_alg": "Ed25519", "token_endpoint_auth_signing_alg": "PS256"},
    ),
    ("device", {"token_endpoint_auth_method": "client_secret_post"}),
    ("service", {"token_endpoint_auth_method": "client_secret_post", "attributes": {}}),
]


@pytest.mark.spec("RFC 7591", "2")
@pytest.mark.parametrize(("kind", "values"), GOOD)
def test_good_metadata_is_taken(kind, values):
    metadata = check_client(kind, {**WORKING[kind], **values})
    expected = {**values, "scope": "openid profile"} if "scope" in values else values
    assert {name: metadata[name] for name in values} == expected


def test_a_list_keeps_each_item_once_in_order():
    uris = ["https://b.example/cb", "https://a.example/cb", "https://b.example/cb"]
    assert check_client("web", {"redirect_uris": uris})["redirect_uris"] == uris[:2]


PRIVATE = json.loads(json.dumps(make_key().as_dict(private=True)))
SMALL_RSA = {"kty": "RSA", "n": "w" * 171, "e": "AQAB", "kid": "small"}
BAD = [
    ("spa", {"redirect_uris": []}, "redirect_uris"),
    ("spa", {"redirect_uris": ["com.example.app:/cb"]}, "redirect_uris"),
    ("web", {"redirect_uris": ["com.example.app:/cb"]}, "redirect_uris"),
    ("web", {"redirect_uris": ["https://app.example.com/cb#x"]}, "redirect_uris"),
    ("web", {"redirect_uris": "https://app.example.com/cb"}, "redirect_uris"),
    ("web", {"redirect_uris": [f"https://app.example.com/{number}" for number in range(101)]}, "redirect_uris"),
    ("web", {"post_logout_redirect_uris": ["http://app.example.com/bye"]}, "post_logout_redirect_uris"),
    ("web", {"post_logout_redirect_uris": ["com.example.app:/bye"]}, "post_logout_redirect_uris"),
    ("service", {"redirect_uris": ["https://app.example.com/cb"]}, "redirect_uris"),
    ("service", {"post_logout_redirect_uris": ["https://app.example.com/cb"]}, "post_logout_redirect_uris"),
    ("device", {"redirect_uris": ["https://app.example.com/cb"]}, "redirect_uris"),
    ("web", {"response_modes": []}, "response_modes"),
    ("web", {"response_modes": ["fragment"]}, "response_modes"),
    ("web", {"response_types": []}, "response_types"),
    ("web", {"response_types": ["token"]}, "response_types"),
    ("service", {"response_types": ["code"]}, "response_types"),
    ("web", {"grant_types": []}, "grant_types"),
    ("web", {"grant_types": ["refresh_token"]}, "grant_types"),
    ("web", {"grant_types": ["authorization_code", "implicit"]}, "grant_types"),
    ("web", {"grant_types": ["authorization_code", "password"]}, "grant_types"),
    ("web", {"grant_types": ["authorization_code", "magic"]}, "grant_types"),
    ("service", {"grant_types": ["authorization_code"]}, "grant_types"),
    ("service", {"grant_types": ["client_credentials", "refresh_token"]}, "grant_types"),
    ("spa", {"grant_types": ["authorization_code", "client_credentials"]}, "grant_types"),
    ("device", {"grant_types": [DEVICE_CODE, "client_credentials"]}, "grant_types"),
    ("spa", {"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
    ("native", {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}, "token_endpoint_auth_method"),
    ("web", {"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
    ("service", {"token_endpoint_auth_method": "none"}, "grant_types"),
    ("web", {"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
    ("web", {"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
    ("web", {"jwks": JWKS, "jwks_uri": "https://app.example.com/keys"}, "jwks_uri"),
    ("web", {"jwks_uri": "http://localhost/keys"}, "jwks_uri"),
    ("web", {"jwks": {"keys": []}}, "jwks"),
    ("web", {"jwks": []}, "jwks"),
    ("web", {"jwks": {"keys": ["x"]}}, "jwks"),
    ("web", {"jwks": {"keys": [PRIVATE]}}, "jwks"),
    ("web", {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks"),
    ("web", {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}}, "jwks"),
    ("web", {"jwks": {"keys": [{"kty": "RSA", "n": 5, "e": []}]}}, "jwks"),
    ("web", {"jwks": {"keys": [SMALL_RSA]}}, "jwks"),
    ("web", {"jwks": {"keys": [{**JWKS["keys"][0], "alg": "Ed25519"}]}}, "jwks"),
    ("web", {"jwks": {"keys": [{**JWKS["keys"][0], "use": "enc"}]}}, "jwks"),
    ("web", {"jwks": {"keys": [{**JWKS["keys"][0], "kid": 5}]}}, "jwks"),
    ("web", {"jwks": {"keys": [JWKS["keys"][0], JWKS["keys"][0]]}}, "jwks"),
    ("web", {"jwks": {"keys": [{**JWKS["keys"][0], "x5c": ["A" * 17000]}]}}, "jwks"),
    ("spa", {"require_pkce": False}, "require_pkce"),
    ("web", {"require_pkce": "false"}, "require_pkce"),
    ("web", {"allowed_origins": ["https://a.example.com"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["null"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["*"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["https://*.example.com"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["https://a.example.com/"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["https://a.example.com:443"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["https://A.example.com"]}, "allowed_origins"),
    ("spa", {"allowed_origins": ["http://a.example.com"]}, "allowed_origins"),
    ("spa", {"allowed_origins": [None]}, "allowed_origins"),
    ("web", {"scope": 'a"b'}, "scope"),
    ("web", {"scope": "a\\b"}, "scope"),
    ("web", {"scope": "ä"}, "scope"),
    ("web", {"scope": "a\tb"}, "scope"),
    ("web", {"scope": "a" * 1025}, "scope"),
    ("web", {"scope": ["openid"]}, "scope"),
    ("web", {"apis": ["api"]}, "apis"),
    ("web", {"apis": ["https://api.example.com/#x"]}, "apis"),
    ("web", {"apis": ["https://api example.com"]}, "apis"),
    ("web", {"refresh_token_lifetime": 59}, "refresh_token_lifetime"),
    ("web", {"refresh_token_lifetime": True}, "refresh_token_lifetime"),
    ("web", {"refresh_token_lifetime": "30d"}, "refresh_token_lifetime"),
    ("web", {"refresh_token_lifetime": 10**12}, "refresh_token_lifetime"),
    ("web", {"default_max_age": -1}, "default_max_age"),
    ("web", {"refresh_token_rotation": "sometimes"}, "refresh_token_rotation"),
    ("web", {"consent": "never"}, "consent"),
    ("web", {"assertion_audience": "any"}, "assertion_audience"),
    ("web", {"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
    ("web", {"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
    ("web", {"client_uri": "javascript:alert(1)"}, "client_uri"),
    ("web", {"policy_uri": "http://example.com"}, "policy_uri"),
    ("web", {"initiate_login_uri": "http://localhost/login"}, "initiate_login_uri"),
    ("web", {"contacts": ["a\nb"]}, "contacts"),
    ("web", {"contacts": ["  "]}, "contacts"),
    ("web", {"attributes": []}, "attributes"),
    ("web", {"attributes": {"a": "x" * 5000}}, "attributes"),
    ("web", {"logo_uri": "https://app.example.com/logo.png"}, "logo_uri"),
    ("web", {5: 5}, "5"),
]


@pytest.mark.spec("RFC 7591", "2")
@pytest.mark.parametrize(("kind", "values", "field"), BAD)
def test_bad_metadata_is_refused_by_the_name_of_its_field(kind, values, field):
    with pytest.raises(Invalid) as refused:
        check_client(kind, {**WORKING[kind], **values})
    assert refused.value.field == field
    assert refused.value.why
    assert str(refused.value) == f"{field}: {refused.value.why}"


def test_an_unknown_field_suggests_the_nearest_one():
    with pytest.raises(Invalid, match="did you mean redirect_uris"):
        check_client("web", {"redirect_uri": ["https://app.example.com/cb"]})


@pytest.mark.parametrize("kind", ["", "SPA", None, 5, ["spa"], {}])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(Invalid, match="spa, native, web, service, device"):
        check_kind(kind)


@each_kind()
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), json_values, max_size=4))
def test_values_of_any_type_are_taken_or_refused_never_a_fault(kind, values):
    with suppress(Invalid):
        json.dumps(check_client(kind, {**WORKING[kind], **values}))


@given(st.dictionaries(st.sampled_from(["kty", "crv", "n", "e", "x", "y", "kid", "use", "alg", "key_ops", "x5c"]), json_values))
def test_a_key_of_any_shape_is_taken_or_refused_never_a_fault(key):
    for kty in ("RSA", "EC", "OKP", key.get("kty")):
        with pytest.raises(Invalid):
            check_client("web", {**REDIRECTS, "jwks": {"keys": [{**key, "kty": kty}]}})


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\u202eb", "a\nb", "a\x00", "a\u200bb", None, 5, ["a"]])
def test_a_name_that_people_read_is_printable(name):
    with pytest.raises(Invalid) as refused:
        check_name("name", name)
    assert refused.value.field == "name"


def test_a_name_is_trimmed():
    assert check_name("name", "  Müller & Söhne ") == "Müller & Söhne"


def test_origins_are_those_of_a_spa_and_the_allowed_ones():
    values = {"redirect_uris": ["https://app.example.com/cb", "http://localhost:3000/"], "allowed_origins": ["capacitor://localhost"]}
    origins = origins_of("spa", check_client("spa", values))
    assert origins == ("capacitor://localhost", "http://localhost:3000", "https://app.example.com")
    assert origins_of("native", check_client("native", values)) == ("capacitor://localhost",)
    assert origins_of("web", check_client("web", REDIRECTS)) == ()


def test_a_client_s_redirect_uri_is_matched_by_its_kind():
    at = datetime(2026, 12, 1, tzinfo=UTC)
    times = {"version": 1, "created_at": at, "updated_at": at, "disabled_at": None}
    for kind, expected in (("native", True), ("spa", False)):
        metadata = check_client(kind, {"redirect_uris": ["http://127.0.0.1/cb"]})
        client = Client(client_id="c", kind=kind, client_name="C", metadata=metadata, **times)
        assert redirect_matches(client, "http://127.0.0.1/cb")
        assert redirect_matches(client, "http://127.0.0.1:5555/cb") is expected


def test_every_text_field_is_a_field():
    assert not TEXT_FIELDS - set(FIELDS)
    assert {"scope", "token_endpoint_auth_method", "jwks_uri"} <= TEXT_FIELDS
    assert not TEXT_FIELDS & {"require_pkce", "redirect_uris", "jwks", "default_max_age"}


def test_no_symmetric_method_or_algorithm_is_offered():
    assert set(CONFIDENTIAL_METHODS) == {"client_secret_basic", "client_secret_post", "private_key_jwt"}
    assert not [alg for alg in ALGORITHMS if alg.startswith(("HS", "none"))]
