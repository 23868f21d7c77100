"""Keys rotate by time, with many processes at once, and are served from memory when the database is down."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from authserver.crypto.key_ring import REFRESH, state
from authserver.crypto.sealing import SealBroken
from authserver.oauth.signing_keys import announce_successor, ensure_keys, key_ring, load_ring, signing_key
from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.signing_key import list_keys
from tests.clock import Clock
from tests.factories import API, make_client, make_resource_server, make_settings, make_test_runtime
from tests.http_client import InProcess
from tests.relying_party import RelyingParty


def kids(http: InProcess) -> list[str]:
    return [key["kid"] for key in http.get("/.well-known/jwks.json").json["keys"]]


@pytest.fixture
def service(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    make_resource_server(runtime, signing_alg="ES256")
    return RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)


def test_a_successor_is_announced_before_it_signs_and_the_old_key_stays_published(
    service: RelyingParty, http: InProcess, clock: Clock, runtime: Runtime
) -> None:
    import jwt

    def signed_by() -> str:
        return str(jwt.get_unverified_header(service.client_credentials().json["access_token"])["kid"])

    first = signed_by()
    clock.advance(days=90, hours=-2, minutes=-29)
    assert signed_by() == first
    announced = [kid for kid in kids(http) if kid.startswith("es256-2-")]
    assert announced, "the first request after the boundary makes the next key"
    clock.advance(hours=2, minutes=28)
    assert signed_by() == first
    clock.advance(minutes=2)
    assert signed_by() == announced[0]
    assert first in kids(http)
    clock.advance(hours=3, minutes=20)
    assert first in kids(http)
    clock.advance(hours=1)
    assert first not in kids(http)


def test_many_processes_make_one_successor(runtime: Runtime, clock: Clock) -> None:
    others = [make_test_runtime(runtime.settings, clock) for _ in range(3)]
    with transaction(runtime.engine) as db:
        signing_key(runtime, db, "ES256", clock.now())
    clock.advance(days=89, hours=23)
    for one in (runtime, *others):
        with transaction(one.engine) as db:
            signing_key(one, db, "ES256", clock.now())
    with transaction(runtime.engine) as db:
        assert [key.number for key in list_keys(db) if key.alg == "ES256"] == [1, 2]
        stored = [key for key in list_keys(db) if key.alg == "ES256"]
        assert not announce_successor(runtime, db, stored[0], clock.now()), "the number is taken"
    for one in others:
        one.engine.dispose()


def test_an_idle_server_still_signs_after_a_long_time(service: RelyingParty, clock: Clock) -> None:
    clock.advance(days=400)
    token = service.client_credentials().json["access_token"]
    service.verify(token, audience=API)


def test_keys_that_are_there_are_not_made_again(runtime: Runtime, clock: Clock) -> None:
    with transaction(runtime.engine) as db:
        before = len(list_keys(db))
        ensure_keys(runtime, db, ("ES256", REFRESH), clock.now())
        assert len(list_keys(db)) == before


def test_a_refresh_key_outlives_every_family(runtime: Runtime, clock: Clock) -> None:
    clock.advance(days=90)
    with transaction(runtime.engine) as db:
        signing_key(runtime, db, REFRESH, clock.now())
        ring = load_ring(runtime, db)
    keys = [key for key in ring.keys if key.alg == REFRESH]
    assert state(keys[0], keys, clock.now() + timedelta(days=89)) == "retired"
    assert all(key["alg"] != REFRESH for key in ring.published(clock.now()))


def test_the_ring_is_served_from_memory_with_the_database_down(runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction(runtime.engine) as db:
        loaded = key_ring(runtime, db)

    def down(*_arguments: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("down"))

    clock.advance(minutes=5)
    monkeypatch.setattr(Database, "execute", down)
    assert key_ring(runtime, Database(runtime.engine)) is loaded
    runtime.caches.key_ring.clear()
    with pytest.raises(OperationalError):
        key_ring(runtime, Database(runtime.engine))


def test_a_ring_is_not_parsed_again_and_a_wrong_secret_key_is_told(runtime: Runtime, clock: Clock) -> None:
    with transaction(runtime.engine) as db:
        one, two = load_ring(runtime, db), load_ring(runtime, db)
    assert all(before is after for before, after in zip(one.keys, two.keys, strict=True))
    other = make_test_runtime(make_settings(database_url=runtime.settings.database_url, secret_key=("B" * 43,)), clock)
    with transaction(other.engine) as db, pytest.raises(SealBroken, match="AUTHSERVER_SECRET_KEY"):
        load_ring(other, db)
    other.engine.dispose()


def test_a_key_that_signs_only_later_is_no_signing_key(runtime: Runtime, clock: Clock) -> None:
    with transaction(runtime.engine) as db, pytest.raises(LookupError):
        signing_key(runtime, db, "ES256", clock.now() - timedelta(days=1))


def test_the_first_key_of_a_process_whose_clock_is_ahead_signs_at_once(runtime: Runtime, clock: Clock) -> None:
    with transaction(runtime.engine) as db:
        made = next(key for key in list_keys(db) if key.alg == "ES256")
        assert signing_key(runtime, db, "ES256", clock.now() - timedelta(seconds=1)).kid == made.kid


def test_a_token_of_another_processs_new_key_is_known_at_once(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    from authserver.app import create_app

    other_runtime = make_test_runtime(runtime.settings, clock)
    other = RelyingParty(InProcess(create_app(other_runtime), service.issuer), service.made, clock=clock)
    assert other.client_credentials().status == 200, "both have loaded the ring"
    with transaction(runtime.engine) as db:
        newest = [key for key in list_keys(db) if key.alg == "ES256"][-1]
        announce_successor(runtime, db, newest, clock.now())
    runtime.caches.key_ring.clear()
    token = service.client_credentials().json["access_token"]
    assert other.is_active(token)
    for _ in range(2):
        assert not other.is_active(token.replace(".", ".x", 1))
    other_runtime.engine.dispose()


@pytest.mark.spec("RFC 9068", "4")
def test_a_token_of_ours_with_a_foreign_issuer_or_shape_is_refused(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    from authserver.crypto import jose

    with transaction(runtime.engine) as db:
        key = signing_key(runtime, db, "ES256", clock.now())
    assert not isinstance(key.secret, bytes)
    good = {**service.verify(service.client_credentials().json["access_token"], audience=API)}

    def signed(typ: str = "at+jwt", header: dict[str, str] | None = None, **changes: Any) -> str:
        return jose.sign(key.secret, {"typ": typ, **key.header, **(header or {})}, {**good, **changes})  # type: ignore[arg-type]

    assert service.is_active(signed())
    assert service.is_active(signed(typ="application/at+jwt"))
    assert not service.is_active(signed(iss="https://evil.example"))
    assert not service.is_active(signed(typ="JWT"))
    assert not service.is_active(signed(exp=clock.timestamp()))
    assert not service.is_active(signed(grant_id="nonsense"))
    assert not service.is_active(signed(client_id="nobody"))
    assert not service.is_active(jose.sign(key.secret, {"alg": "ES256", "typ": "at+jwt"}, good))


def test_an_id_token_hint_must_be_an_id_token(service: RelyingParty, runtime: Runtime, clock: Clock) -> None:
    from authserver.crypto import jose
    from authserver.crypto.jose import TokenRefused
    from authserver.oidc.id_token import read_hint
    from authserver.specs import authorization_server

    with transaction(runtime.engine) as db:
        server = authorization_server(runtime, db)
        key = server.signing_key("ES256")
        assert not isinstance(key.secret, bytes)
        for claims in ({"sub": 5, "aud": "a", "sid": "s"}, {"sub": "a", "aud": ["a"], "sid": "s"}, {"sub": "a", "aud": "a"}):
            token = jose.sign(key.secret, {"typ": "JWT", **key.header}, {"iss": server.issuer, **claims})
            with pytest.raises(TokenRefused):
                read_hint(server, token)
