"""JWTs signed and verified (RFC 7515, RFC 7519, RFC 8725)."""

import base64
import json
from typing import Any

import pytest
from joserfc.jws import JWSRegistry, serialize_compact

from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, VerifiedClaims
from tests.clock import START
from tests.factories import make_key

CLAIMS = {"iss": "https://a.example", "exp": 4_000_000_000}


def parts(header: dict[str, Any] | str, claims: Any = CLAIMS, signature: str = "AAAA") -> str:
    def encode(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    return f"{encode(header)}.{encode(claims)}.{signature}"


@pytest.mark.parametrize("alg", jose.ALGORITHMS)
def test_what_a_key_of_ours_signs_verifies_with_its_public_part(alg: str) -> None:
    key = jose.load(alg, jose.generate(alg))
    token = jose.sign(key, {"alg": alg, "kid": "one", "typ": "at+jwt"}, CLAIMS)
    assert jose.verify(token, key, alg) == CLAIMS
    public = jose.public_members(alg, "one", key)
    assert {"kid": "one", "use": "sig", "alg": alg}.items() <= public.items()
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(public)


def test_a_header_member_that_means_nothing_to_us_is_refused() -> None:
    key, lax = make_key("ES256"), JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    token = serialize_compact({"alg": "ES256", "surprise": 1}, json.dumps(CLAIMS).encode(), key, registry=lax)
    with pytest.raises(TokenRefused, match="does not verify"):
        jose.verify(token, key, "ES256")


@pytest.mark.spec("RFC 8725", "3.1")
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "HS256", "RS512", "ES384", "", None, 5, ["RS256"]])
def test_another_algorithm_is_refused(alg: Any) -> None:
    key = make_key("ES256")
    with pytest.raises(TokenRefused):
        jose.verify(parts({"alg": alg}), key, "ES256")
    if isinstance(alg, str):
        with pytest.raises(TokenRefused):
            jose.verify(parts({"alg": alg}), key, alg)


def test_a_symmetric_signature_by_the_public_key_is_refused() -> None:
    import hashlib
    import hmac

    key = make_key("RS256")
    signed = parts({"alg": "HS256"}).rsplit(".", 1)[0]
    mac = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenRefused):
        jose.verify(f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", key, "RS256")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.é.é",
        parts("[]"),
        parts("not json"),
        parts({"alg": "ES256"}, "not json"),
        parts({"alg": "ES256"}, "[1]"),
        parts({"alg": "ES256"}, "null"),
        parts({"alg": "ES256"}, '{"a":1,"a":2}'),
        parts({"alg": "ES256"}, '{"a":NaN}'),
        parts({"alg": "ES256"}, "[" * 10_000),
        parts({"alg": "ES256", "x": "y" * 4000}),
        "a" * 17_000,
    ],
)
def test_what_is_no_compact_jws_of_an_object_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        jose.peek(token)


def test_every_change_of_a_token_is_refused() -> None:
    key = make_key("ES256")
    token = jose.sign(key, {"alg": "ES256", "kid": "one"}, CLAIMS)
    variants = [token[:-1], token + "A", token + "=", token.swapcase(), token + ".", " " + token, token + "\n", token.replace(".", "..", 1)]
    for variant in variants:
        with pytest.raises(TokenRefused):
            jose.verify(variant, key, "ES256")


def test_a_key_of_another_kind_or_curve_or_size_does_not_fit() -> None:
    from joserfc.jwk import ECKey, RSAKey

    assert jose.fits(make_key("ES256"), "ES256")
    assert not jose.fits(make_key("ES256"), "RS256")
    assert not jose.fits(ECKey.generate_key("P-384"), "ES256")
    with pytest.warns(match="2048"):
        small = RSAKey.generate_key(1024)
    assert not jose.fits(small, "RS256")
    assert jose.fits(make_key("RS256"), "PS256")


@pytest.mark.spec("RFC 7519", "4.1.4")
@pytest.mark.parametrize(
    ("claims", "leeway", "accepted"),
    [
        ({"exp": 1}, 0, True),
        ({"exp": 0}, 0, False),
        ({"exp": 0}, 1, True),
        ({"exp": 9, "nbf": 1}, 0, False),
        ({"exp": 9, "nbf": 1}, 1, True),
        ({}, 0, False),
        ({"exp": 1.5}, 0, False),
        ({"exp": True}, 0, False),
        ({"exp": "9"}, 0, False),
        ({"exp": 9, "nbf": "0"}, 0, False),
    ],
)
def test_times_are_integers_and_hold_to_the_second(claims: dict[str, Any], leeway: int, accepted: bool) -> None:
    base = int(START.timestamp())
    moved = VerifiedClaims({name: value + base if type(value) is int else value for name, value in claims.items()})
    if accepted:
        jose.check_times(moved, START, leeway=leeway)
    else:
        with pytest.raises(TokenRefused):
            jose.check_times(moved, START, leeway=leeway)


@pytest.mark.spec("OpenID Connect Core", "3.1.3.6")
def test_the_half_hash_is_of_the_algorithms_hash() -> None:
    assert jose.half_hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert len(jose.half_hash("Ed25519", "x")) == 43
