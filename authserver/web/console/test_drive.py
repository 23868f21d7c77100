"""The test drive of an application: its twin goes through the real flow, and every request, answer and token is shown.

The browser goes through /oauth2/authorize like any application's (RFC 6749 section 4.1, with PKCE, state and nonce); what
the application would do next is done here, by the code of the endpoints themselves.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request, url_for

from authserver.admin.snippets import asked_scope, service_curl
from authserver.admin.test_drive import DRIVABLE, LIFETIME, Twin, begin_test_drive, end_test_drive, find_twin
from authserver.crypto.digest import encode, new_token
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.oauth.request import Message
from authserver.oauth.server import Answer
from authserver.specs import authorization_server, registry
from authserver.store.client import Client
from authserver.web.console import notes
from authserver.web.console.client_editing import apis_of
from authserver.web.console.client_tabs import find, may_change, show_client
from authserver.web.console.commands import command
from authserver.web.console.exchanges import Exchange, Pairs, decode_tokens, write_answer, write_redirect, write_request
from authserver.web.console.frame import show
from authserver.web.context import db, runtime
from authserver.web.endpoints import endpoints
from authserver.web.flow import see
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import operation, permit

routes = Blueprint("test_drive", __name__)

NOTE = "test-drive"
CALLBACK = "/admin/test-drive/callback"
ANSWER = ("code", "state", "iss", "error", "error_description")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@routes.get("/admin/applications/test-drive/<path:client_id>")
@permit("clients:write")
def index(client_id: str) -> Response:
    """Explain what will happen."""
    client = find(client_id)
    values = {
        "form": PageForm(),
        "here": url_for("test_drive.index", client_id=client_id),
        "can_drive": client.kind in DRIVABLE and client.disabled_at is None and may_change(client),
        "has_people": bool(client.metadata["redirect_uris"]),
        "has_key": client.auth_method == "private_key_jwt",
        "scope": asked_scope(client, apis_of(client)),
    }
    has_curl = client.kind == "service" and client.auth_method in SECRET_METHODS
    call = service_curl(runtime().settings, client, None) if has_curl else ""
    return show_client(client, "test_drive.index", "test_drive", values, command=command("token", "inspect") + " < token.txt", call=call)


@routes.post("/admin/applications/test-drive/<path:client_id>")
@permit("clients:write")
def begin(client_id: str) -> Response:
    """Make the twin, and send the browser off."""
    read_form(PageForm, again=url_for("test_drive.index", client_id=client_id))
    client, callback = find(client_id), runtime().settings.issuer + CALLBACK
    twin = begin_test_drive(operation(), client_id, callback)
    kept = {"client_id": client_id, "twin": twin.client.client_id, "secret": twin.secret}
    if not client.metadata["redirect_uris"]:
        return _leave(see(callback), kept)
    kept |= {name: new_token(runtime().new_secret) for name in ("state", "nonce", "verifier")}
    kept["scope"] = asked_scope(client, apis_of(client))
    return _leave(see(f"{runtime().settings.issuer}/oauth2/authorize?{urlencode(_authorization_request(twin.client, kept))}"), kept)


@routes.get(CALLBACK)
@permit("clients:write")
def finish() -> Response:
    """Do what the application would do with the answer, show all of it, and delete the twin."""
    kept = notes.take(NOTE)
    twin = find_twin(operation(), str(kept["twin"])) if kept else None
    if twin is None:
        values = {"lifetime": int(LIFETIME.total_seconds() // 60)}
        return show("console/applications/test_drive_over.html", values, title="This test drive is over", status=410)
    drive = _Drive(Twin(twin, kept["secret"]), kept)
    if twin.metadata["redirect_uris"]:
        _drive_people(drive)
    else:
        _drive_service(drive)
    end_test_drive(operation(), twin.client_id)
    client = find(str(kept["client_id"]))
    shown: dict[str, Any] = {
        "form": PageForm(),
        "here": url_for("test_drive.index", client_id=client.client_id),
        "steps": drive.steps,
        "is_good": all(step.is_good for step in drive.steps),
        "twin": twin.client_id,
        "snippets": url_for("clients.snippets_page", client_id=client.client_id),
    }
    return show_client(client, "test_drive.index", "test_drive_done", shown)


@dataclass
class _Drive:
    """A twin on its way: what was kept of the beginning, and the steps so far."""

    twin: Twin
    kept: Mapping[str, Any]
    steps: list[Exchange] = field(default_factory=list)

    def post(self, title: str, about: str, path: str, form: Pairs) -> dict[str, Any]:
        """Send a form as the client; return the answer's members."""
        headers, credentials = self._credentials()
        return self._send(title, about, path, "POST", {**FORM, **headers}, [*form, *credentials])

    def get(self, title: str, about: str, path: str, token: str) -> dict[str, Any]:
        """Ask with an access token; return the answer's members."""
        return self._send(title, about, path, "GET", {"Authorization": f"Bearer {token}"}, ())

    def _send(self, title: str, about: str, path: str, method: str, headers: dict[str, str], form: Pairs) -> dict[str, Any]:
        message = Message(method, tuple(form) if method == "POST" else None, headers)
        answer: Answer = endpoints(registry(runtime()))[path].act(authorization_server(runtime(), db()), message)
        written = write_request(method, runtime().settings.issuer + path, headers, form)
        is_good = answer.status == 200
        is_first = not any(step.tokens for step in self.steps)
        self.steps.append(Exchange(title, about, written, write_answer(answer), is_good, decode_tokens(answer.body), is_first))
        return answer.body if is_good and isinstance(answer.body, dict) else {}

    def _credentials(self) -> tuple[dict[str, str], Pairs]:
        client, secret = self.twin.client, self.twin.secret
        if secret is None:
            return {}, [("client_id", client.client_id)]
        if client.auth_method == "client_secret_post":
            return {}, [("client_id", client.client_id), ("client_secret", secret)]
        basic = f"{quote(client.client_id, safe='')}:{quote(secret, safe='')}"
        return {"Authorization": "Basic " + base64.b64encode(basic.encode()).decode()}, []


def _drive_service(drive: _Drive) -> None:
    about = "The service proves who it is. Nobody signs in."
    tokens = drive.post("It fetches a token", about, "/oauth2/token", [("grant_type", "client_credentials")])
    _introspect(drive, tokens)


def _drive_people(drive: _Drive) -> None:
    answered = _answer_of_browser(drive)
    if not answered:
        return
    form = [("grant_type", "authorization_code"), ("code", answered), ("redirect_uri", runtime().settings.issuer + CALLBACK)]
    about = "The code works once, within a minute, and only with the verifier whose hash was sent before."
    tokens = drive.post("It redeems the code", about, "/oauth2/token", [*form, ("code_verifier", str(drive.kept["verifier"]))])
    if "openid" in str(tokens.get("scope", "")).split():
        drive.get("It asks who signed in", "With the access token, at userinfo.", "/oidc/userinfo", str(tokens["access_token"]))
    _introspect(drive, tokens)
    if "refresh_token" in tokens:
        refresh = [("grant_type", "refresh_token"), ("refresh_token", str(tokens["refresh_token"]))]
        drive.post("It refreshes", "Without anybody being asked again.", "/oauth2/token", refresh)


def _answer_of_browser(drive: _Drive) -> str:
    """Show the way there and back; return the code, '' where there is none."""
    sent = _authorization_request(drive.twin.client, drive.kept)
    came = [(name, value) for name, value in request.args.items(multi=True) if name in ANSWER]
    is_ours = hmac.compare_digest(request.args.get("state", "").encode(), str(drive.kept["state"]).encode())
    code = request.args.get("code", "") if is_ours and request.args.get("iss") == runtime().settings.issuer else ""
    drive.steps.append(
        Exchange(
            "It sends the browser to sign in, which comes back with a code",
            "You are signed in already, so you were at most asked to allow it.",
            write_redirect(f"{runtime().settings.issuer}/oauth2/authorize", list(sent.items())),
            write_redirect(runtime().settings.issuer + CALLBACK, came),
            is_good=bool(code),
        )
    )
    return code


def _introspect(drive: _Drive, tokens: Mapping[str, Any]) -> None:
    if drive.twin.secret is not None and "access_token" in tokens and "/oauth2/introspect" in endpoints(registry(runtime())):
        about = "What an API may ask of a token that it was shown."
        drive.post("It asks about its token", about, "/oauth2/introspect", [("token", str(tokens["access_token"]))])


def _authorization_request(twin: Client, kept: Mapping[str, Any]) -> dict[str, str]:
    challenge = encode(hashlib.sha256(str(kept["verifier"]).encode()).digest())
    return {
        "response_type": "code",
        "client_id": twin.client_id,
        "redirect_uri": runtime().settings.issuer + CALLBACK,
        "scope": str(kept["scope"]),
        "state": str(kept["state"]),
        "nonce": str(kept["nonce"]),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def _leave(response: Response, kept: Mapping[str, Any]) -> Response:
    notes.leave(response, NOTE, kept, LIFETIME)
    return response
