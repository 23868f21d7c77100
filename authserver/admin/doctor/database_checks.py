"""The database: that it answers, its tables, and the keys that sign (RFC 7517, NIST SP 800-57 part 1 section 5.3)."""

from collections.abc import Iterator

from authserver.admin.doctor.finding import Part, Seen, error, warning
from authserver.admin.doctor.inspection import Inspection, NoDatabase
from authserver.crypto.sealing import SealBroken, is_current, unseal
from authserver.oauth.signing_keys import CLOCKS_DIFFER
from authserver.runtime.settings import format_duration
from authserver.store.schema import HEAD

DATABASE = Part("The database and its keys")


@DATABASE.check("database.answers", "AUTHSERVER_DATABASE_URL; then authserver db upgrade where the database is new")
def answers(found: Inspection) -> Iterator[Seen]:
    """The database answers (authserver: AUTHSERVER_DATABASE_URL)."""
    try:
        found.revision  # noqa: B018 - asking for it is what connects
    except NoDatabase as fault:
        yield error(str(fault))


@DATABASE.check("database.tables", "authserver db upgrade")
def tables(found: Inspection) -> Iterator[Seen]:
    """The tables are as this version needs them (authserver: db upgrade)."""
    if found.revision < HEAD:
        yield error(f"the tables are at {found.revision or 'no revision'}, expected {HEAD}")


@DATABASE.check("keys.open", "AUTHSERVER_SECRET_KEY: put back the key that sealed them, behind the current one")
def keys_open(found: Inspection) -> Iterator[Seen]:
    """AUTHSERVER_SECRET_KEY opens every key, and its first one sealed them all (NIST SP 800-57 part 1 section 8)."""
    if not found.settings.secret_key:
        yield error("AUTHSERVER_SECRET_KEY is not set, so that no key can be made or opened")
        return
    for key in found.keys:
        try:
            unseal(found.runtime.keys, f"signing key {key.kid}", key.sealed)
        except (SealBroken, LookupError) as fault:
            yield error(str(fault), key.kid)
        else:
            if not is_current(found.runtime.keys, key.sealed):
                why = "sealed under a secret key that is not the first of AUTHSERVER_SECRET_KEY, and that cannot be left out before"
                yield warning(why, key.kid, "authserver keys reseal")


@DATABASE.check("keys.age", "authserver janitor, every hour")
def keys_age(found: Inspection) -> Iterator[Seen]:
    """No key signs for longer than its life, and its successor is announced in time (NIST SP 800-57 part 1 section 5.3.6)."""
    lifetime, announced = found.settings.signing_key_lifetime, found.settings.signing_key_announcement
    for newest in {key.alg: key for key in found.keys}.values():
        ends = newest.signs_at + lifetime
        if found.now >= ends:
            yield error(f"has signed since {newest.signs_at:%Y-%m-%d}, expected for {format_duration(lifetime)} at most", newest.kid)
        elif found.now + announced >= ends:
            yield warning(f"signs until {ends:%Y-%m-%d %H:%M} UTC, and no successor is announced yet", newest.kid)


@DATABASE.check("clock.processes", "let the clocks of all machines be set by NTP")
def clock_processes(found: Inspection) -> Iterator[Seen]:
    """No process's clock is ahead of this one (RFC 7519 section 4.1.4)."""
    for key in found.keys:
        if key.created_at > found.now + CLOCKS_DIFFER:
            yield warning(f"was made at {key.created_at:%Y-%m-%d %H:%M:%S} UTC, which is yet to come by this machine's clock", key.kid)
