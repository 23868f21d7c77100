"""Consents: what a user has allowed each application (RFC 6819 section 5.2.4.1). They are taken back with the grants."""

from authserver.admin.operation import Operation
from authserver.admin.users import get_user
from authserver.store.consent import Consent, list_consents


def consents_of(operation: Operation, user: str) -> list[Consent]:
    """Return what a user allowed, by client. Raises NotFound."""
    return list_consents(operation.db, get_user(operation, user).id)
