"""Web applications: Authlib's Flask client (examples/flask-web), Authlib's and requests-oauthlib's sessions, by the code flow with PKCE."""

import importlib.util
import time
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import get_well_known_url
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as OAuthlibSession

from tests.factories import API, make_key
from tests.http_client import Answer, InProcess
from tests.interop.conftest import EXAMPLES, Provider
from tests.pages import follow
from tests.relying_party import RelyingParty

HOST = "http://localhost:3000"


def discover(provider: Provider) -> dict[str, Any]:
    """The discovery document, where a library looks for it."""
    document: dict[str, Any] = provider.http().get(get_well_known_url(provider.issuer, external=True)).json
    return document


def through_the_pages(provider: Provider, party: RelyingParty, url: str) -> str:
    """Have the person sign in and allow; return the address that the browser is sent to."""
    answer = party.go_on(party.http.get(url), provider.person)
    assert answer.location is not None, answer.text
    return answer.location


@pytest.fixture
def flask_web(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """The example, with a client of its own."""
    made = provider.client("web", redirect_uris=[f"{HOST}/callback"], post_logout_redirect_uris=[f"{HOST}/"])
    monkeypatch.setenv("ISSUER", provider.issuer)
    monkeypatch.setenv("CLIENT_ID", made.client_id)
    monkeypatch.setenv("CLIENT_SECRET", str(made.secret))
    spec = importlib.util.spec_from_file_location("flask_web_example", EXAMPLES / "flask-web" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return InProcess(module.app, HOST)


def sign_in(provider: Provider, party: RelyingParty, application: InProcess) -> Answer:
    """Go from the application through the server's pages and back into the application."""
    return follow(application, application.get(through_the_pages(provider, party, str(application.get("/login").location))))


@pytest.mark.spec("OpenID Connect Core", "3.1")
def test_a_flask_application_signs_in_and_out_with_authlib(provider: Provider, flask_web: InProcess) -> None:
    party = provider.party(provider.client("web"))
    assert "Signed in as Ada Example" in sign_in(provider, party, flask_web).text
    left = party.http.get(str(flask_web.get("/logout").location))
    assert left.location == f"{HOST}/"
    assert "Sign in<" in flask_web.get("/").text


def test_a_flask_application_refuses_an_answer_that_it_did_not_ask_for(provider: Provider, flask_web: InProcess) -> None:
    callback = through_the_pages(provider, provider.party(provider.client("web")), str(flask_web.get("/login").location))
    answer = flask_web.fresh().get(callback)
    assert (answer.status, answer.text) == (400, "Not signed in: mismatching_state")


def test_a_flask_application_is_told_of_a_denial(provider: Provider, flask_web: InProcess) -> None:
    party = provider.party(provider.client("web"))
    denied = party.go_on(party.http.get(str(flask_web.get("/login").location)), provider.person, consent="deny")
    answer = flask_web.get(str(denied.location))
    assert (answer.status, answer.text) == (400, "Not signed in: access_denied")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlibs_session_is_a_web_client(provider: Provider, method: str) -> None:
    """Authlib has a setting of its own for the method at the revocation endpoint, which is Basic by default."""
    made = provider.client("web", apis=[API], token_endpoint_auth_method=method)
    server = discover(provider)
    client = AuthlibSession(
        made.client_id,
        made.secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope="openid email read",
        redirect_uri=made.redirect_uri,
        code_challenge_method="S256",
    )
    verifier = "a-verifier-that-is-long-enough-for-pkce-0123456789"
    url, _ = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier)
    address = through_the_pages(provider, provider.party(made), url)
    tokens = client.fetch_token(server["token_endpoint"], authorization_response=address, code_verifier=verifier)
    assert client.get(server["userinfo_endpoint"]).json()["email"] == provider.person.email
    renewed = client.refresh_token(server["token_endpoint"], refresh_token=tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]
    assert client.introspect_token(server["introspection_endpoint"], token=renewed["access_token"]).json()["active"] is True
    assert (
        client.revoke_token(server["revocation_endpoint"], token=tokens["refresh_token"], token_type_hint="refresh_token").status_code
        == 200
    )
    assert client.introspect_token(server["introspection_endpoint"], token=renewed["access_token"]).json() == {"active": False}


def test_requests_oauthlib_is_a_web_client(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    made = provider.client("web", apis=[API])
    server = discover(provider)
    client = OAuthlibSession(made.client_id, scope=["openid", "email", "read"], redirect_uri=made.redirect_uri, pkce="S256")
    url, _ = client.authorization_url(server["authorization_endpoint"])
    address = through_the_pages(provider, provider.party(made), url)
    tokens = client.fetch_token(server["token_endpoint"], authorization_response=address, client_secret=made.secret)
    assert client.get(server["userinfo_endpoint"]).json()["email"] == provider.person.email
    renewed = client.refresh_token(server["token_endpoint"], auth=(made.client_id, str(made.secret)))
    assert renewed["access_token"] != tokens["access_token"]


def test_requests_oauthlib_is_a_service(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the client in the body too, beside Basic."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    made = provider.client("service", apis=[API])
    client = OAuthlibSession(client=BackendApplicationClient(made.client_id, scope="read"))
    tokens = client.fetch_token(f"{provider.issuer}/oauth2/token", auth=(made.client_id, str(made.secret)))
    assert provider.party(made).verify(tokens["access_token"], audience=API)["scope"] == "read"


class ShortLived(PrivateKeyJWT):
    """Authlib's assertions live an hour, and keep their `jti` where claims are given once: these are made anew."""

    def sign(self, auth: Any, token_endpoint: str) -> str:
        self.claims = {"exp": int(time.time()) + 60}
        return str(super().sign(auth, token_endpoint))


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("audience", ["issuer", "token_endpoint"])
def test_authlibs_session_is_a_service_with_a_key(provider: Provider, audience: str) -> None:
    """The audience that Authlib suggests is the token endpoint, which a client must be allowed."""
    key, endpoint = make_key("ES256"), f"{provider.issuer}/oauth2/token"
    named = {"issuer": provider.issuer, "token_endpoint": endpoint}[audience]
    made = provider.client("service", apis=[API], key=key, assertion_audience=audience)
    client = AuthlibSession(made.client_id, key, token_endpoint_auth_method=ShortLived(named, alg="ES256"))
    tokens = [client.fetch_token(endpoint, grant_type="client_credentials")["access_token"] for _ in range(2)]
    assert provider.party(made).verify(tokens[1], audience=API)["sub"] == made.client_id


@pytest.mark.spec("RFC 7523", "3")
def test_authlibs_own_assertions_live_too_long(provider: Provider) -> None:
    key = make_key("ES256")
    made = provider.client("service", apis=[API], key=key)
    client = AuthlibSession(made.client_id, key, token_endpoint_auth_method=PrivateKeyJWT(provider.issuer, alg="ES256"))
    with pytest.raises(OAuthError, match="invalid_client"):
        client.fetch_token(f"{provider.issuer}/oauth2/token", grant_type="client_credentials")
