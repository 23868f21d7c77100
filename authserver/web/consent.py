"""Consent: what a client asks, in plain sentences, and the person's answer (RFC 6749 section 4.1.1, RFC 6819 section 5.2.3.2).

The answer carries a digest of what was shown, and counts only if the same would be shown now.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for

from authserver.crypto.digest import digest, encode
from authserver.identity import session as sessions
from authserver.oauth.authorization.request import AuthorizationRequest
from authserver.specs import authorization_server
from authserver.store.audit import Happening, record
from authserver.store.authorization_request import note_step
from authserver.store.browser_session import BrowserSession
from authserver.store.consent import remember_consent
from authserver.store.user import User, find_user
from authserver.web.context import db, runtime
from authserver.web.cookies import session_token
from authserver.web.flow import go_on, names, open_request
from authserver.web.language import N_, gettext, ngettext
from authserver.web.pages import page
from authserver.web.pending import Waiting

routes = Blueprint("consent", __name__)

CHANGED = 409

PERSONAL = {
    "openid": N_("Recognize you when you come back"),
    "profile": N_("See your name and the rest of your profile"),
    "email": N_("See your email address"),
    "address": N_("See your postal address"),
    "phone": N_("See your phone number"),
    "offline_access": N_("Stay connected when you are not using it"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that the person decides about. `apis` has (identifier, name, sentences) for each API."""

    client_id: str
    client_name: str
    redirect_uri: str
    subject: str
    personal: tuple[str, ...]
    apis: tuple[tuple[str, str, tuple[str, ...]], ...]
    lifetime_seconds: int

    @property
    def digest(self) -> str:
        """What the answer must carry."""
        return encode(digest(json.dumps(asdict(self), sort_keys=True)))


@routes.get("/consent")
def consent() -> Response:
    """Show what is asked."""
    resume = request.args.get("resume", "")
    found, session = open_request(resume), sessions.find(db(), runtime(), session_token())
    user = find_user(db(), session.user_id) if session else None
    return go_on(resume) if user is None else _show(found, resume, user)


@routes.post("/consent")
def answer() -> Response:
    """Take the answer, if it is about what would be shown now."""
    from authserver.web.forms import ConsentForm, read_form

    resume = request.form.get("resume", "")
    found, session = open_request(resume), sessions.find(db(), runtime(), session_token())
    form = read_form(ConsentForm, again=url_for("consent.consent", resume=resume))
    user = find_user(db(), session.user_id) if session else None
    if session is None or user is None:
        return go_on(resume)
    if form.messages or form.shown.data != asked_of(found.request, user).digest:
        return _show(found, resume, user, status=CHANGED)
    _note(found, session, user, allowed=form.decision.data == "allow")
    return go_on(resume)


def asked_of(asked: AuthorizationRequest, user: User) -> Asked:
    """Gather what the person decides about."""
    server = authorization_server(runtime(), db())
    found = (server.query_resource_server(identifier) for identifier in asked.resources)
    apis = [api for api in found if api is not None]
    return Asked(
        client_id=asked.client.client_id,
        client_name=asked.client.client_name,
        redirect_uri=asked.redirect_uri,
        subject=user.subject,
        personal=tuple(scope for scope in PERSONAL if scope in asked.disclosed_scope),
        apis=tuple((api.identifier, api.name, tuple(text for scope, text in api.scopes.items() if scope in asked.scope)) for api in apis),
        lifetime_seconds=int(_lifetime(asked).total_seconds()),
    )


def _lifetime(asked: AuthorizationRequest) -> timedelta:
    """The longest that the client keeps what is granted without asking again."""
    settings, client = runtime().settings, asked.client
    if not client.has_grant_type("refresh_token"):
        return settings.access_token_lifetime
    if "offline_access" not in asked.scope:
        return min(settings.session_refresh_token_lifetime, settings.session_lifetime)
    usual = settings.session_refresh_token_lifetime if client.kind == "spa" else settings.refresh_token_lifetime
    chosen = client.metadata.get("refresh_token_lifetime")
    return timedelta(seconds=chosen) if chosen else usual


def _show(found: Waiting, resume: str, user: User, *, status: int = 200) -> Response:
    from authserver.web.forms import ConsentForm

    asked, metadata = asked_of(found.request, user), found.request.client.metadata
    values = {
        "resume": resume,
        "mark": ConsentForm().mark,
        "shown": asked.digest,
        "changed": status == CHANGED,
        "email": user.email,
        "personal": [gettext(PERSONAL[scope]) for scope in asked.personal],
        "apis": [{"name": name, "sentences": sentences} for _, name, sentences in asked.apis],
        "duration": duration(timedelta(seconds=asked.lifetime_seconds)),
        "offline": "offline_access" in asked.personal,
        "remembered": metadata.get("consent", "remembered") == "remembered" and found.request.client.kind != "native",
        "policy_uri": metadata.get("policy_uri", ""),
        "tos_uri": metadata.get("tos_uri", ""),
    }
    return page("consent/consent.html", {**values, **names(found.request)}, status, leads_back=True)


def duration(span: timedelta) -> str:
    """Write a span of time as people say it."""
    minutes = max(1, round(span.total_seconds() / 60))
    if minutes >= 48 * 60:
        return _count(round(minutes / 1440), ngettext("%d day", "%d days", round(minutes / 1440)))
    if minutes >= 120:
        return _count(round(minutes / 60), ngettext("%d hour", "%d hours", round(minutes / 60)))
    return _count(minutes, ngettext("%d minute", "%d minutes", minutes))


def _count(number: int, text: str) -> str:
    return text % number


def _note(found: Waiting, session: BrowserSession, user: User, *, allowed: bool) -> None:
    asked, now = found.request, runtime().now()
    client = asked.client
    note_step(db(), found.pending.digest, session.id, "consented_at" if allowed else "denied_at", now)
    if allowed:
        remember_consent(db(), user.id, client.client_id, asked.disclosed_scope, asked.resources, now)
    details: dict[str, Any] = {"scope": " ".join(asked.disclosed_scope), "resources": list(asked.resources)}
    outcome = "ok" if allowed else "denied"
    happening = Happening(
        action="consent", outcome=outcome, actor=user.subject, subject=user.subject, client_id=client.client_id, details=details
    )
    record(db(), runtime(), happening)
