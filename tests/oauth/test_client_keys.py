"""A client's keys by reference (RFC 7591 section 2, `jwks_uri`): fetched once, again for an unknown key, never often."""

import json
from typing import Any

import pytest

from authserver.crypto.jose import TokenRefused
from authserver.oauth.client_auth.assertion import import_keys
from authserver.runtime import Runtime
from authserver.runtime.fetch import FetchRefused
from tests.clock import Clock
from tests.factories import Made, insert_keys, jwks_of, make_client, make_key, make_test_runtime
from tests.http_client import InProcess
from tests.oauth.test_token_endpoint import assertion, by_assertion
from tests.relying_party import RelyingParty


class Host:
    """The host of a client's keys."""

    def __init__(self) -> None:
        self.body: bytes | Exception = b""
        self.fetches = 0

    def __call__(self, url: str) -> bytes:
        assert url == "https://client.example/keys"
        self.fetches += 1
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def runtime(settings: Any, clock: Clock, host: Host) -> Any:
    made = make_test_runtime(settings, clock, fetch=host)
    insert_keys(made)
    yield made
    made.engine.dispose()


@pytest.fixture
def service(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    made = make_client(runtime, "service", token_endpoint_auth_method="private_key_jwt", jwks_uri="https://client.example/keys")
    return RelyingParty(http, Made(made.client, None, make_key()), clock=clock)


def prove(service: RelyingParty, clock: Clock, jti: str, **changes: Any) -> int:
    return int(by_assertion(service, assertion(service, clock, jti=jti, **changes)).status)


def test_keys_are_fetched_once_and_again_for_an_unknown_key(service: RelyingParty, host: Host, clock: Clock) -> None:
    host.body = json.dumps(jwks_of(service.made.key)).encode()
    assert [prove(service, clock, "1"), prove(service, clock, "2"), host.fetches] == [200, 200, 1]
    assert prove(service, clock, "3", header={"kid": "new"}) == 401
    assert host.fetches == 1, "not again within ten seconds"
    clock.advance(seconds=11)
    assert prove(service, clock, "4", header={"kid": "new"}) == 401
    assert host.fetches == 2


@pytest.mark.parametrize("body", [FetchRefused("down"), b"not json", b"[]", b'{"keys":5}', b'{"keys":[]}', b"[" * 9999])
def test_a_host_that_fails_is_a_failed_authentication(service: RelyingParty, host: Host, clock: Clock, body: Any) -> None:
    host.body = body
    assert prove(service, clock, "1") == 401


def test_keys_that_are_not_public_or_not_known_are_left_out() -> None:
    private = make_key().as_dict(private=True)
    public = make_key("Ed25519").as_dict(private=False)
    imported = import_keys({"keys": [private, public, {"kty": "new"}, 5, {}]})
    assert [key.key_type for key in imported] == ["OKP"]
    with pytest.raises(TokenRefused):
        import_keys(None)


def test_without_a_kid_the_only_fitting_key_is_used(service: RelyingParty, host: Host, clock: Clock) -> None:
    key = service.made.key
    host.body = json.dumps(jwks_of(key, make_key("RS256", "other"))).encode()
    from joserfc import jwt as jose_jwt

    def bare(jti: str) -> str:
        now = clock.timestamp()
        names = {"iss": service.made.client_id, "sub": service.made.client_id, "aud": service.issuer}
        return jose_jwt.encode({"alg": "ES256"}, {**names, "exp": now + 60, "jti": jti}, key)

    assert by_assertion(service, bare("2")).status == 200
    host.body = json.dumps(jwks_of(key, make_key("ES256", "second"))).encode()
    clock.advance(minutes=6)
    assert by_assertion(service, bare("3")).status == 401, "two keys fit"
