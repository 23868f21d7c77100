"""What Lambda calls: `authserver.authorizer.handler.handler`. An event of an authorizer in, a policy out.

Whatever is not a good token for the asked route ends as Unauthorized (401), Deny (403) or an error (500). A refusal
leaves one line in the log that says why in constant words; nothing of a request is ever in it.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from authserver.authorizer import fetch
from authserver.authorizer.event import HTTP_KINDS, TOKEN, bearer_token, read_event
from authserver.authorizer.introspection import Introspection, Post
from authserver.authorizer.jwks import KeySet
from authserver.authorizer.policy import Answer, answer, deny
from authserver.authorizer.refusal import SettingsError, Unauthorized, Undecided
from authserver.authorizer.settings import Settings, read_settings
from authserver.authorizer.verify import VerifiedClaims, check_claims, is_jwt, verify

Get = Callable[[str], bytes]


def write_line(text: str) -> None:
    """Write a line to the log."""
    sys.stderr.write(text + "\n")


class Authorizer:
    """Decides. What it needs of the world are arguments: tests replace them."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float],
        get: Get = fetch.get,
        post: Post = fetch.post,
        log: Callable[[str], object] = write_line,
    ) -> None:
        self.settings, self._now, self._log = settings, now, log
        self.keys = KeySet(settings, get, now)
        self.introspection = Introspection(settings, post, now)

    def decide(self, event: object) -> Answer:
        """Answer an event. Raises Unauthorized or Undecided, without a trace of what led there."""
        try:
            return self._decide(event)
        except Unauthorized as refused:
            self._log(f'{{"logger":"authserver.authorizer","level":"INFO","message":"refused","because":"{refused.because}"}}')
        except Undecided as why:
            self._log(f'{{"logger":"authserver.authorizer","level":"ERROR","message":"undecided","because":"{why}"}}')
            raise
        except Exception as fault:  # whose text may hold anything
            kind = type(fault).__name__
            self._log(f'{{"logger":"authserver.authorizer","level":"ERROR","message":"undecided","because":"{kind}"}}')
            raise Undecided(kind) from None
        return self._turn_away(event)

    def _decide(self, event: object) -> Answer:
        question = read_event(event)
        if self.settings.routes and question.kind == TOKEN:
            raise Undecided("AUTHORIZER_ROUTES needs an authorizer of type REQUEST")
        assert isinstance(event, dict)
        return answer(question, self.claims_of(bearer_token(question.kind, event)), self.settings)

    def claims_of(self, token: str) -> VerifiedClaims:
        """Return the claims of a good token. Raises Unauthorized or Undecided."""
        now = int(self._now())
        if not is_jwt(token):
            return check_claims(self.introspection.ask(token), self.settings, now)
        claims = verify(token, self.settings, self.keys, now)
        if self.settings.check_revocation and self.introspection.ask(token).get("jti") != claims["jti"]:
            raise Unauthorized("introspection means another token")
        return claims

    def _turn_away(self, event: object) -> Answer:
        question = read_event(event)
        if question.kind in HTTP_KINDS and not self.settings.http_api_raises:
            return deny(question, self.settings)
        raise Unauthorized("refused") from None


@cache
def authorizer() -> Authorizer:
    """Return this process's authorizer, as its environment has it; the one place that knows environment and clock."""
    try:
        return Authorizer(read_settings(os.environ), time.time)  # noqa: TID251 - this is a program of its own, without a Runtime
    except SettingsError as error:
        write_line(f"authorizer: {error}")
        raise


def handler(event: Any, context: object) -> Answer:
    """Answer API Gateway."""
    return authorizer().decide(event)
