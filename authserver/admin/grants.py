"""Grants: what users gave to clients, listed and revoked (RFC 6819 section 5.2.2.4)."""

from authserver.admin.clients import get_client
from authserver.admin.errors import Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.admin.paging import USUAL, Page, page_of, place, read_place
from authserver.admin.roles import refuse_above
from authserver.admin.searching import is_an_id
from authserver.admin.users import get_user
from authserver.store.authorization_code import delete_client_codes, delete_user_codes
from authserver.store.base import read_id, show_id
from authserver.store.consent import forget_consent, forget_consents
from authserver.store.grant import Grant, find_grant, list_grants, revoke_client_grants, revoke_grant, revoke_user_grants

BECAUSE = "revoked by an operator"


def live_grants(operation: Operation, user: str | None = None, client_id: str | None = None, limit: int = 1000) -> list[Grant]:
    """Return grants that can still be refreshed, newest first. Raises NotFound."""
    user_id = None if user is None else get_user(operation, user).id
    if client_id is not None:
        get_client(operation, client_id)
    found = list_grants(operation.db, user_id=user_id, client_id=client_id, limit=limit)
    return [grant for grant in found if grant.is_refreshable(operation.now())]


def page_of_grants(
    operation: Operation, *, user: str = "", client_id: str = "", page_token: str = "", page_size: int = USUAL
) -> Page[Grant]:
    """List grants that are not revoked, newest first, of a user, a client, or all. Raises NotFound, Invalid."""
    user_id = get_user(operation, user).id if user else None
    if not is_an_id(client_id):
        return Page([])

    def fetch(after: tuple[int, str] | None, limit: int) -> list[Grant]:
        return list_grants(operation.db, user_id=user_id, client_id=client_id or None, before=read_place(after), limit=limit)

    listing = f"grants {user_id.hex() if user_id else ''} {client_id}"
    return page_of(operation, listing, page_token, page_size, fetch, lambda row: place(row.created_at, row.id))


def end_grant(operation: Operation, shown: str) -> int:
    """Revoke a grant; return 1, or 0 where it was revoked before. Raises NotFound, Forbidden."""
    identifier = read_id(shown)
    grant = None if identifier is None else find_grant(operation.db, identifier)
    if grant is None:
        raise NotFound(f"there is no grant {shown!r}")
    refuse_above(operation, grant.user_id)
    ended = revoke_grant(operation.db, grant.id, operation.now(), BECAUSE)
    operation.note("grant.revoke", client_id=grant.client_id, subject=show_id(grant.user_id), details={"grant": grant.shown_id})
    return int(ended)


def end_grants(operation: Operation, user: str | None = None, client_id: str | None = None) -> int:
    """Revoke all grants of a user, of a client, or of a user to a client, and forget the consents; return how many."""
    if user is None and client_id is None:
        raise Invalid("grant", "must be named, by its id, its user or its client")
    if client_id is not None:
        get_client(operation, client_id)
    ended = _end_client(operation, client_id or "") if user is None else _end_user(operation, user, client_id)
    operation.note("grant.revoke", client_id=client_id or "", subject=user or "", details={"grants": ended})
    return ended


def _end_client(operation: Operation, client_id: str) -> int:
    delete_client_codes(operation.db, client_id)
    forget_consents(operation.db, client_id=client_id)
    return revoke_client_grants(operation.db, client_id, operation.now(), BECAUSE)


def _end_user(operation: Operation, user: str, client_id: str | None) -> int:
    user_id = get_user(operation, user).id
    refuse_above(operation, user_id)
    delete_user_codes(operation.db, user_id, client_id)
    if client_id is None:
        forget_consents(operation.db, user_id=user_id)
    else:
        forget_consent(operation.db, user_id, client_id)
    return revoke_user_grants(operation.db, user_id, operation.now(), BECAUSE, client_id)
