"""The page at the issuer itself: what this is, and who is signed in."""

from flask import Blueprint, Response

from authserver.identity import session
from authserver.store.user import find_user
from authserver.web.context import db, runtime
from authserver.web.cookies import session_token
from authserver.web.pages import page

routes = Blueprint("index", __name__)


@routes.get("/")
def index() -> Response:
    """Say what runs here."""
    current = session.find(db(), runtime(), session_token())
    user = find_user(db(), current.user_id) if current else None
    settings = runtime().settings
    return page("index.html", {"issuer": settings.issuer, "email": user.email if user else "", "demo": settings.dev})
