"""Which tokens are good: every algorithm, and everything that makes a token bad."""

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from authserver.authorizer.refusal import Unauthorized
from tests.authorizer import forge
from tests.authorizer.events import STAGE
from tests.factories import make_key

NOW = forge.NOW


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize("alg", forge.ALGORITHMS)
@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_an_access_token_of_each_algorithm_opens_the_stage(gate, alg, typ):
    answer = gate().ask(forge.sign(forge.header(alg, typ=typ), forge.claims(), alg))
    assert answer["policyDocument"]["Statement"] == [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*"}]
    assert answer["principalId"] == "248289761001"


def test_both_names_of_ed25519_are_one_algorithm(gate):
    for alg, kid in (("EdDSA", "key-Ed25519"), ("Ed25519", "key-EdDSA")):
        other = kid.removeprefix("key-")
        gate().ask(forge.sign(forge.header(alg, kid=kid), forge.claims(), other))


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.spec("RFC 8725", "3.9")
@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"iss": "https://evil.example.com"}, "another issuer"),
        ({"iss": forge.ISSUER + "/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"iss": [forge.ISSUER]}, "another issuer"),
        ({"aud": "https://other.example.com"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": [[forge.API]]}, "another audience"),
        ({"aud": {forge.API: 1}}, "another audience"),
        ({"exp": NOW - 10}, "expired"),
        ({"exp": None}, "exp or iat is missing, or a time is not an integer"),
        ({"exp": float(NOW + 600)}, "exp or iat is missing, or a time is not an integer"),
        ({"exp": str(NOW + 600)}, "exp or iat is missing, or a time is not an integer"),
        ({"exp": True}, "exp or iat is missing, or a time is not an integer"),
        ({"iat": None}, "exp or iat is missing, or a time is not an integer"),
        ({"nbf": "0"}, "exp or iat is missing, or a time is not an integer"),
        ({"iat": NOW + 11}, "not valid yet"),
        ({"nbf": NOW + 11}, "not valid yet"),
        ({"sub": None}, "sub, client_id or jti is missing"),
        ({"sub": ""}, "sub, client_id or jti is missing"),
        ({"client_id": 7}, "sub, client_id or jti is missing"),
        ({"jti": None}, "sub, client_id or jti is missing"),
        ({"scope": ["read"]}, "scope is not a text"),
        ({"cnf": {"jkt": "x"}}, "bound to a key, whose proof is not checked here"),
        ({"cnf": {"x5t#S256": "x"}}, "bound to a key, whose proof is not checked here"),
        ({"cnf": {}}, "bound to a key, whose proof is not checked here"),
    ],
)
def test_a_claim_that_is_wrong_is_refused(gate, changes, because):
    checked = gate()
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        checked.ask(forge.token(**changes))
    assert checked.because == because


@pytest.mark.parametrize("changes", [{"exp": NOW - 9}, {"iat": NOW + 10}, {"nbf": NOW + 10}, {"aud": ["https://x.example", forge.API]}])
def test_a_clock_may_be_ten_seconds_off_and_an_audience_may_be_a_list(gate, changes):
    assert gate().ask(forge.token(**changes))["principalId"]


@pytest.mark.spec("RFC 7515", "4.1.11")
@pytest.mark.spec("RFC 8725", "3.1")
@pytest.mark.spec("RFC 8725", "3.11")
@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"typ": "JWT"}, "typ is not at+jwt: an ID token, or another JWT"),
        ({"typ": None}, "typ is not at+jwt: an ID token, or another JWT"),
        ({"typ": ["at+jwt"]}, "typ is not at+jwt: an ID token, or another JWT"),
        ({"typ": "dpop+jwt"}, "typ is not at+jwt: an ID token, or another JWT"),
        ({"alg": "none"}, "alg is not allowed"),
        ({"alg": "HS256"}, "alg is not allowed"),
        ({"alg": "RS512"}, "alg is not allowed"),
        ({"alg": None}, "alg is not allowed"),
        ({"alg": ["RS256"]}, "alg is not allowed"),
        ({"alg": "PS256"}, "signature does not verify"),
        ({"alg": "ES256"}, "signature does not verify"),
        ({"kid": None}, "kid is missing, or an extension is critical"),
        ({"kid": 5}, "kid is missing, or an extension is critical"),
        ({"crit": ["b64"], "b64": False}, "kid is missing, or an extension is critical"),
        ({"kid": "key-ES256"}, "signature does not verify"),
    ],
)
def test_a_header_that_is_wrong_is_refused(gate, changes, because):
    checked = gate()
    with pytest.raises(Unauthorized):
        checked.ask(forge.sign(forge.header(**changes), forge.claims()))
    assert checked.because == because


def test_a_key_that_the_token_brings_along_is_not_used(gate):
    own = make_key("RS256", "key-RS256")
    heading = forge.header(jwk=own.as_dict(private=False), jku="https://evil.example.com/jwks.json")
    stranger = forge.sign(heading, forge.claims(), "RS256", "stranger")
    with pytest.raises(Unauthorized):
        gate().ask(stranger)


@pytest.mark.parametrize(
    "heading", [b'{"alg":"RS256","alg":"none","typ":"at+jwt","kid":"key-RS256"}', b"[]", b"{", b"\xff", b"[" * 5000, b"null", b'{"a":NaN}']
)
def test_a_header_that_is_no_json_object_is_refused(gate, heading):
    with pytest.raises(Unauthorized):
        gate().ask(forge.sign(heading, forge.claims()))


@pytest.mark.parametrize(
    "payload", [b'{"exp":1,"exp":2}', b"[]", b"{", b"\xff", b"[" * 4000, b'{"exp":Infinity}', b'{"exp":' + b"9" * 5000 + b"}"]
)
def test_signed_claims_that_are_no_json_object_are_refused(gate, payload):
    with pytest.raises(Unauthorized):
        gate().ask(forge.sign(forge.header(), payload))


def test_another_spelling_of_the_same_signature_is_refused(gate):
    good = forge.token("ES256")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = good[:-1] + alphabet[alphabet.index(good[-1]) + 1]  # the last character has bits to spare
    checked = gate()
    with pytest.raises(Unauthorized):
        checked.ask(other)
    assert checked.because == "the signature is written in another way"


@pytest.mark.spec("RFC 7518", "3.4")
@pytest.mark.parametrize("length", [0, 63, 65])
def test_an_es256_signature_of_another_length_is_refused(gate, length):
    good = forge.token("ES256").rpartition(".")[0]
    with pytest.raises(Unauthorized):
        gate().ask(f"{good}.{forge.encode(b'1' * length)}")


def test_a_token_that_fills_all_headers_is_refused_unread(gate):
    with pytest.raises(Unauthorized):
        gate().ask(forge.token(filler="x" * 8000))


def test_algorithms_can_be_narrowed(gate):
    narrow = gate(algorithms="ES256")
    assert narrow.ask(forge.token("ES256"))
    with pytest.raises(Unauthorized):
        narrow.ask(forge.token("RS256"))


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "PS256"},
        {"alg": "RS512"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": None},
        {"kid": None},
        {"kid": ""},
        {"n": None},
        {"n": 5},
        {"e": "AA"},
        {"n": "AQAB"},
        {"d": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
        {"kty": "EC", "crv": "P-384", "x": "AQAB", "y": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": "AQAB"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AQAB"},
    ],
)
def test_a_key_that_is_not_for_this_signature_does_not_verify_it(gate, members):
    held = forge.jwks(forge.jwk("RS256", **members), forge.jwk("ES256"))
    checked = gate(jwks=held, jwks_url="http://127.0.0.1:1/")
    with pytest.raises(Unauthorized):
        checked.ask(forge.token("RS256"))
    assert checked.ask(forge.token("ES256"))


@pytest.mark.spec("RFC 7518", "3.3")
def test_an_rsa_key_of_1024_bits_is_not_used(gate):
    private = rsa.generate_private_key(65537, 1024)
    numbers = private.public_key().public_numbers()
    members = {"kty": "RSA", "kid": "short", "n": forge.encode(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    message = f"{forge.encode_json(forge.header(kid='short'))}.{forge.encode_json(forge.claims())}"
    signature = private.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    checked = gate(jwks=forge.jwks(members, forge.jwk("ES256")), jwks_url="http://127.0.0.1:1/")
    with pytest.raises(Unauthorized):
        checked.ask(f"{message}.{forge.encode(signature)}")
    assert checked.because == "kid is unknown"


def test_a_key_without_alg_serves_every_algorithm_of_its_kind(gate):
    held = forge.jwks(forge.jwk("RS256", alg=None, key_ops=["verify"]))
    assert gate(jwks=held).ask(forge.token("RS256"))


@pytest.mark.parametrize("order", [1, -1])
def test_two_keys_of_one_name_are_both_unusable(gate, order):
    twins = [forge.jwk("RS256"), forge.jwk("ES256") | {"kid": "key-RS256"}][::order]
    held = json.dumps({"keys": [*twins, forge.jwk("PS256"), 7]})
    checked = gate(jwks=held, jwks_url="http://127.0.0.1:1/")
    with pytest.raises(Unauthorized):
        checked.ask(forge.token("RS256"))
    assert checked.ask(forge.token("PS256"))
