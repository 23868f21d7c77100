"""Who may do what: roles of people, scopes of clients, and the admin API that these scopes belong to.

Roles rise from auditor to owner. Nobody acts on somebody of an equal or higher role, and nobody gives a client a scope
of the admin API that they do not have themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PERMISSIONS: Mapping[str, str] = {
    "clients:read": "See applications and services",
    "clients:write": "Register, change and delete applications and services, and their secrets",
    "apis:read": "See APIs",
    "apis:write": "Register, change and delete APIs",
    "users:read": "See users",
    "users:write": "Invite, change, disable and delete users",
    "roles:write": "Make users administrators",
    "sessions:read": "See who is signed in, and what they allowed",
    "sessions:write": "End sessions and grants",
    "keys:read": "See the keys that sign tokens",
    "keys:write": "Rotate the keys that sign tokens",
    "audit:read": "See what happened: the audit log, refused requests, figures",
}
"""What can be permitted, with the sentence that users read: these are the scopes of the admin API."""

EVERYTHING = frozenset(PERMISSIONS)
READING = frozenset(permission for permission in PERMISSIONS if permission.endswith(":read"))

GRANTED: Mapping[str, frozenset[str]] = {
    "auditor": READING,
    "support": frozenset({"clients:read", "apis:read", "users:read", "users:write", "sessions:read", "sessions:write", "audit:read"}),
    "admin": frozenset(
        {"clients:read", "clients:write", "apis:read", "apis:write", "users:read", "sessions:read", "keys:read", "audit:read"}
    ),
    "owner": EVERYTHING,
}
"""What each role permits, in rising order."""

ROLES = tuple(GRANTED)
ABOVE_ALL = len(ROLES) + 1
CONSOLE_CLIENT = "authserver-console"
OWNER_OF_OUR_OWN = "authserver"
"""What the rows of the console and of the admin API are managed by."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who acts, named as in the audit log, what they are permitted, and above whom they stand."""

    actor: str
    permissions: frozenset[str] = EVERYTHING
    rank: int = ABOVE_ALL

    def may(self, permission: str) -> bool:
        """Tell whether something is permitted."""
        return permission in self.permissions


COMMAND_LINE = Authority("cli")
"""Whoever has the settings and the database may do everything."""


def rank_of(role: str) -> int:
    """Return a role's rank; 0 for none."""
    return ROLES.index(role) + 1 if role in ROLES else 0


def of_role(actor: str, role: str) -> Authority:
    """Return what a person of a role may do."""
    return Authority(actor, GRANTED.get(role, frozenset()), rank_of(role))


def of_scopes(actor: str, scopes: Iterable[str]) -> Authority:
    """Return what a client with some scopes may do; it stands as high as the highest role that they make up."""
    permissions = EVERYTHING & set(scopes)
    return Authority(actor, permissions, max((rank_of(role) for role in ROLES if GRANTED[role] <= permissions), default=0))


def admin_api(issuer: str) -> str:
    """Return the identifier of the admin API."""
    return f"{issuer}/admin/api/v1"
