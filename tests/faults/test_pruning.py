"""Tables stay as large as what is alive: 10,000 sign-ins and refreshes over 30 days of a moved clock."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from authserver.admin.janitor import sweep
from authserver.store import metadata
from authserver.store.base import transaction
from authserver.store.upkeep import EXPIRIES
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty

DAYS = 30
ROUNDS = 1000
REFRESHES = 9
PEOPLE = 40
SPAN = timedelta(days=DAYS) / ROUNDS

pytestmark = pytest.mark.slow


def sizes(runtime) -> dict[str, tuple[int, int]]:
    """How many rows each table has, and how many of them have ended."""
    expiries = {table.name: column for table, column in EXPIRIES}
    with transaction(runtime.engine) as db:
        found = {}
        for table in metadata.sorted_tables:
            everything = db.execute(select(func.count()).select_from(table)).scalar_one()
            ended = 0
            if table.name in expiries:
                ended = db.execute(select(func.count()).select_from(table).where(expiries[table.name] < runtime.now())).scalar_one()
            found[table.name] = (everything, ended)
    return found


@pytest.mark.usefixtures("untraced")
@pytest.mark.settings(audit_lifetime=timedelta(days=5))
def test_tables_hold_what_lives_and_one_pruning_window(runtime, http, clock):
    made = make_client(runtime, "spa", consent="skipped", id_token_signed_response_alg="ES256")
    people = [make_user(runtime) for _ in range(PEOPLE)]
    for number in range(ROUNDS):
        rp = RelyingParty(http.fresh(), made, clock=clock)
        tokens = rp.sign_in(people[number % PEOPLE], scope="openid offline_access" if number % 2 else "openid")
        for _ in range(REFRESHES):
            tokens = rp.refresh(tokens["refresh_token"]).json
        match number % 4:
            case 0:
                rp.revoke(tokens["access_token"])
            case 1:
                rp.refresh("not.a.refresh.token")
            case 2:
                rp.http.get("/oidc/logout?" + urlencode({"id_token_hint": tokens["id_token"]}))
        clock.advance(seconds=SPAN.total_seconds())
    before = sizes(runtime)
    window = 60
    assert {name: ended for name, (_, ended) in before.items() if ended > window} == {}
    sweep(runtime)
    after = sizes(runtime)
    assert {name: ended for name, (_, ended) in after.items() if ended} == {}
    assert_bounded(after)


def assert_bounded(after):
    """What lives is bounded by how long it lives, not by how much there was."""
    a_day = ROUNDS // DAYS
    most = {
        "users": PEOPLE,
        "passwords": PEOPLE,
        "consents": PEOPLE,
        "clients": 1,
        "client_secrets": 0,
        "client_origins": 1,
        "authorization_codes": a_day,
        "authorization_requests": a_day,
        "browser_sessions": a_day,
        "grants": 2 * a_day,
        "revoked_tokens": a_day,
        "audit_events": 6 * 6 * a_day,
        "rate_limits": 4 * PEOPLE,
        "spent": 0,
    }
    assert {name: (rows, most[name]) for name, (rows, _) in after.items() if name in most and rows > most[name]} == {}
