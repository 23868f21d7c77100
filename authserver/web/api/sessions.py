"""Browser sessions: listed and ended; the grants tied to one end with it."""

from pydantic import Field

from authserver.admin import sessions as admin
from authserver.admin.documents import session_document
from authserver.web.api.answers import Answer, found, listed
from authserver.web.api.models import Document, Instant, ListOf, PageQuery, Query, Text
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

sessions = Resource("sessions", "Who is signed in, and where.")


class SessionDocument(Document):
    """A session of a browser."""

    id: str
    user_id: str
    address_prefix: str = Field(description="The network that it was begun from.")
    user_agent: str
    authenticated_at: Instant
    last_seen_at: Instant
    ends_at: Instant


class SessionList(ListOf[SessionDocument]):
    """A page of sessions, newest first."""


class SessionListQuery(PageQuery):
    """Which sessions to list."""

    user: Text = Field("", description="Only those of this user, named by id or email.")


class SessionQuery(Query):
    """Whose sessions."""

    user: Text = Field(description="The user, named by id or email.")


class EndedDocument(Document):
    """What was ended."""

    ended: int = Field(description="How many ended now; those that had ended before are not counted.")


@sessions.get("/sessions", "sessions:read", query=SessionListQuery, answer=SessionList, fails=("not-found",))
def list_sessions(query: SessionListQuery) -> Answer:
    """List live sessions."""
    return listed(admin.page_of_sessions(operation(), **query.given()), session_document)


@sessions.delete("/sessions", "sessions:write", query=SessionQuery, answer=EndedDocument, fails=("not-found",))
def end_user_sessions(query: SessionQuery) -> Answer:
    """End all sessions of a user."""
    return found({"ended": admin.end_user_sessions(operation(), query.user)})


@sessions.delete("/sessions/<session_id>", "sessions:write", answer=EndedDocument)
def end_session(session_id: str) -> Answer:
    """End a session."""
    return found({"ended": admin.end_session(operation(), session_id)})
