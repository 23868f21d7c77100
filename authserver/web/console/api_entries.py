"""What the pages of an API edit, with the texts that explain it."""

from collections.abc import Mapping
from typing import Any

from authserver.store.resource_server import ResourceServer
from authserver.web.console.client_entries import ALGS
from authserver.web.console.entries import Choice, DocumentForm, Lines, Pairs, Span, Text

COLUMNS = ("name", "scopes", "token_format", "signing_alg", "token_lifetime_seconds", "claims", "introspected_by")


class ApiForm(DocumentForm):
    """An API, but for its identifier, which never changes."""

    name = Text("Name", "What people read when they are asked to allow it.")
    scopes = Pairs(
        "Scopes", "What can be allowed, one per line, each with the text that people read: orders:read = See your orders", mono=True, rows=5
    )
    token_format = Choice(
        "Format of its tokens",
        options=(
            ("jwt", "JWT", "The API checks it by itself, with our published keys (RFC 9068)."),
            ("opaque", "Opaque", "The API asks us about it; ending it takes effect at once (RFC 7662)."),
        ),
    )
    signing_alg = Choice("Algorithm", "AWS HTTP APIs accept RS256 alone. ES256 costs a tenth to sign.", kind="select", options=ALGS)
    token_lifetime_seconds = Span("Life of its tokens", "Like 5m or 1h. Empty takes the server's.", optional=True)
    claims = Pairs(
        "Claims",
        "What its tokens say beside: claim = attribute of the user or client, one per line, like roles = roles",
        mono=True,
        rows=3,
        optional=True,
    )
    introspected_by = Lines("Who may introspect", "Ids of applications that may ask about its tokens. One per line.", rows=2, optional=True)


class NewApiForm(DocumentForm):
    """What a new API needs; the rest has defaults."""

    name = Text("Name", "What people read when they are asked to allow it.")
    identifier = Text(
        "Identifier", "The audience of its tokens: an absolute URI, like https://api.example.com. It never changes.", mono=True
    )
    scopes = Pairs(
        "Scopes",
        "What can be allowed, one per line, each with the text that people read: orders:read = See your orders",
        mono=True,
        rows=5,
        optional=True,
    )
    token_format = ApiForm.token_format
    signing_alg = ApiForm.signing_alg


class DeletionForm(DocumentForm):
    """The name of what is to be deleted."""

    name = Text("Type its name to confirm")


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form says as columns."""
    return {**values, "introspected_by": values["introspected_by"] or []}


def to_document(api: ResourceServer) -> dict[str, Any]:
    """Return what the form shows of an API."""
    return {column: getattr(api, column) for column in COLUMNS}
