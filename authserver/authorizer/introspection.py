"""Asking the issuer about a token (RFC 7662): what an opaque one means, and whether a JWT was revoked.

An answer is believed for a while, so a revocation takes effect within that; no answer is never taken for a yes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from authserver.authorizer.fetch import FetchFailed
from authserver.authorizer.refusal import Unauthorized, Undecided
from authserver.authorizer.settings import Settings
from authserver.authorizer.strict_json import read_object

MOST_ANSWERS = 1000
Post = Callable[[str, Mapping[str, str], str, str], bytes]


class Introspection:
    """Remembers answers by the token's digest. `post` raises FetchFailed; `now` returns epoch seconds."""

    def __init__(self, settings: Settings, post: Post, now: Callable[[], float]) -> None:
        self._settings, self._post, self._now = settings, post, now
        self._answers: dict[bytes, tuple[float, dict[str, Any]]] = {}

    def ask(self, token: str) -> dict[str, Any]:
        """Return what the issuer says of an active token. Raises Unauthorized, or Undecided where there is no answer."""
        if not self._settings.introspection_url:
            raise Unauthorized("opaque, and introspection is not set up")
        answer = self._remembered(token)
        if answer.get("active") is not True:
            raise Unauthorized("not active")
        if str(answer.get("token_type", "Bearer")).lower() != "bearer":
            raise Unauthorized("not a bearer token")
        return answer

    def _remembered(self, token: str) -> dict[str, Any]:
        from hashlib import sha256

        digest, now = sha256(token.encode()).digest(), self._now()
        until, answer = self._answers.get(digest, (0.0, {}))
        if now >= until:
            answer = self._fetch(token)
            self._answers.pop(digest, None)
            self._answers[digest] = now + self._settings.introspection_lifetime, answer
            if len(self._answers) > MOST_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
        return answer

    def _fetch(self, token: str) -> dict[str, Any]:
        settings, form = self._settings, {"token": token, "token_type_hint": "access_token"}
        try:
            body = self._post(settings.introspection_url, form, settings.introspection_client_id, settings.introspection_client_secret)
            return read_object(body.decode())
        except (FetchFailed, ValueError):
            raise Undecided("introspection has no usable answer") from None
