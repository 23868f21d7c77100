"""Recent failures: refused authorization and token requests, beside the registration, with the mend where there is one."""

from typing import Any

from pydantic import Field

from authserver.admin import failures as admin
from authserver.admin.documents import client_document, instant
from authserver.store.refusal import Refusal
from authserver.web.api.answers import Answer, found, listed
from authserver.web.api.client_models import ClientDocument
from authserver.web.api.models import Document, Id, Instant, ListOf, PageQuery
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

failures = Resource("failures", "Refused authorization and token requests of the last days.")


class RefusalDocument(Document):
    """A refused request."""

    error_id: str = Field(description="What the user or the application was told.")
    at: Instant
    endpoint: str
    error: str = Field(description="The error code that was answered.")
    because: str = Field(description="The private reason.")
    client_id: str
    address_prefix: str = Field(description="The network that the request came from.")


class MendDocument(Document):
    """What would let the request through."""

    label: str = Field(description="What it does, in words.")
    changes: dict[str, Any] = Field(description="The members of the client as they would be.")


class FailureDocument(RefusalDocument):
    """A refused request beside the registration as it is now."""

    client_name: str
    title: str
    explanation: list[str] = Field(description="What is wrong, and what to do, in sentences.")
    asked: dict[str, Any] = Field(description="The parameters of the request that may be kept.")
    registered: dict[str, list[str]] = Field(description="What is registered for the client, beside what was asked.")
    mend: MendDocument | None


class FailureList(ListOf[RefusalDocument]):
    """A page of failures, newest first."""


class FailureListQuery(PageQuery):
    """Which failures to list."""

    client_id: Id = Field("", description="Those of this client.")


@failures.get("/failures", "audit:read", query=FailureListQuery, answer=FailureList)
def list_failures(query: FailureListQuery) -> Answer:
    """List failures. Get one to have it explained."""
    return listed(admin.page_of_failures(operation(), **query.given()), _describe)


@failures.get("/failures/<error_id>", "audit:read", answer=FailureDocument)
def get_failure(error_id: str) -> Answer:
    """Get a failure by the error id that was shown."""
    work = operation()
    return found(admin.explanation_document(admin.explain(work, admin.get_failure(work, error_id))))


@failures.post("/failures/<error_id>/mend", "clients:write", answer=ClientDocument)
def mend_failure(error_id: str) -> Answer:
    """Change the client so that such a request is let through, where that is the mend."""
    client = admin.apply_mend(operation(), error_id)
    return found(client_document(client), client.version)


def _describe(refusal: Refusal) -> dict[str, Any]:
    names = ("error_id", "endpoint", "error", "because", "client_id", "address_prefix")
    return {**{name: getattr(refusal, name) for name in names}, "at": instant(refusal.at)}
