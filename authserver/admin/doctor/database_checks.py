"""The database: that it answers, its tables, and the keys that sign (RFC 7517, NIST SP 800-57 part 1 section 5.3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from authserver.admin.doctor.finding import NotSeen, Seen, check, error, skipped, warning
from authserver.admin.doctor.inspection import Inspection, NoDatabase, keys_of
from authserver.crypto.sealing import SealBroken, is_current, unseal
from authserver.runtime.settings import format_duration
from authserver.store.schema import HEAD
from authserver.store.signing_key import SigningKey

AWS_CACHES = timedelta(hours=2)
CLOCKS_DIFFER = timedelta(minutes=1)


@check(
    "database.answers",
    holds="The database answers",
    section="authserver: AUTHSERVER_DATABASE_URL",
    fix="AUTHSERVER_DATABASE_URL; then authserver db upgrade where the database is new",
)
def database_answers(found: Inspection) -> Iterator[Seen]:
    """Asked for its revision."""
    try:
        found.revision  # noqa: B018
    except NoDatabase as fault:
        yield error(str(fault))


@check(
    "database.tables",
    holds="The tables are as this version needs them",
    section="authserver: db upgrade",
    fix="authserver db upgrade",
)
def database_tables(found: Inspection) -> Iterator[Seen]:
    """A newer schema serves an older program as well."""
    if found.revision < HEAD:
        yield error(f"the tables are at {found.revision or 'no revision'}, expected {HEAD}")


@check(
    "database.shared",
    holds="All processes use one database",
    section="authserver: AUTHSERVER_DATABASE_URL",
    fix="AUTHSERVER_DATABASE_URL=postgresql://… or mysql://…",
)
def database_shared(found: Inspection) -> Iterator[Seen]:
    """SQLite is a file of one machine, which Lambda has not."""
    if found.runtime.engine.dialect.name != "sqlite":
        return
    if found.aws:
        yield error("the database is SQLite, which Lambda cannot keep: codes, sessions and keys would be lost with each container")
    else:
        yield skipped("whether all processes see the same SQLite file, on a disk of their own machine, cannot be seen from here")


@check(
    "keys.open",
    holds="AUTHSERVER_SECRET_KEY opens every key",
    section="NIST SP 800-57 part 1 section 8",
    fix="AUTHSERVER_SECRET_KEY: put back the key that sealed them, behind the current one",
)
def keys_open(found: Inspection) -> Iterator[Seen]:
    """Without it the server does not start."""
    for key in found.keys:
        if fault := _seal_fault(found, key):
            yield error(fault, key.kid)


@check(
    "keys.resealed",
    holds="Every key is sealed under the current secret key",
    section="NIST SP 800-57 part 1 section 8",
    fix="authserver keys reseal",
)
def keys_resealed(found: Inspection) -> Iterator[Seen]:
    """An older secret key cannot be left out before."""
    for key in found.keys:
        if not _seal_fault(found, key) and not is_current(found.runtime.keys, key.sealed):
            yield warning("sealed under a secret key that is not the first of AUTHSERVER_SECRET_KEY", key.kid)


@check(
    "keys.age",
    holds="No key signs for longer than its life, and its successor is announced in time",
    section="NIST SP 800-57 part 1 section 5.3.6; RFC 9700 section 4.10",
    fix="authserver janitor, every hour",
)
def keys_age(found: Inspection) -> Iterator[Seen]:
    """Any request makes the next key when it is due, so that it is overdue only where none comes, or none can be made."""
    settings, now = found.settings, found.now
    for current in _signing(found.keys, now):
        ends = current.signs_at + settings.signing_key_lifetime
        if keys_of(found.keys, current.alg)[-1] is not current:
            continue
        if now >= ends:
            yield error(
                f"has signed since {current.signs_at:%Y-%m-%d}, expected {_days(settings.signing_key_lifetime)} at most", current.kid
            )
        elif now + settings.signing_key_announcement >= ends:
            yield warning(f"signs until {ends:%Y-%m-%d %H:%M} UTC, and no successor is announced yet", current.kid)


@check(
    "keys.announced",
    holds="Every announced key is published for two hours before it signs",
    section="API Gateway Developer Guide, JWT authorizers for HTTP APIs; RFC 7517 section 5",
    fix="AUTHSERVER_SIGNING_KEY_ANNOUNCEMENT=9000, then authserver keys rotate --announce",
)
def keys_announced(found: Inspection) -> Iterator[Seen]:
    """Verifiers that cache keys would refuse what it signs."""
    for key in found.keys:
        span = key.signs_at - key.created_at
        if key.public and key.signs_at > found.now and span < AWS_CACHES:
            yield warning(f"signs {format_duration(span)} after it was made, expected at least 2h", key.kid)


@check(
    "keys.retained",
    holds="A key that stopped signing is published until what it signed has expired, and two hours of caches more",
    section="RFC 9700 section 4.10; API Gateway Developer Guide, JWT authorizers for HTTP APIs",
    fix="shorten the lifetime of APIs and tokens again until then: nothing brings a removed key back",
)
def keys_retained(found: Inspection) -> Iterator[Seen]:
    """A lifetime that was raised since then outlives it."""
    for key in found.keys:
        ended = min((other.signs_at for other in keys_of(found.keys, key.alg) if other.signs_at > key.signs_at), default=None)
        needed = found.retention(key.alg) + (AWS_CACHES if key.public else timedelta(0))
        if ended is not None and key.removed_at is not None and key.removed_at - ended < needed:
            kept = format_duration(key.removed_at - ended)
            yield warning(f"is removed {kept} after it stopped signing, expected {format_duration(needed)}", key.kid)


@check(
    "clock.processes",
    holds="No process's clock is ahead of this one",
    section="RFC 7519 section 4.1.4",
    fix="let the clocks of all machines be set by NTP",
)
def clock_processes(found: Inspection) -> Iterator[Seen]:
    """Seen by what processes have written: the database's own clock is used for nothing."""
    for key in found.keys:
        if key.created_at > found.now + CLOCKS_DIFFER:
            yield warning(f"was made at {key.created_at:%Y-%m-%d %H:%M:%S} UTC, which is yet to come by this machine's clock", key.kid)


def _signing(keys: list[SigningKey], now: datetime) -> Iterator[SigningKey]:
    """Yield the key of each algorithm that signs now."""
    for alg in sorted({key.alg for key in keys}):
        ready = [key for key in keys_of(keys, alg) if key.signs_at <= now]
        yield from ready[-1:]


def _seal_fault(found: Inspection, key: SigningKey) -> str:
    if not found.settings.secret_key:
        raise NotSeen("AUTHSERVER_SECRET_KEY is not set")
    try:
        unseal(found.runtime.keys, f"signing key {key.kid}", key.sealed)
    except (SealBroken, LookupError) as fault:
        return str(fault)
    return ""


def _days(span: timedelta) -> str:
    return f"{span.days} days" if span.days else format_duration(span)


CHECKS = (
    *(database_answers, database_tables, database_shared),
    *(keys_open, keys_resealed, keys_age, keys_announced, keys_retained, clock_processes),
)
