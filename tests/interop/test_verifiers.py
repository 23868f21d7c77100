"""What APIs verify our tokens with: PyJWT, joserfc, Authlib's resource protector, API Gateway's JWT authorizers."""

from typing import Any

import jwt
import pytest
import requests
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from tests.aws_consumers.gateway import HttpApiAuthorizer
from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import Refused
from tests.factories import API
from tests.http_client import InProcess
from tests.interop.conftest import API_OF_ALG, OTHER_API, Provider, RealTime


def fetch(url: str) -> Any:
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.spec("RFC 7517", "5")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_pyjwts_client_finds_the_key_by_our_jwks(provider: Provider, alg: str) -> None:
    keys = jwt.PyJWKClient(f"{provider.issuer}/.well-known/jwks.json")
    token = provider.service_token(resource=API_OF_ALG[alg])
    required = {"require": ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]}
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=[alg], audience=API_OF_ALG[alg], issuer=provider.issuer, options=required)
    assert claims["sub"] == claims["client_id"]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=[alg], audience=OTHER_API)
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(token, key, algorithms=[alg], audience=API_OF_ALG[alg], issuer=f"{provider.issuer}/")


def test_pyjwt_refuses_our_id_token_and_our_expired_token(provider: Provider) -> None:
    keys = jwt.PyJWKClient(f"{provider.issuer}/.well-known/jwks.json")
    id_token, expired = provider.person_tokens()["id_token"], provider.expired_access_token
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(id_token, keys.get_signing_key_from_jwt(id_token), algorithms=["RS256"], audience=API)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(expired, keys.get_signing_key_from_jwt(expired), algorithms=["RS256"], audience=API)


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize("alg", API_OF_ALG)
def test_joserfc_verifies_every_algorithm(provider: Provider, alg: str) -> None:
    keys = KeySet.import_key_set(fetch(f"{provider.issuer}/.well-known/jwks.json"))
    found = joserfc_jwt.decode(provider.service_token(resource=API_OF_ALG[alg]), keys, algorithms=[alg])
    assert (found.header["typ"], found.header["alg"]) == ("at+jwt", alg)
    essential = {name: {"essential": True} for name in ("exp", "iat", "sub", "jti", "client_id")}
    values = {"iss": {"essential": True, "value": provider.issuer}, "aud": {"essential": True, "value": API_OF_ALG[alg]}}
    joserfc_jwt.JWTClaimsRegistry(**essential, **values).validate(found.claims)


class Validator(JWTBearerTokenValidator):
    def get_jwks(self) -> Any:
        return KeySet.import_key_set(fetch(f"{self.issuer}/.well-known/jwks.json"))


@pytest.fixture
def protected(provider: Provider) -> InProcess:
    """An API in Flask behind Authlib's resource protector."""
    api, require = Flask(__name__), ResourceProtector()
    require.register_token_validator(Validator(provider.issuer, API))

    @api.get("/")
    @require("read")
    def read() -> Any:
        return {"sub": current_token["sub"]}

    @api.get("/editors")
    @require("read", roles="editor")
    def edit() -> Any:
        return {"roles": current_token["roles"]}

    return InProcess(api, API)


def call(api: InProcess, token: str, path: str = "/") -> tuple[int, Any]:
    answer = api.get(path, headers={"Authorization": f"Bearer {token}"})
    return answer.status, answer.json if answer.status == 200 else answer.error


@pytest.mark.spec("RFC 9068", "4")
def test_authlibs_resource_protector_takes_access_tokens_alone(provider: Provider, protected: InProcess) -> None:
    tokens = provider.person_tokens()
    assert call(protected, tokens["access_token"]) == (200, {"sub": provider.person.subject})
    assert call(protected, tokens["access_token"], "/editors") == (200, {"roles": ["editor"]})
    assert call(protected, provider.service_token(resource=API, scope="read"), "/editors") == (401, "invalid_token")
    assert call(protected, provider.service_token(resource=API, scope="write")) == (403, "insufficient_scope")
    for refused in (tokens["id_token"], provider.expired_access_token, provider.service_token(resource=OTHER_API)):
        assert call(protected, refused) == (401, "invalid_token")


def http_api(provider: Provider, audience: str, issuer: str | None = None) -> HttpApiAuthorizer:
    """An HTTP API's JWT authorizer that reaches the server; the whole of AWS's consumers is in tests/aws_consumers."""
    return HttpApiAuthorizer(issuer or provider.issuer, (audience,), Internet({provider.issuer: provider.issuer}), RealTime().timestamp)


@pytest.mark.parametrize("scheme", ["Bearer ", ""])
def test_an_http_api_takes_our_token_and_hands_on_its_claims(provider: Provider, scheme: str) -> None:
    gateway, tokens = http_api(provider, API), provider.person_tokens()
    claims = gateway.authorize(scheme + tokens["access_token"], ("read", "admin"))
    assert (claims["sub"], claims["scope"]) == (provider.person.subject, "openid profile email read")
    with pytest.raises(Refused, match="scope"):
        gateway.authorize(scheme + tokens["access_token"], ("admin",))


def test_an_http_api_refuses_every_other_token_of_ours(provider: Provider) -> None:
    gateway, tokens = http_api(provider, API), provider.person_tokens()
    others = [provider.service_token(resource=api) for api in (OTHER_API, API_OF_ALG["ES256"], API_OF_ALG["PS256"])]
    for token in (*others, tokens["id_token"], tokens["refresh_token"], provider.expired_access_token, "", "x.y.z"):
        with pytest.raises(Refused):
            gateway.authorize(f"Bearer {token}")
    with pytest.raises(Refused, match="discovery"):
        http_api(provider, API, f"{provider.issuer}/")


def test_route_scopes_keep_an_id_token_out_of_an_http_api(provider: Provider) -> None:
    """API Gateway does not look at `typ`. Ours have no scope, so that a route with scopes refuses them."""
    made = provider.client("web")
    id_token = provider.party(made).sign_in(provider.person, scope="openid email")["id_token"]
    gateway = http_api(provider, made.client_id)
    assert gateway.authorize(id_token)["sub"] == provider.person.subject
    with pytest.raises(Refused, match="scope"):
        gateway.authorize(id_token, ("openid", "email", "read"))
