"""The settings, against what specifications advise and what their combination means (RFC 9700, RFC 6749, ASVS 5.0)."""

from collections.abc import Iterator

from authserver.admin.doctor.finding import Seen, check, error, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import faults, parts_of, stage_fault
from authserver.runtime.settings import SettingsError, is_loopback_host
from authserver.specs import specs_on

SHORTEST_METRICS_TOKEN = 32


@check(
    "settings.issuer",
    holds="AUTHSERVER_ISSUER is written as it compares",
    section="RFC 8414 section 2; OpenID Connect Discovery 1.0 section 4.3",
    fix="AUTHSERVER_ISSUER",
)
def settings_issuer(found: Inspection) -> Iterator[Seen]:
    """A wrong scheme or a slash at the end is refused by the settings themselves."""
    yield from map(error, faults(found.settings.issuer))
    if fault := stage_fault(found.settings.issuer):
        yield warning(fault, fix="use a custom domain or a function URL, and set AUTHSERVER_ISSUER to it")


@check(
    "settings.dev",
    holds="These are not the settings of authserver dev",
    section="authserver: authserver serve",
    fix="unset AUTHSERVER_DEV",
)
def settings_dev(found: Inspection) -> Iterator[Seen]:
    """They serve a demo whose users have known passwords."""
    if found.settings.dev:
        say = warning if found.settings.is_loopback else error
        yield say("AUTHSERVER_DEV is true, which is for a laptop alone: users with known passwords, and a demo that shows tokens")


@check(
    "settings.secret_key",
    holds="Keys in the database are sealed under a key of production",
    section="NIST SP 800-57 part 1 section 8; OWASP ASVS 5.0 section 13.3.1",
    fix="AUTHSERVER_SECRET_KEY_FILE: make a key with openssl rand -base64 32, put it first, then authserver keys reseal",
)
def settings_secret_key(found: Inspection) -> Iterator[Seen]:
    """One must be set, and none that `authserver dev` made."""
    settings = found.settings
    if not settings.secret_key:
        yield error("AUTHSERVER_SECRET_KEY is not set, so that no key can be made or opened")
    if any(key.startswith("dev_") for key in settings.secret_key) and not settings.dev:
        yield error("AUTHSERVER_SECRET_KEY has a key that authserver dev made, which lies in a folder of somebody's laptop")


@check(
    "settings.log_level",
    holds="Logs are not at DEBUG",
    section="OWASP ASVS 5.0 section 13.4.2",
    fix="AUTHSERVER_LOG_LEVEL=INFO",
)
def settings_log_level(found: Inspection) -> Iterator[Seen]:
    """Libraries write more than they should there."""
    if found.settings.log_level.upper() == "DEBUG":
        yield warning("AUTHSERVER_LOG_LEVEL is DEBUG, where libraries log statements and headers")


@check(
    "settings.metrics_token",
    holds="The token of /metrics cannot be guessed",
    section="RFC 6749 section 10.10",
    fix="AUTHSERVER_METRICS_TOKEN: make one with openssl rand -base64 32",
)
def settings_metrics_token(found: Inspection) -> Iterator[Seen]:
    """No token closes /metrics."""
    length = len(found.settings.metrics_token)
    if 0 < length < SHORTEST_METRICS_TOKEN:
        yield warning(f"AUTHSERVER_METRICS_TOKEN has {length} characters, expected at least {SHORTEST_METRICS_TOKEN}")


@check(
    "settings.mail",
    holds="Invitations and password resets can be mailed",
    section="OWASP ASVS 5.0 section 6.4.3",
    fix="AUTHSERVER_SMTP_URL and AUTHSERVER_MAIL_FROM",
)
def settings_mail(found: Inspection) -> Iterator[Seen]:
    """Without mail, whoever administers has to hand links over."""
    if not found.settings.is_loopback and "protocol" in found.settings.components and not found.settings.smtp_url:
        yield warning("AUTHSERVER_SMTP_URL is not set: links of invitations and password resets are shown to administrators, not mailed")


@check(
    "settings.proxies",
    holds="The number of proxies fits the issuer",
    section="RFC 9700 section 4.13; OWASP ASVS 5.0 section 4.1.3",
    fix="AUTHSERVER_TRUSTED_PROXIES: the number of proxies in front that set X-Forwarded-For",
)
def settings_proxies(found: Inspection) -> Iterator[Seen]:
    """The server does not speak https itself; on Lambda the gateway tells the address, and is no proxy in this sense."""
    settings = found.settings
    if not settings.is_loopback and not settings.trusted_proxies and not settings.on_lambda and not found.aws:
        yield warning(
            "AUTHSERVER_TRUSTED_PROXIES is 0 though the issuer is https: whoever ends TLS is taken for every caller, "
            "so that all people share one limit of sign-ins"
        )
    if settings.is_loopback and settings.trusted_proxies:
        yield warning(f"AUTHSERVER_TRUSTED_PROXIES is {settings.trusted_proxies} on a loopback issuer: callers choose their own address")


@check(
    "settings.specifications",
    holds="AUTHSERVER_SPECIFICATIONS_OFF names what can be turned off",
    section="RFC 9700 section 2.1; RFC 9207",
    fix="AUTHSERVER_SPECIFICATIONS_OFF",
)
def settings_specifications(found: Inspection) -> Iterator[Seen]:
    """PKCE, `iss` in responses, and others cannot be turned off; the server does not start where one is named."""
    try:
        specs_on(found.settings)
    except SettingsError as refused:
        yield error(str(refused))


@check(
    "settings.limits_storage",
    holds="Counters of sign-in attempts do not cross a network in the clear",
    section="OWASP ASVS 5.0 section 12.3.1",
    fix="AUTHSERVER_LIMITS_STORAGE_URL=rediss://…",
)
def settings_limits_storage(found: Inspection) -> Iterator[Seen]:
    """Redis on another machine."""
    url = found.settings.limits_storage_url
    if url.startswith("redis://") and not is_loopback_host(parts_of(url).hostname):
        yield warning("AUTHSERVER_LIMITS_STORAGE_URL is redis:// on another machine: accounts and addresses cross the network in the clear")


@check(
    "settings.cognito",
    holds="Cognito is asked for passwords, or its settings are gone",
    section="OWASP ASVS 5.0 section 13.2.2",
    fix="unset AUTHSERVER_COGNITO_USER_POOL and the other three; authserver users import brings the rest of the people",
)
def settings_cognito(found: Inspection) -> Iterator[Seen]:
    """A way in that has ended is better taken away."""
    pool = found.settings.cognito
    if pool is not None and not pool.is_asked(found.now):
        yield warning(
            f"AUTHSERVER_COGNITO_UNTIL is {found.settings.cognito_until}: Cognito is no longer asked, and its settings are of no use"
        )


CHECKS = (
    *(settings_issuer, settings_dev, settings_secret_key, settings_log_level, settings_metrics_token, settings_mail),
    *(settings_proxies, settings_specifications, settings_limits_storage, settings_cognito),
)
