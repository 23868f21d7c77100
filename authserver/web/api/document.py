"""The document of the admin API (OpenAPI 3.1) for programs, and the page at /admin/api on which people read it."""

from flask import Blueprint, Response, jsonify

from authserver.admin.authority import PERMISSIONS, admin_api
from authserver.web.api import openapi, reference
from authserver.web.api.problems import PROBLEMS
from authserver.web.console.frame import show
from authserver.web.context import runtime
from authserver.web.operators import permit

routes = Blueprint("api_page", __name__)

REST = ("documents", "problems", "scopes")
PATH = "/admin/api/openapi.json"


@routes.get(PATH)
@permit(None, skin="api")
def openapi_json() -> Response:
    """Give the document to anybody: it says nothing that the source does not."""
    return jsonify(openapi.document(runtime().settings.issuer))


@routes.get("/admin/api")
@permit(None, skin="page")
def index() -> Response:
    """Show the document; in the console's frame for who is signed in to it."""
    document = openapi.document(runtime().settings.issuer)
    sections = reference.sections(document)
    values = {
        "info": document["info"],
        "resource": admin_api(runtime().settings.issuer),
        "token_endpoint": runtime().settings.issuer + "/oauth2/token",
        "address": runtime().settings.issuer + PATH,
        "sections": sections,
        "contents": [(f"#{name}", name, False) for name in (*(section.name for section in sections), *REST)],
        "schemas": reference.schemas(document),
        "problems": PROBLEMS,
        "scopes": PERMISSIONS,
    }
    return show("console/api.html", values, title="Admin API")
