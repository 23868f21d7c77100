"""/demo, in development alone: a small SPA that signs in with code and PKCE (RFC 7636) and shows its tokens decoded."""

from flask import Blueprint, Response

from authserver.web.context import runtime
from authserver.web.pages import page

routes = Blueprint("demo", __name__)

CLIENT_ID = "demo-spa"


@routes.get("/demo")
def demo() -> Response:
    """Show the page; its script does the rest."""
    issuer = runtime().settings.issuer
    values = {"issuer": issuer, "client_id": CLIENT_ID, "redirect_uri": f"{issuer}/demo"}
    return page("demo/demo.html", values, script=True, connect=True)
