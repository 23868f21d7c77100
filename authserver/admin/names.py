"""Names for ids, so that people can read lists of sessions, grants and events: one query for a list of any length."""

from collections.abc import Iterable

from authserver.admin.operation import Operation
from authserver.store.base import read_id
from authserver.store.client import find_clients
from authserver.store.user import find_users


def emails_of(operation: Operation, subjects: Iterable[str]) -> dict[str, str]:
    """Return the email of each user, by id; what is no user's id is left out."""
    identifiers = {identifier for subject in set(subjects) if (identifier := read_id(subject)) is not None}
    return {user.subject: user.email for user in find_users(operation.db, sorted(identifiers))} if identifiers else {}


def client_names_of(operation: Operation, client_ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each client, by id; those that are gone are left out."""
    wanted = sorted(set(client_ids) - {""})
    return {client.client_id: client.client_name for client in find_clients(operation.db, wanted)} if wanted else {}
