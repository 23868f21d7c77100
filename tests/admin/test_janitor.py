"""The janitor's round: expired rows go, keys that are due come."""

import pytest
from sqlalchemy import func, insert, select

from authserver.admin import janitor
from authserver.admin.janitor import sweep
from authserver.store import metadata
from authserver.store.base import transaction
from authserver.store.replay import spent
from authserver.store.signing_key import list_keys
from tests.factories import API, make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty


def sizes(runtime):
    with transaction(runtime.engine) as db:
        return {table.name: db.execute(select(func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables}


@pytest.mark.databases
def test_what_has_expired_goes_and_what_lives_stays(runtime, http, clock):
    make_resource_server(runtime, token_format="opaque")
    person, made = make_user(runtime), make_client(runtime, "web", apis=[API])
    rp = RelyingParty(http, made, clock=clock)
    rp.sign_in(person, scope="openid offline_access", resource=API)
    rp.authorize(person)
    kept = sizes(runtime)
    assert sum(sweep(runtime).values()) == 0
    assert sizes(runtime) == kept
    clock.advance(days=100)
    deleted = sweep(runtime)
    left = sizes(runtime)
    for table in ("authorization_codes", "authorization_requests", "access_tokens", "browser_sessions", "grants", "audit_events"):
        assert deleted[table] == kept[table] > 0, table
        assert left[table] == 0, table
    for table in ("users", "clients", "consents", "passwords", "resource_servers", "client_secrets"):
        assert left[table] == kept[table], table


def test_it_goes_on_until_nothing_is_left(runtime, clock, monkeypatch):
    monkeypatch.setattr(janitor, "ROWS_AT_ONCE", 10)
    with transaction(runtime.engine) as db:
        for number in range(35):
            db.execute(insert(spent).values(digest=number.to_bytes(32, "big"), expires_at=clock.now()))
    clock.advance(seconds=1)
    assert sweep(runtime)["spent"] == 35


def test_keys_that_are_due_are_announced(runtime, clock):
    clock.advance(days=90)
    sweep(runtime)
    with transaction(runtime.engine) as db:
        assert {key.alg: key.number for key in list_keys(db)} == dict.fromkeys(("ES256", "Ed25519", "PS256", "RS256", "refresh"), 2)
