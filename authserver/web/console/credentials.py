"""How an application proves who it is: its two secrets, rotated without an outage, or keys of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, url_for
from wtforms import StringField

from authserver.admin.client_secrets import drop_secret, rotate_secret
from authserver.admin.errors import Invalid
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.oauth.client_registration import PROFILES
from authserver.store.client import Client, ClientSecret
from authserver.web.console import notes
from authserver.web.console.client_editing import change_commands, save_section, show_section
from authserver.web.console.client_tabs import describe, find, show_client
from authserver.web.console.commands import Same, call, command
from authserver.web.console.conflicts import Difference
from authserver.web.console.entries import Choice, DocumentForm
from authserver.web.console.frame import done
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import operation, permit

routes = Blueprint("credentials", __name__)

OVERLAPS = (
    ("0", "No longer", "It has leaked."),
    ("1", "1 more day", ""),
    ("7", "7 more days", ""),
    ("30", "30 more days", ""),
)
USUAL_OVERLAP = "7"


class RotationForm(DocumentForm):
    """How long the secret before still works, in days."""

    overlap = Choice("How long does the secret before work?", options=OVERLAPS)


class DropForm(PageForm):
    """Which secret ends."""

    secret = StringField()


@routes.get("/admin/applications/credentials/<path:client_id>")
@permit("clients:read")
def index(client_id: str) -> Response:
    """Show how an application proves who it is."""
    return show_section("credentials", client_id, _credentials)


@routes.post("/admin/applications/credentials/<path:client_id>")
@permit("clients:write", fresh=True)
def save(client_id: str) -> Response:
    """Change that; a new secret is shown once."""
    return save_section("credentials", client_id, _here(client_id), _credentials)


@routes.post("/admin/applications/rotate-secret/<path:client_id>")
@permit("clients:write", fresh=True)
def rotate(client_id: str) -> Response:
    """Make a new secret, shown once; the one before works for a while."""
    form = read_form(RotationForm, again=_here(client_id))
    if form.overlap.data not in [value for value, _, _ in OVERLAPS]:
        raise Invalid("overlap", "must be 0, 1, 7 or 30 days")
    secret = rotate_secret(operation(), find(client_id), timedelta(days=int(form.overlap.data)))
    return done(_here(client_id), secret={"client_id": client_id, "client_secret": secret})


@routes.post("/admin/applications/drop-secret/<path:client_id>")
@permit("clients:write", fresh=True)
def drop(client_id: str) -> Response:
    """End one of the secrets now."""
    form = read_form(DropForm, again=_here(client_id))
    drop_secret(operation(), find(client_id), form.secret.data or "")
    return done(_here(client_id), "The secret has ended.")


def shown_secret(client_id: str) -> str:
    """Return the secret that was made for a client just now, and forget it; empty where there is none."""
    note = notes.take("secret")
    return str(note["client_secret"]) if note.get("client_id") == client_id else ""


def _credentials(client: Client, form: DocumentForm, differences: Sequence[Difference], status: int) -> Response:
    client_id, now = client.client_id, operation().now()
    rotation = RotationForm(data={"overlap": USUAL_OVERLAP})
    secrets = [_secret(secret, now) for secret in reversed(client.secrets)]
    values = {
        "form": form,
        "entries": form.entries,
        "differences": differences,
        "is_fixed": not describe(client)["may_change"],
        "here": _here(client_id),
        "is_public_kind": PROFILES[client.kind].auth_methods == ("none",),
        "has_keys": client.auth_method == "private_key_jwt" or bool(form.messages) or bool(differences),
        "has_secrets": client.auth_method in SECRET_METHODS,
        "secrets": secrets,
        "live": sum(secret["is_live"] for secret in secrets),
        "secret": shown_secret(client_id),
        "rotation": rotation,
        "rotate": url_for("credentials.rotate", client_id=client_id),
        "drop": url_for("credentials.drop", client_id=client_id),
    }
    return show_client(client, "credentials.index", "credentials", values, status=status, **_commands(client))


def _secret(secret: ClientSecret, now: datetime) -> dict[str, Any]:
    return {
        "id": secret.id,
        "created_at": secret.created_at,
        "expires_at": secret.expires_at,
        "last_used_at": secret.last_used_at,
        "is_live": secret.is_live(now),
    }


def _commands(client: Client) -> Same:
    if client.auth_method not in SECRET_METHODS:
        return change_commands(client, {"token_endpoint_auth_method": client.auth_method})
    body = {"client_id": client.client_id, "overlap": 7 * 86400}
    rotation = command("clients", "rotate-secret", client.client_id, options=[("--overlap", "7d")])
    return Same(command=rotation, call=call("client-secrets", method="POST", body=body))


def _here(client_id: str) -> str:
    return url_for("credentials.index", client_id=client_id)
