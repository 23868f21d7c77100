"""Public clients name themselves and prove nothing (RFC 6749 section 2.1, RFC 7591 section 2: `none`)."""

from authserver.oauth.client_auth import ClientAuthMethod, Presented
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server
from authserver.store.client import Client


def _detect(request: AsRequest) -> Presented | None:
    client_id = request.payload.client_id
    return Presented(client_id, "") if client_id else None


def _verify(_server: Server, _client: Client | None, _proof: str) -> str | None:
    return None


NONE = ClientAuthMethod("none", _detect, _verify, proves=False)
