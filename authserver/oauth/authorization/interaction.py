"""Which page comes next for an authorization request: a pure decision over stored facts (RFC 6749 section 4.1.1).

The steps come from SPECS in order; the first one that is unmet is the next page, or the error of `prompt=none`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from authlib.oidc.core.errors import ConsentRequiredError

from authserver.oauth.authorization.request import AuthorizationRequest
from authserver.oauth.errors import AccessDeniedError, OAuth2Error
from authserver.store.authorization_request import PendingRequest
from authserver.store.browser_session import BrowserSession
from authserver.store.client import Client
from authserver.store.consent import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that the decision looks at; `pending` is None for a request that was not stored."""

    request: AuthorizationRequest
    pending: PendingRequest | None
    session: BrowserSession | None
    consent: Consent | None
    now: datetime

    @property
    def has_just_signed_in(self) -> bool:
        """Tell whether the session began for this request: it is not the one that the request came with."""
        if self.pending is None or self.session is None:
            return False
        return self.session.id != self.pending.begun_with and self.session.authenticated_at >= self.pending.created_at

    @property
    def is_mine(self) -> bool:
        """Tell whether what the pending row notes was done by this session's user."""
        return self.pending is not None and self.session is not None and self.pending.session_id == self.session.id


@dataclass(frozen=True, slots=True)
class Step:
    """A page to show, with the error that says so where no page may be shown."""

    page: str
    error: type[OAuth2Error]


@dataclass(frozen=True, slots=True)
class Fail:
    """The end: this error goes to the client."""

    error: type[OAuth2Error]
    because: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end: a code goes to the client."""


Decision = Step | Fail | Finish


def next_step(situation: Situation, steps: Iterable[Callable[[Situation], Step | Fail | None]]) -> Decision:
    """Return the first unmet step; with prompt=none its error instead; Finish where all are met."""
    for step in steps:
        unmet = step(situation)
        if isinstance(unmet, Step) and "none" in situation.request.prompt:
            return Fail(unmet.error, f"prompt=none, but {unmet.page} is needed")
        if unmet is not None:
            return unmet
    return Finish()


def consent(situation: Situation) -> Step | Fail | None:
    """Ask the user, unless they allowed it before, or the client needs no consent; a denial is final."""
    pending = situation.pending
    if pending is not None and situation.is_mine:
        if pending.denied_at is not None:
            return Fail(AccessDeniedError, "the user denied")
        if pending.consented_at is not None:
            return None
    return Step("consent", ConsentRequiredError) if _must_ask(situation) else None


def is_remembered(client: Client) -> bool:
    """Tell whether a client's users are asked only once; a native client may be imitated, and its users are always asked."""
    return client.metadata.get("consent", "remembered") == "remembered" and client.kind != "native"


def _must_ask(situation: Situation) -> bool:
    request = situation.request
    if "consent" in request.prompt:
        return True
    if request.client.metadata.get("consent") == "skipped":
        return False
    covered = situation.consent is not None and situation.consent.covers(request.disclosed_scope, request.resources)
    return not (is_remembered(request.client) and covered)
