"""Client secrets: a new one beside the old, and the end of one; two live at a time, so that a rotation needs no outage."""

from datetime import timedelta

from pydantic import Field

from authserver.admin.client_secrets import MOST_OVERLAP, drop_secret, rotate_secret
from authserver.admin.clients import get_client
from authserver.admin.documents import client_document
from authserver.web.api.answers import Answer, created, done
from authserver.web.api.client_models import SecretDocument
from authserver.web.api.clients import shown_once
from authserver.web.api.models import Body, Document, Id, Query
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

client_secrets = Resource("client-secrets", "Secrets of clients: rotated with an overlap in which the one before still works.")


class NewSecret(Body):
    """Whose secret to rotate."""

    client_id: Id = Field(description="The client.")
    overlap: int = Field(
        0, ge=0, le=int(MOST_OVERLAP.total_seconds()), description="For how many seconds the newest secret before still works."
    )


class IssuedSecretDocument(Document):
    """A new secret, and all that are known."""

    client_id: str
    client_secret: str | None = Field(None, description="Shown this once, and not in the answer to a repetition.")
    client_secret_expires_at: int | None = Field(None, description="0: it does not expire.")
    secrets: list[SecretDocument] = Field(description="The client's secrets as they are now.")


class SecretQuery(Query):
    """Whose secret it is."""

    client_id: Id = Field(description="The client.")


@client_secrets.post(
    "/client-secrets", "clients:write", body=NewSecret, answer=IssuedSecretDocument, status=201, fresh=True, fails=("not-found",)
)
def rotate_client_secret(body: NewSecret) -> Answer:
    """Give a client a new secret; the newest one before it ends after the overlap, older ones now."""
    client = get_client(operation(), body.client_id)
    secret = rotate_secret(operation(), client, timedelta(seconds=body.overlap))
    secrets = client_document(get_client(operation(), client.client_id))["secrets"]
    return created({"client_id": client.client_id, "secrets": secrets}, ("clients", client.client_id), secret=shown_once(secret))


@client_secrets.delete("/client-secrets/<secret_id>", "clients:write", query=SecretQuery, status=204, fresh=True)
def delete_client_secret(secret_id: str, query: SecretQuery) -> Answer:
    """End a secret of a client now. The last one that works stays: to stop the client, disable it."""
    drop_secret(operation(), get_client(operation(), query.client_id), secret_id)
    return done()
