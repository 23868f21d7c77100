"""Users: invited, changed, disabled and deleted; their admin role; a password reset is started, never a password set or seen."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from authserver.admin import users as admin
from authserver.admin.documents import Document as Described
from authserver.admin.documents import user_document
from authserver.admin.errors import NotFound
from authserver.admin.roles import role_of, roles_of
from authserver.admin.user_claims import CLAIMS
from authserver.store.base import read_id
from authserver.store.user import User
from authserver.web.api import merge_patch
from authserver.web.api.answers import Answer, created, done, found, listed
from authserver.web.api.client_models import Status
from authserver.web.api.faults import Place, placing
from authserver.web.api.models import Body, Document, Instant, ListOf, PageQuery, Patch, Shape, Text
from authserver.web.api.preconditions import Expected
from authserver.web.api.problems import Fault, Refused, point
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

users = Resource("users", "People who sign in, and what they may administer.")

Role = Literal["auditor", "support", "admin", "owner"]
Email = Annotated[str, Field(json_schema_extra={"format": "email"})]
GROUPS = ("claims", "attributes")
ELSEWHERE = frozenset({*CLAIMS, "email", "roles", "groups"})
"""What is not an attribute, though admin/ takes it beside them."""


class UserMembers(Shape):
    """What can be said of a user."""

    claims: dict[str, Any] = Field({}, description="Standard claims (OpenID Connect Core section 5.1), such as name and locale.")
    roles: list[str] = Field([], description="Roles that applications see; they mean nothing to this server.")
    groups: list[str] = Field([], description="Groups that applications see.")
    attributes: dict[str, Any] = Field({}, description="Anything else that APIs can ask to have in tokens, by name.")


class NewUser(UserMembers, Body):
    """Somebody to invite."""

    email: Email = Field(description="Where the invitation is sent.")


class UserChanges(UserMembers, Patch):
    """A JSON Merge Patch of a user."""

    email: Email = Field("", description="A new address is unverified.")
    enabled: bool = Field(True, description="Disabling somebody ends their sessions and grants.")


class UserDocument(UserMembers, Document):
    """A user."""

    id: str = Field(description="The subject of their tokens.")
    email: str
    enabled: bool
    role: Role | None = Field(description="What they may administer.")
    version: int = Field(description="Counts the changes; also the ETag.")
    created_at: Instant
    updated_at: Instant


class InvitedDocument(UserDocument):
    """A user who was invited just now."""

    link: str | None = Field(None, description="Where they set their password, unless it was mailed; shown this once.")


class NewRole(Body):
    """What a user may administer."""

    role: Role | None = Field(description="null takes the role away.")


class UserList(ListOf[UserDocument]):
    """A page of users, by email; those that are searched by `q` or `role`, by id."""


class UserListQuery(PageQuery):
    """Which users to list."""

    q: Text = Field("", description="The beginning of the email or of a word of the name.")
    status: Status | None = Field(None, description="Only enabled or only disabled ones.")
    role: Role | None = Field(None, description="Only those with this admin role.")


@users.get("/users", "users:read", query=UserListQuery, answer=UserList)
def list_users(query: UserListQuery) -> Answer:
    """List users."""
    page = admin.page_of_users(operation(), **query.given())
    roles = roles_of(operation(), page.rows)
    return listed(page, lambda user: user_document(user, roles.get(user.id, "")))


@users.post("/users", "users:write", body=NewUser, answer=InvitedDocument, status=201)
def invite_user(body: NewUser) -> Answer:
    """Invite somebody. They set their password by a link, which is mailed to them; without mail it is in this answer alone."""
    given = body.given()
    email = given.pop("email")
    with placing(_places(given)):
        invitation = admin.invite_user(operation(), email, _flat(given))
    user = invitation.user
    secret = {} if invitation.link is None else {"link": invitation.link}
    return created(user_document(user), ("users", user.subject), user.version, secret)


@users.get("/users/<user_id>", "users:read", answer=UserDocument)
def get_user(user_id: str) -> Answer:
    """Get a user."""
    return _found(_get(user_id))


@users.patch("/users/<user_id>", "users:write", body=UserChanges, answer=UserDocument, conditional=True)
def change_user(user_id: str, body: UserChanges, expected: Expected) -> Answer:
    """Change a user by a JSON Merge Patch (RFC 7396); null removes a claim or an attribute."""
    user, patch = _get(user_id), body.given()
    expected.check(user)
    enabled = patch.pop("enabled", user.is_enabled)
    return _found(_enable(_change(user, patch), enabled))


@users.delete("/users/<user_id>", "users:write", status=204, conditional=True)
def delete_user(user_id: str, expected: Expected) -> Answer:
    """Delete a user with all that belongs to them. Nothing brings them back, and their id is never used again."""
    admin.delete_user(operation(), user_id, version=expected.check(_get(user_id)))
    return done()


@users.put("/users/<user_id>/role", "roles:write", body=NewRole, answer=UserDocument, fresh=True)
def set_user_role(user_id: str, body: NewRole) -> Answer:
    """Give a user an admin role in the place of the one before, or take it away. Nobody gives a role above their own."""
    return _found(admin.set_role(operation(), _get(user_id).subject, body.role))


@users.post("/users/<user_id>/password-reset", "users:write", status=202)
def start_password_reset(user_id: str) -> Answer:
    """Mail a user the link by which they set a new password."""
    admin.start_password_reset(operation(), _get(user_id).subject)
    return Answer(status=202)


def _get(user_id: str) -> User:
    """Return a user by id alone: addresses belong into bodies and filters, not into paths, which are logged."""
    if read_id(user_id) is None:
        raise NotFound("there is no user of that id")
    return admin.get_user(operation(), user_id)


def _found(user: User) -> Answer:
    return found(user_document(user, role_of(operation(), user.id)), user.version)


def _change(user: User, patch: dict[str, Any]) -> User:
    if not patch:
        return user
    changes = merge_patch.changes(user_document(user), patch)
    nested = {group: {name: changes[group].get(name) for name in patch[group]} for group in GROUPS if group in patch}
    with placing(_places(patch)):
        return admin.change_user(operation(), user.subject, _flat({**changes, **nested}), version=user.version)


def _enable(user: User, enabled: bool) -> User:
    if enabled == user.is_enabled:
        return user
    switch = admin.enable_user if enabled else admin.disable_user
    return switch(operation(), user.subject, version=user.version)


def _flat(members: dict[str, Any]) -> Described:
    """Put claims and attributes side by side, as admin/ takes them. Raises Refused for a name that is in the wrong one."""
    claims, attributes = members.pop("claims", {}), members.pop("attributes", {})
    _refuse("claims", "is not a standard claim: it may be an attribute", (name for name in claims if name not in CLAIMS))
    _refuse("attributes", "is not an attribute", (name for name in attributes if name in ELSEWHERE))
    return {**members, **claims, **attributes}


def _refuse(group: str, why: str, names: Iterable[str]) -> None:
    faults = [Fault(why, pointer=point(group, name)) for name in names]
    if faults:
        raise Refused("invalid", faults=faults)


def _places(members: dict[str, Any]) -> dict[str, Place]:
    return {name: (group, name) for group in GROUPS for name in members.get(group, {})}
