"""Roles: what each may do, and nobody acting on an equal or higher one."""

import pytest

from authserver.admin.authority import GRANTED, PERMISSIONS, ROLES, Authority, of_role, of_scopes, rank_of
from authserver.admin.errors import Conflict, Forbidden, Invalid
from authserver.admin.operation import Operation
from authserver.admin.roles import give_role, holders, role_of
from authserver.admin.sessions import end_user_sessions
from authserver.admin.users import change_user, delete_user, disable_user, set_role, start_password_reset
from authserver.store.base import transaction
from tests.factories import make_user


def test_roles_rise_and_the_owner_may_do_everything():
    assert ROLES == ("auditor", "support", "admin", "owner")
    assert GRANTED["owner"] == set(PERMISSIONS)
    assert all(permission.endswith(":read") for permission in GRANTED["auditor"])
    assert not {"keys:read", "keys:write", "clients:write", "roles:write"} & GRANTED["support"]
    assert not {"users:write", "keys:write", "sessions:write", "roles:write"} & GRANTED["admin"]


@pytest.mark.parametrize(
    ("scopes", "rank"),
    [
        ("", 0),
        ("clients:read", 0),
        ("users:write", 0),
        (" ".join(sorted(GRANTED["support"])), 2),
        (" ".join(sorted(GRANTED["auditor"] | {"unknown"})), 1),
        (" ".join(PERMISSIONS), 4),
    ],
)
def test_a_client_stands_as_high_as_the_role_that_its_scopes_make_up(scopes, rank):
    assert of_scopes("client:x", scopes.split()).rank == rank


@pytest.mark.parametrize("target", ROLES)
@pytest.mark.parametrize("actor", ROLES)
@pytest.mark.parametrize("act_on", [disable_user, delete_user, lambda op, named: change_user(op, named, {"name": "X"}), end_user_sessions])
def test_nobody_acts_on_somebody_of_an_equal_or_higher_role(runtime, actor, target, act_on):
    person, owner = make_user(runtime), make_user(runtime)
    with transaction(runtime.engine) as db:
        give_role(Operation(db, runtime), person.user, target)
        give_role(Operation(db, runtime), owner.user, "owner")
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime, of_role("somebody@example.com", actor))
        if rank_of(actor) > rank_of(target):
            act_on(operation, person.email)
        elif act_on is end_user_sessions:
            assert act_on(operation, person.email) == 0  # there is none to end
        else:
            with pytest.raises(Forbidden):
                act_on(operation, person.email)


def test_a_role_is_given_changed_and_taken_away(act, runtime, events):
    person, other = make_user(runtime), make_user(runtime)
    act(set_role, other.email, "owner")
    act(set_role, person.email, "support")
    assert act(lambda op: role_of(op, person.user.id)) == "support"
    act(set_role, person.email, "admin")
    assert act(lambda op: holders(op, "admin")) == [person.subject]
    act(set_role, person.email, None)
    assert act(lambda op: role_of(op, person.user.id)) == ""
    details = [event.details for event in events("user.set_role") if event.subject == person.subject]
    assert {"before": {"role": "admin"}, "after": {"role": None}} in details
    assert len(details) == 3


def test_what_is_no_role_is_refused(act, runtime):
    with pytest.raises(Invalid, match="one of auditor, support, admin, owner"):
        act(set_role, make_user(runtime).email, "god")


def test_the_only_owner_stays(act, runtime):
    person = make_user(runtime)
    act(set_role, person.email, "owner")
    with pytest.raises(Conflict, match="only owner"):
        act(set_role, person.email, "admin")


def test_nobody_gives_a_role_above_their_own(runtime):
    person = make_user(runtime)
    with transaction(runtime.engine) as db, pytest.raises(Forbidden):
        give_role(Operation(db, runtime, Authority("x", frozenset(PERMISSIONS), 3)), person.user, "owner")


def test_a_reset_needs_mail_and_a_higher_role(act, runtime):
    person = make_user(runtime)
    with pytest.raises(Conflict, match="AUTHSERVER_SMTP_URL"):
        act(start_password_reset, person.email)
    act(set_role, person.email, "owner")
    with transaction(runtime.engine) as db, pytest.raises(Forbidden):
        start_password_reset(Operation(db, runtime, of_role("x", "support")), person.email)
