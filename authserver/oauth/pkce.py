"""Proof Key for Code Exchange (RFC 7636), S256 alone, demanded of every client (RFC 9700 section 2.1.1)."""

import re

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from authserver.crypto.digest import same
from authserver.oauth.authorization.draft import Draft
from authserver.oauth.errors import InvalidGrantError, InvalidRequestError, refuse
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec

CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
METHOD = "S256"


def check(_server: Server, draft: Draft) -> dict[str, object]:
    """Read `code_challenge`; it may lack where a confidential client is exempted."""
    challenge, method = draft.payload.get("code_challenge"), draft.payload.get("code_challenge_method")
    if challenge is None and method is None and not is_required(draft):
        return {"code_challenge": None}
    if challenge is None or not CHALLENGE.fullmatch(challenge):
        error = InvalidRequestError("PKCE is required: send a code_challenge of 43 to 128 characters and code_challenge_method=S256.")
        refuse(error, because="code_challenge is missing or malformed")
    if method != METHOD:
        refuse(InvalidRequestError("code_challenge_method must be S256."), because="code_challenge_method is not S256")
    return {"code_challenge": challenge}


def is_required(draft: Draft) -> bool:
    """Tell whether the client must use PKCE; a public one always must."""
    return draft.client.is_public or draft.client.metadata.get("require_pkce", True) is not False


def verify(verifier: str | None, challenge: str | None) -> None:
    """Refuse a verifier that is not the challenge's, or is there without one (RFC 9700 section 4.8.2)."""
    if verifier is None and challenge is None:
        return
    if verifier is None or challenge is None:
        refuse(InvalidGrantError(), because="one of code_verifier and code_challenge is missing")
    if not CHALLENGE.fullmatch(verifier) or not same(create_s256_code_challenge(verifier).encode(), challenge.encode()):
        refuse(InvalidGrantError(), because="code_verifier does not match")


SPEC = Spec(
    name="RFC 7636",
    title="Proof Key for Code Exchange",
    url="https://www.rfc-editor.org/rfc/rfc7636",
    request_checks=(check,),
    metadata=lambda _settings: {"code_challenge_methods_supported": [METHOD]},
    required=True,
)
