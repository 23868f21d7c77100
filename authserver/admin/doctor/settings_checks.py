"""The settings, against what specifications advise and what their combination means (RFC 9700, RFC 6749, FAPI 2.0, ASVS 5.0)."""

from collections.abc import Iterator
from datetime import timedelta

from authserver.admin.doctor.finding import Part, Seen, error, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import form_faults
from authserver.runtime.settings import PREFIX, format_duration

READING, SETTINGS, LIFETIMES = Part("Reading the settings"), Part("The settings"), Part("Lifetimes")
LONGEST_ACCESS_TOKEN = timedelta(hours=1)
AWS_CACHES = timedelta(hours=2)


@READING.check("settings.valid", "change the setting that the reason names; authserver config show tells where each comes from")
def valid(refusal: str) -> Iterator[Seen]:
    """The settings can be read (authserver: config show)."""
    if refusal:
        yield error(refusal)


@SETTINGS.check("settings.issuer", "AUTHSERVER_ISSUER")
def issuer(found: Inspection) -> Iterator[Seen]:
    """AUTHSERVER_ISSUER is written as it compares (RFC 8414 section 2; OpenID Connect Discovery 1.0 section 4.3)."""
    return form_faults(found.issuer)


@SETTINGS.check("settings.dev", "unset AUTHSERVER_DEV")
def dev(found: Inspection) -> Iterator[Seen]:
    """Neither these settings nor their secret key are of authserver dev (authserver: authserver serve)."""
    if found.settings.dev:
        say = warning if found.settings.is_loopback else error
        yield say("AUTHSERVER_DEV is true, which is for a laptop alone: users with known passwords, and a demo that shows tokens")
    elif any(key.startswith("dev_") for key in found.settings.secret_key):
        fix = "AUTHSERVER_SECRET_KEY_FILE: make a key with openssl rand -base64 32, put it first, then authserver keys reseal"
        yield error("AUTHSERVER_SECRET_KEY has a key that authserver dev made, which lies in a folder of somebody's laptop", fix=fix)


@SETTINGS.check("settings.log_level", "AUTHSERVER_LOG_LEVEL=INFO")
def log_level(found: Inspection) -> Iterator[Seen]:
    """Logs are not at DEBUG (OWASP ASVS 5.0 section 13.4.2)."""
    if found.settings.log_level.upper() == "DEBUG":
        yield warning("AUTHSERVER_LOG_LEVEL is DEBUG, where libraries log statements and headers")


@SETTINGS.check("settings.mail", "AUTHSERVER_SMTP_URL and AUTHSERVER_MAIL_FROM")
def mail(found: Inspection) -> Iterator[Seen]:
    """Invitations and password resets can be mailed (OWASP ASVS 5.0 section 6.4.3)."""
    if not found.settings.is_loopback and "protocol" in found.settings.components and not found.settings.smtp_url:
        yield warning("AUTHSERVER_SMTP_URL is not set: links of invitations and password resets are shown to administrators, not mailed")


@SETTINGS.check("settings.proxies", "AUTHSERVER_TRUSTED_PROXIES: the number of proxies in front that set X-Forwarded-For")
def proxies(found: Inspection) -> Iterator[Seen]:
    """The number of proxies fits the issuer (RFC 9700 section 4.13; OWASP ASVS 5.0 section 4.1.3)."""
    settings, by_gateway = found.settings, found.settings.on_lambda or found.aws  # a gateway tells the address, and is no proxy
    if not settings.is_loopback and not settings.trusted_proxies and not by_gateway:
        yield warning(
            "AUTHSERVER_TRUSTED_PROXIES is 0 though the issuer is https: whoever ends TLS is taken for every caller, "
            "so that all people share one limit of sign-ins"
        )
    if settings.is_loopback and settings.trusted_proxies:
        yield warning(f"AUTHSERVER_TRUSTED_PROXIES is {settings.trusted_proxies} on a loopback issuer: callers choose their own address")


@SETTINGS.check("settings.cognito", "unset AUTHSERVER_COGNITO_*; authserver users import brings the rest of the people")
def cognito(found: Inspection) -> Iterator[Seen]:
    """Cognito is asked for passwords, or its settings are gone (OWASP ASVS 5.0 section 13.2.2)."""
    pool, until = found.settings.cognito, found.settings.cognito_until
    if pool is not None and not pool.is_asked(found.now):
        yield warning(f"AUTHSERVER_COGNITO_UNTIL is {until}: Cognito is no longer asked, and its settings are of no use")


@LIFETIMES.check("settings.access_token_lifetime", "AUTHSERVER_ACCESS_TOKEN_LIFETIME=10m")
def access_token_lifetime(found: Inspection) -> Iterator[Seen]:
    """Access tokens live for an hour at most (RFC 9700 section 4.10; RFC 9068 section 5)."""
    return _longer(found, "access_token_lifetime", LONGEST_ACCESS_TOKEN)


@LIFETIMES.check("settings.id_token_lifetime", "AUTHSERVER_ID_TOKEN_LIFETIME=1h")
def id_token_lifetime(found: Inspection) -> Iterator[Seen]:
    """ID tokens live for a day at most (OpenID Connect Core 1.0 section 2)."""
    return _longer(found, "id_token_lifetime", timedelta(days=1))


@LIFETIMES.check("settings.code_lifetime", "AUTHSERVER_AUTHORIZATION_CODE_LIFETIME=60")
def code_lifetime(found: Inspection) -> Iterator[Seen]:
    """Authorization codes live for a minute at most (RFC 6749 section 4.1.2; FAPI 2.0 Security Profile section 5.3.2.1)."""
    return _longer(found, "authorization_code_lifetime", timedelta(minutes=1), worst=timedelta(minutes=10))


@LIFETIMES.check("settings.announcement", "AUTHSERVER_SIGNING_KEY_ANNOUNCEMENT=9000")
def announcement(found: Inspection) -> Iterator[Seen]:
    """A new key is published for two hours and more before it signs (API Gateway guide, JWT authorizers for HTTP APIs)."""
    announced = found.settings.signing_key_announcement
    if announced < AWS_CACHES:
        say = error if found.aws else warning
        yield say(
            f"AUTHSERVER_SIGNING_KEY_ANNOUNCEMENT is {format_duration(announced)}, expected at least 2h: "
            "API Gateway caches keys for two hours and refuses tokens of a key that it does not know"
        )


@LIFETIMES.check("settings.key_cache", "AUTHSERVER_KEY_RING_CACHE_LIFETIME=60")
def key_cache(found: Inspection) -> Iterator[Seen]:
    """Every process knows a new key before it signs (RFC 7517 section 5)."""
    kept, announced = found.settings.key_ring_cache_lifetime, found.settings.signing_key_announcement
    if kept >= announced:
        spans = f"{format_duration(kept)}, an announcement lasts {format_duration(announced)}"
        yield error(f"processes keep their copy of the keys for {spans}")


def _longer(found: Inspection, name: str, most: timedelta, *, worst: timedelta = timedelta.max) -> Iterator[Seen]:
    lifetime: timedelta = getattr(found.settings, name)
    if lifetime > most:
        say = error if lifetime > worst else warning
        yield say(f"{PREFIX}{name.upper()} is {format_duration(lifetime)}, expected at most {format_duration(most)}")
