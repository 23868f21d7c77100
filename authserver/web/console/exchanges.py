"""What a test drive shows: requests and answers as they are on the wire, and tokens decoded. Whatever opens something is cut.

Nothing on the page can be used: secrets, codes, verifiers and tokens are shortened; what JWTs say is beside them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused
from authserver.oauth.server import Answer

Pairs = Sequence[tuple[str, str]]

SHOWN_CHARACTERS = 12
CUT = "…"
SECRETS = frozenset({"client_secret", "code", "code_verifier", "refresh_token", "access_token", "token", "id_token"})
TOKENS = {"access_token": "Access token", "id_token": "ID token"}
TIMES = frozenset({"exp", "iat", "nbf", "auth_time"})
MEANINGS: Mapping[str, str] = {
    "iss": "Who made it: this server.",
    "sub": "Who it is about: the user's id, or the client's own.",
    "aud": "Who may take it.",
    "exp": "From then on it is void.",
    "iat": "When it was made.",
    "auth_time": "When the user signed in.",
    "nonce": "What the request had; the client compares it.",
    "acr": "How surely the user was recognised.",
    "amr": "How the user signed in.",
    "azp": "The client that it was made for.",
    "sid": "The browser session; sign-out names it.",
    "jti": "Its own id, by which it can be revoked.",
    "client_id": "The client that it was given to.",
    "grant_id": "What the user gave; ending it ends this token.",
    "scope": "What may be done with it.",
    "at_hash": "Ties the ID token to the access token.",
    "typ": "at+jwt is an access token, so that no ID token passes for one.",
    "alg": "The algorithm of the signature.",
    "kid": "Which of the published keys verifies it.",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A member of a token: its name, its value as text, and what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A token taken apart; no claims for one that is opaque."""

    title: str
    raw: str
    header: Sequence[Claim] = ()
    claims: Sequence[Claim] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One step: what was sent, what came back, and the tokens in it."""

    title: str
    about: str
    request: str
    response: str
    is_good: bool = True
    tokens: Sequence[Decoded] = ()
    are_open: bool = False


def write_redirect(address: str, parameters: Pairs) -> str:
    """Write the request of a browser that is sent somewhere."""
    return f"GET {address}?" + _parameters(parameters, "\n  &")


def write_request(method: str, address: str, headers: Mapping[str, str], form: Pairs = ()) -> str:
    """Write a request with a form."""
    shown = [f"{name}: {_cut_header(value)}" for name, value in headers.items()]
    body = ["", _parameters(form, "\n&")] if form else []
    return "\n".join([f"{method} {address}", *shown, *body])


def write_answer(answer: Answer) -> str:
    """Write an answer."""
    headers = [f"{name}: {value}" for name, value in answer.headers if name == "WWW-Authenticate"]
    return "\n".join([f"HTTP {answer.status}", *headers, f"Content-Type: {answer.content_type}", "", _body(answer.body)])


def decode_tokens(body: Any) -> list[Decoded]:
    """Take the tokens of an answer apart."""
    found = body if isinstance(body, dict) else {}
    return [_decode(title, found[name]) for name, title in TOKENS.items() if isinstance(found.get(name), str)]


def cut(name: str, value: Any) -> Any:
    """Return a value as it may be shown: whatever opens something is shortened."""
    return value[:SHOWN_CHARACTERS] + CUT if name in SECRETS and isinstance(value, str) else value


def _decode(title: str, token: str) -> Decoded:
    try:
        jwt = jose.peek(token)
    except TokenRefused:
        return Decoded(f"{title} (opaque: only this server knows what it says)", cut("token", token))
    return Decoded(title, cut("token", token), _claims(jwt.header), _claims(jwt.claims))


def _claims(members: Mapping[str, Any]) -> list[Claim]:
    return [Claim(name, _value(name, value), MEANINGS.get(name, "")) for name, value in members.items()]


def _value(name: str, value: Any) -> str:
    if name in TIMES and isinstance(value, int):
        return f"{value} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parameters(pairs: Iterable[tuple[str, str]], separator: str) -> str:
    return separator.join(f"{name}={cut(name, value)}" for name, value in pairs)


def _cut_header(value: str) -> str:
    scheme, space, credentials = value.partition(" ")
    return f"{scheme} {cut('token', credentials)}" if space and scheme in ("Basic", "Bearer") else value


def _body(body: Any) -> str:
    if isinstance(body, dict):
        return json.dumps({name: cut(name, value) for name, value in body.items()}, indent=2, ensure_ascii=False)
    text = body.decode() if isinstance(body, bytes) else str(body)
    return str(cut("token", text)) if text.count(".") == 2 and text.startswith("ey") else text
