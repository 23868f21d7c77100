"""The endpoints for machines: token (RFC 6749 section 3.2), those that a specification brings, userinfo, discovery and keys.

Each turns a message into an answer and knows nothing of HTTP's frameworks: machine.py answers what is plain, and the
views here, in Flask, whatever else comes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Blueprint, Request, Response, request

from authserver.oauth.request import Message
from authserver.oauth.server import Answer, Registry, Server
from authserver.oidc.userinfo import answer_userinfo
from authserver.runtime import Runtime
from authserver.specs import authorization_server, registry
from authserver.web.context import db, runtime
from authserver.web.errors import PageError
from authserver.web.well_known import discovery, jwks

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200
METADATA = "/.well-known/oauth-authorization-server"

Act = Callable[[Server, Message], Answer]

_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its name in metrics, its methods, and what it does."""

    name: str
    methods: tuple[str, ...]
    act: Act


def endpoints(of: Registry) -> dict[str, Endpoint]:
    """Return the endpoints by path."""
    return {
        "/oauth2/token": Endpoint("token", ("POST",), lambda server, message: server.create_token_response(message)),
        **{f"/oauth2/{name}": Endpoint(name, ("POST",), _brought(name)) for name in of.endpoints},
        "/oidc/userinfo": Endpoint("userinfo", ("GET", "POST"), answer_userinfo),
        "/.well-known/openid-configuration": Endpoint("openid-configuration", ("GET",), discovery),
        METADATA: Endpoint("oauth-authorization-server", ("GET",), discovery),
        "/.well-known/jwks.json": Endpoint("jwks", ("GET",), jwks),
    }


def _brought(name: str) -> Act:
    return lambda server, message: server.create_endpoint_response(name, message)


def blueprint(to: Runtime) -> Blueprint:
    """Build the routes of a runtime's endpoints."""
    routes = Blueprint("endpoints", __name__)
    for path, endpoint in endpoints(registry(to)).items():
        routes.add_url_rule(path, endpoint.name, _view(endpoint.act), methods=endpoint.methods)
    routes.add_url_rule(f"{METADATA}/<path:mount>", "metadata-under-path", _metadata_under_path)
    return routes


def _view(act: Act) -> Callable[[], Response]:
    return lambda: send(act(authorization_server(runtime(), db()), read()))


def _metadata_under_path(mount: str) -> Response:
    """RFC 8414 puts the issuer's path behind the well-known one; under another path than the issuer's there is none."""
    if f"/{mount}" != runtime().settings.mount:
        raise PageError("not_found", status=404, because="metadata of another issuer")
    return _view(discovery)()


def read() -> Message:
    """Read the request. The query string is not looked at; a body that is no form, or has too many fields, is no form.

    The body is kept for the view to be retried.
    """
    incoming: Request = request._get_current_object()  # type: ignore[attr-defined]
    form = parse(incoming.get_data(parse_form_data=False)) if incoming.mimetype == FORM else None
    return Message(incoming.method, form, incoming.headers)  # type: ignore[arg-type]


def parse(body: bytes) -> tuple[tuple[str, str], ...] | None:
    """Read a form; None for one that has too many fields."""
    try:
        return tuple(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return None


def send(answer: Answer) -> Response:
    """Send an answer."""
    response = Response(write(answer), answer.status, mimetype=answer.content_type)
    response.headers.extend(answer.headers)
    return response


def write(answer: Answer) -> bytes:
    """Write an answer's body: a text as it is, anything else as JSON."""
    match answer.body:
        case bytes():
            return answer.body
        case str():
            return answer.body.encode()
    return _compact(answer.body).encode()
