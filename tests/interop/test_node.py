"""What Node programs use: jsonwebtoken with jwks-rsa (examples/node-api), jose, openid-client."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.factories import API, Made, make_key
from tests.interop.conftest import API_OF_ALG, EXAMPLES, NODE_FOLDER, OTHER_API, Provider

pytestmark = pytest.mark.node

RunNode = Callable[..., Any]


@pytest.mark.spec("RFC 9068", "4")
def test_the_authorizer_of_serverless_guides_tells_our_tokens_apart(provider: Provider, run_node: RunNode) -> None:
    """RS256, audience and issuer, with the keys of our JWKS; any other token of ours is refused."""
    tokens = provider.person_tokens()
    access = tokens["access_token"]
    presented = {
        "person": access,
        "service": provider.service_token(resource=API),
        "id token": tokens["id_token"],
        "refresh token": tokens["refresh_token"],
        "another audience": provider.service_token(resource=OTHER_API),
        "another algorithm": provider.service_token(resource=API_OF_ALG["ES256"]),
        "expired": provider.expired_access_token,
        "tampered": access[:-8] + "AAAAAAAA",
    }
    outcomes = run_node("authorize.cjs", json.dumps({name: f"Bearer {token}" for name, token in presented.items()}))
    ours = {name: outcome["ours"] for name, outcome in outcomes.items()}
    assert [name for name in presented if ours[name] != "Unauthorized"] == ["person", "service"]
    assert ours["person"]["principalId"] == provider.person.subject
    assert ours["person"]["context"]["scope"] == "openid profile email read"
    assert ours["service"]["principalId"] == ours["service"]["context"]["client_id"]
    (statement,) = ours["person"]["policyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/*"
    assert {name: outcome["guides"] for name, outcome in outcomes.items()} == {
        "person": provider.person.subject,
        "service": ours["service"]["principalId"],
        "id token": f"jwt audience invalid. expected: {API}",
        "refresh token": "jwt malformed",
        "another audience": f"jwt audience invalid. expected: {API}",
        "another algorithm": "invalid algorithm",
        "expired": "jwt expired",
        "tampered": "invalid signature",
    }


def test_with_a_client_id_as_audience_only_typ_keeps_the_id_token_out(provider: Provider, run_node: RunNode) -> None:
    """Why our example looks at `typ`, and why the audience to configure is the API."""
    made = provider.client("web")
    tokens = provider.party(made).sign_in(provider.person, scope="openid")
    outcomes = run_node("authorize.cjs", json.dumps({"id token": f"Bearer {tokens['id_token']}"}), AUDIENCE=made.client_id)
    assert outcomes == {"id token": {"ours": "Unauthorized", "guides": provider.person.subject}}


def test_an_authorizer_without_a_token_says_unauthorized(run_node: RunNode) -> None:
    outcomes = run_node("authorize.cjs", json.dumps({"empty": "", "no scheme": "abc", "not a token": "Bearer abc"}))
    assert {outcome["ours"] for outcome in outcomes.values()} == {"Unauthorized"}


@pytest.mark.spec("RFC 6749", "4.4")
def test_the_example_service_calls_the_example_api(provider: Provider, node_api: str) -> None:
    made = provider.client("service", apis=[API], scope="read")
    variables = {**os.environ, "ISSUER": provider.issuer, "CLIENT_ID": made.client_id, "CLIENT_SECRET": str(made.secret)}
    command = [sys.executable, str(EXAMPLES / "service.py"), node_api]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == f'200 {{"notes":["Buy milk"],"for":"{made.client_id}"}}', done.stderr


@pytest.mark.spec("RFC 6750", "3")
def test_the_example_api_says_what_is_missing(provider: Provider, node_api: str) -> None:
    without_scope = provider.party(provider.client("service", apis=[API], scope="write")).client_credentials().json["access_token"]
    for token, status, challenge in [(None, 401, "Bearer"), ("x", 401, "invalid_token"), (without_scope, 403, "insufficient_scope")]:
        answer = requests.get(node_api, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=10)
        assert answer.status_code == status
        assert challenge in answer.headers["WWW-Authenticate"]


@pytest.mark.spec("RFC 9068", "2.1")
def test_jose_verifies_every_algorithm(provider: Provider, run_node: RunNode) -> None:
    orders = [{"token": provider.service_token(resource=api), "alg": alg, "audience": api} for alg, api in API_OF_ALG.items()]
    wrong = [
        {"token": provider.person_tokens()["id_token"], "alg": "RS256"},
        {**orders[0], "audience": OTHER_API},
        {**orders[0], "alg": "PS256"},
        {**orders[0], "token": provider.expired_access_token},
    ]
    found = run_node("verify_with_jose.mjs", json.dumps(orders + wrong))
    assert [claims["aud"] for claims in found[:4]] == list(API_OF_ALG.values())
    assert found[4:] == [
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JOSE_ALG_NOT_ALLOWED",
        "ERR_JWT_EXPIRED",
    ]


def environment(provider: Provider, made: Made, **more: str) -> dict[str, str]:
    """What relying_party.mjs reads."""
    own = {"CLIENT_SECRET": str(made.secret)} if made.key is None else {"CLIENT_KEY": json.dumps(made.key.as_dict(private=True))}
    return {"CLIENT_ID": made.client_id, "API": API, **own, **more}


@pytest.mark.spec("RFC 8414", "3")
@pytest.mark.parametrize("alg", [None, "ES256", "PS256", "Ed25519"])
def test_openid_client_fetches_a_machine_token(provider: Provider, run_node: RunNode, alg: str | None) -> None:
    made = provider.client("service", apis=[API], key=make_key(alg) if alg else None)
    found = run_node("relying_party.mjs", **environment(provider, made))
    assert found["tokens"]["token_type"] == "bearer"
    assert (found["inspected"]["active"], found["inspected"]["client_id"]) == (True, made.client_id)


@pytest.mark.spec("OpenID Connect Core", "3.1.3.7")
@pytest.mark.spec("RFC 9207", "2.4")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519"])
def test_openid_client_signs_a_person_in(provider: Provider, node: Any, alg: str) -> None:
    made = provider.client("web", apis=[API], id_token_signed_response_alg=alg, userinfo_signed_response_alg=alg)
    party = provider.party(made)
    variables = {**os.environ, "ISSUER": provider.issuer, **environment(provider, made, REDIRECT_URI=made.redirect_uri, ALG=alg)}
    command = ["node", str(NODE_FOLDER / "relying_party.mjs")]
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        arrived = party.go_on(party.http.get(json.loads(process.stdout.readline())), provider.person)
        output, errors = process.communicate(f"{arrived.location}\n", timeout=60)
    assert process.returncode == 0, errors
    found = json.loads(output)
    assert found["claims"]["sub"] == found["userinfo"]["sub"] == provider.person.subject
    assert found["userinfo"]["email"] == provider.person.email
    assert found["renewed"] is True
    assert found["inspected"] == {"active": False}
    assert party.http.get(found["logout"]).status == 200
