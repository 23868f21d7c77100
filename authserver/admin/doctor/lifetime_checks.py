"""Lifetimes: of tokens, codes and keys, by the settings, and how they fit together (RFC 9700, RFC 6749, FAPI 2.0 Security Profile)."""

from collections.abc import Iterator
from datetime import timedelta

from authserver.admin.doctor.finding import Seen, check, error, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.runtime.settings import format_duration

LONGEST_ACCESS_TOKEN = timedelta(hours=1)
LONGEST_ID_TOKEN = timedelta(hours=24)
USUAL_CODE, LONGEST_CODE = timedelta(seconds=60), timedelta(minutes=10)
AWS_CACHES = timedelta(hours=2)


@check(
    "settings.access_token_lifetime",
    holds="Access tokens live for an hour at most",
    section="RFC 9700 section 4.10; RFC 9068 section 5",
    fix="AUTHSERVER_ACCESS_TOKEN_LIFETIME=10m",
)
def access_token_lifetime(found: Inspection) -> Iterator[Seen]:
    """Whoever verifies them by their signature does not hear of a revocation."""
    yield from _longer(found.settings.access_token_lifetime, LONGEST_ACCESS_TOKEN, "AUTHSERVER_ACCESS_TOKEN_LIFETIME")


@check(
    "settings.id_token_lifetime",
    holds="ID tokens live for a day at most",
    section="OpenID Connect Core 1.0 section 2",
    fix="AUTHSERVER_ID_TOKEN_LIFETIME=1h",
)
def id_token_lifetime(found: Inspection) -> Iterator[Seen]:
    """They say that somebody has just signed in."""
    yield from _longer(found.settings.id_token_lifetime, LONGEST_ID_TOKEN, "AUTHSERVER_ID_TOKEN_LIFETIME")


@check(
    "settings.code_lifetime",
    holds="Authorization codes live for a minute at most",
    section="RFC 6749 section 4.1.2; FAPI 2.0 Security Profile section 5.3.2.1",
    fix="AUTHSERVER_AUTHORIZATION_CODE_LIFETIME=60",
)
def code_lifetime(found: Inspection) -> Iterator[Seen]:
    """More than ten minutes are an error."""
    lifetime = found.settings.authorization_code_lifetime
    say = error if lifetime > LONGEST_CODE else warning
    if lifetime > USUAL_CODE:
        yield say(f"AUTHSERVER_AUTHORIZATION_CODE_LIFETIME is {format_duration(lifetime)}, expected at most {format_duration(USUAL_CODE)}")


@check(
    "settings.refresh_token_leeway",
    holds="A client that lost the answer to a refresh may repeat it",
    section="FAPI 2.0 Security Profile section 5.3.2.1; RFC 9700 section 4.14.2",
    fix="AUTHSERVER_REFRESH_TOKEN_LEEWAY=30",
)
def refresh_token_leeway(found: Inspection) -> Iterator[Seen]:
    """It then gets the same successor, so that nothing is given away."""
    if not found.settings.refresh_token_leeway:
        yield warning(
            "AUTHSERVER_REFRESH_TOKEN_LEEWAY is 0: a client whose network drops an answer looks like a thief, and its user is signed out"
        )


@check(
    "settings.refresh_lifetimes",
    holds="A refresh token's idle life is shorter than its whole life",
    section="RFC 9700 section 4.14.2",
    fix="AUTHSERVER_REFRESH_TOKEN_IDLE_LIFETIME",
)
def refresh_lifetimes(found: Inspection) -> Iterator[Seen]:
    """Else nothing ends when it is not used."""
    idle, whole = found.settings.refresh_token_idle_lifetime, found.settings.refresh_token_lifetime
    if idle >= whole:
        yield warning(
            f"unused refresh tokens live for {format_duration(idle)}, used ones for {format_duration(whole)}: expected less when unused"
        )


@check(
    "settings.announcement",
    holds="A new key is published for two hours and more before it signs",
    section="API Gateway Developer Guide, JWT authorizers for HTTP APIs; RFC 7517 section 5",
    fix="AUTHSERVER_SIGNING_KEY_ANNOUNCEMENT=9000",
)
def announcement(found: Inspection) -> Iterator[Seen]:
    """AWS caches keys for as long."""
    announced = found.settings.signing_key_announcement
    if announced < AWS_CACHES:
        say = error if found.aws else warning
        yield say(
            f"AUTHSERVER_SIGNING_KEY_ANNOUNCEMENT is {format_duration(announced)}, expected at least 2h: "
            "API Gateway caches keys for two hours and refuses tokens of a key that it does not know"
        )


@check(
    "settings.key_cache",
    holds="Every process knows a new key before it signs",
    section="RFC 7517 section 5",
    fix="AUTHSERVER_KEY_RING_CACHE_LIFETIME=60",
)
def key_cache(found: Inspection) -> Iterator[Seen]:
    """The copy of the keys that a process keeps must be younger than an announcement."""
    kept, announced = found.settings.key_ring_cache_lifetime, found.settings.signing_key_announcement
    if kept >= announced:
        yield error(
            f"processes keep their copy of the keys for {format_duration(kept)}, an announcement lasts {format_duration(announced)}"
        )


def _longer(lifetime: timedelta, most: timedelta, name: str) -> Iterator[Seen]:
    if lifetime > most:
        yield warning(f"{name} is {format_duration(lifetime)}, expected at most {format_duration(most)}")


CHECKS = (access_token_lifetime, id_token_lifetime, code_lifetime, refresh_token_leeway, refresh_lifetimes, announcement, key_cache)
