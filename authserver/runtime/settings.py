"""Every knob, with its unit and default: one frozen dataclass filled from AUTHSERVER_* (each also as …_FILE).

Durations are written `90` (seconds), `10m`, `24h` or `14d`; lists are separated by spaces.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from authserver.runtime.cognito import CognitoPool, read_pool
from authserver.runtime.database_access import check_access
from authserver.runtime.mail import check_mail
from authserver.runtime.secret_text import check_proxy_secret

PREFIX = "AUTHSERVER_"
LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"
LIMIT = re.compile(r"[1-9]\d{0,8}/([1-9]\d{0,3})?(second|minute|hour|day)s?")
COMPONENTS = ("protocol", "admin")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
IN_WORDS: dict[Any, str] = {int: "a whole number", bool: "true or false"}


class SettingsError(Exception):
    """A setting is missing, unknown or wrong; the text names it and says what to change."""


def knob(default: Any, doc: str, *, secret: bool = False) -> Any:
    """Declare a setting with its default and the line that the reference shows."""
    return field(default=default, metadata={"doc": doc, "secret": secret})


def seconds(number: float) -> timedelta:
    """Write a duration."""
    return timedelta(seconds=number)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can set; what differs per client is client metadata instead."""

    issuer: str = knob(MISSING, "The one public URL of this server, https unless its host is loopback; no slash at the end")
    database_url: str = knob("sqlite:///authserver.db", "sqlite:///FILE, postgresql://… or mysql://…", secret=True)
    database_password: str = knob(
        "", "The password that the URL leaves out, or the ARN of a secret or parameter that holds it", secret=True
    )
    database_iam: bool = knob(False, "Sign in to an RDS database with a token of this process's AWS role, in place of a password")
    database_ca: str = knob("", "A PEM file of the authorities that the database's certificate is verified against, its host name included")
    secret_key: tuple[str, ...] = knob(
        (),
        "Keys that seal secrets in the database, the current one first: 32 bytes in base64, `kms:…` as `authserver keys data-key`"
        " writes it, or the ARN of a secret or parameter that holds these",
        secret=True,
    )
    on_lambda: bool = knob(False, "True by itself on AWS Lambda; nobody sets it")
    dev: bool = knob(False, "Set by `authserver dev` alone: serves /demo; refused by `authserver serve`")
    components: tuple[str, ...] = knob(
        COMPONENTS, "What is served: `protocol` (tokens and the pages of users), `admin` (console and REST API), or both"
    )
    apply: str = knob("", "A file of APIs, clients and roles that is applied at every start, as by `authserver apply`")
    smtp_url: str = knob(
        "",
        "How mail is sent: smtp://USER:PASSWORD@HOST:587 (with STARTTLS), smtps://…:465, or the ARN of a secret that holds one;"
        " empty sends none",
        secret=True,
    )
    mail_from: str = knob("", "Who mail is from, like Example <login@example.com>; needed beside AUTHSERVER_SMTP_URL")

    access_token_lifetime: timedelta = knob(seconds(600), "Life of an access token, where its API does not say otherwise")
    id_token_lifetime: timedelta = knob(seconds(3600), "Life of an ID token")
    authorization_code_lifetime: timedelta = knob(seconds(60), "Life of an authorization code")
    authorization_request_lifetime: timedelta = knob(seconds(1800), "Time to sign in and consent before the request expires")
    refresh_token_leeway: timedelta = knob(
        seconds(30), "A retry with the refresh token before gets the same successor for this long (0 to 60)"
    )
    refresh_token_idle_lifetime: timedelta = knob(timedelta(days=14), "An offline refresh token ends when unused for this long")
    refresh_token_lifetime: timedelta = knob(timedelta(days=90), "An offline refresh family ends after this, used or not")
    session_refresh_token_lifetime: timedelta = knob(
        timedelta(hours=24), "End of a refresh family that is tied to a browser session, and of every `spa` client's"
    )
    session_idle_lifetime: timedelta = knob(timedelta(hours=24), "A browser session ends when unused for this long")
    session_lifetime: timedelta = knob(timedelta(days=7), "A browser session ends after this, used or not")

    signing_key_lifetime: timedelta = knob(timedelta(days=90), "How long a key signs before the next one takes over")
    signing_key_announcement: timedelta = knob(seconds(9000), "How long a new key is published before it signs (AWS caches keys for 2 h)")
    key_ring_cache_lifetime: timedelta = knob(seconds(60), "How old a process's copy of the keys may be")
    client_cache_lifetime: timedelta = knob(seconds(5), "How old a process's copy of a client or API may be; 0 turns the cache off")

    sign_in_limit_account: str = knob("10/5minutes", "Sign-in attempts per account and network address")
    sign_in_limit_address: str = knob("50/5minutes", "Sign-in attempts per network address")
    sign_in_limit_strangers: str = knob("100/day", "Failed sign-ins per account from browsers that never signed in to it")
    limits_storage_url: str = knob("", "redis://… to count sign-in attempts there; empty counts in the database", secret=True)
    password_hash_memory_bytes: int = knob(19 * 1024 * 1024, "argon2id memory")
    password_hash_iterations: int = knob(2, "argon2id iterations")
    password_hash_concurrency: int = knob(
        0, "Passwords hashed at the same time per process; 0 means one less than the processors, at least one"
    )

    cognito_user_pool: str = knob("", "The id of the Cognito user pool that people come from; empty asks none")
    cognito_client_id: str = knob("", "An application client of that pool, which allows ADMIN_USER_PASSWORD_AUTH")
    cognito_client_secret: str = knob("", "That client's secret, where it has one", secret=True)
    cognito_until: str = knob("", "The last day, like 2027-03-31 (UTC), on which Cognito is asked for a password that is not here")

    database_connections: int = knob(8, "Connections per process, which is also its number of Python threads")
    database_busy_timeout: timedelta = knob(seconds(5), "How long SQLite waits for another writer")
    specifications_off: tuple[str, ...] = knob(
        (), "Names of specifications to turn off, spaces as `-`: RFC-7009 OpenID-RP-Initiated-Logout"
    )
    trusted_proxies: int = knob(
        0, "Number of reverse proxies in front whose X-Forwarded-* headers are believed; the first one must drop names with underscores"
    )
    proxy_secret: str = knob(
        "", "What these proxies send as X-Proxy-Secret, or its ARN; a request without it is believed no X-Forwarded-*", secret=True
    )
    drain_delay: timedelta = knob(seconds(5), "After SIGTERM, how long /readyz says 503 while requests are still taken")
    drain_marker: str = knob("", "A file whose existence turns /readyz to 503; `authserver serve` sets it itself")
    body_limit_bytes: int = knob(64 * 1024, "Largest request body")
    log_level: str = knob("INFO", "DEBUG, INFO, WARNING or ERROR")
    metrics_token: str = knob("", "Bearer token that opens /metrics; empty closes it", secret=True)
    metrics_port: int = knob(0, "A port of its own for /metrics on loopback, without a token; 0 for none")
    refusal_lifetime: timedelta = knob(timedelta(days=7), "How long refused authorization and token requests are kept, to be explained")
    figures_lifetime: timedelta = knob(timedelta(days=31), "How long the figures behind the console's charts are kept")
    audit_lifetime: timedelta = knob(timedelta(days=90), "How long audit events are kept")
    refused_events_per_minute: int = knob(60, "Most audit rows per minute for requests that were refused before anyone was known")

    def __post_init__(self) -> None:
        """Check what one value alone cannot say. Raises SettingsError."""
        check_issuer(self.issuer)
        if not timedelta(0) <= self.refresh_token_leeway <= timedelta(seconds=60):
            raise SettingsError("AUTHSERVER_REFRESH_TOKEN_LEEWAY must be between 0 and 60 seconds")
        for name in ("sign_in_limit_account", "sign_in_limit_address", "sign_in_limit_strangers"):
            if not LIMIT.fullmatch(getattr(self, name)):
                raise SettingsError(f"{PREFIX}{name.upper()} must be written like 10/5minutes or 100/day")
        if not self.components or set(self.components) - set(COMPONENTS):
            raise SettingsError(f"{PREFIX}COMPONENTS must be {', '.join(COMPONENTS)}, or both")
        try:
            check_mail(self.smtp_url, self.mail_from)
            check_proxy_secret(self.proxy_secret, self.trusted_proxies)
            read_pool(self.cognito_user_pool, self.cognito_client_id, self.cognito_client_secret, self.cognito_until)
            access = {"password": self.database_password, "iam": self.database_iam, "ca": self.database_ca}
            check_access(self.database_url, on_lambda=self.on_lambda, **access)  # type: ignore[arg-type]  # a mixed dict
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{error}") from None

    @property
    def is_loopback(self) -> bool:
        """Tell whether the issuer is this machine by plain http."""
        return self.issuer.startswith("http://")

    @property
    def cognito(self) -> CognitoPool | None:
        """The user pool that people come from, if there is one."""
        return read_pool(self.cognito_user_pool, self.cognito_client_id, self.cognito_client_secret, self.cognito_until)

    @property
    def mount(self) -> str:
        """The issuer's path: empty, or `/auth`."""
        return urlsplit(self.issuer).path


def check_issuer(issuer: str) -> None:
    """Refuse an issuer that RFC 8414 section 2 does not allow. Raises SettingsError."""
    parts = urlsplit(issuer)
    if parts.query or parts.fragment or parts.username or issuer.endswith("/") or not parts.hostname:
        raise SettingsError("AUTHSERVER_ISSUER must be a URL like https://login.example.com, without a slash at the end")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(parts.hostname)):
        raise SettingsError("AUTHSERVER_ISSUER must start with https:// (http is for localhost alone)")


def is_loopback_host(host: str | None) -> bool:
    """Tell whether a host name can only be this machine."""
    return host in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Source:
    """Where one setting came from: its value as text and `default`, a variable's name or a file's path."""

    text: str
    origin: str


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Fill the settings from AUTHSERVER_* variables (the process's own where none are given). Raises SettingsError."""
    return convert(read_sources(os.environ if environ is None else environ))


def read_sources(environ: Mapping[str, str]) -> dict[str, Source]:
    """Find the set values by field name. Raises SettingsError for an unknown name, with the nearest known one."""
    known = {PREFIX + item.name.upper(): item.name for item in fields(Settings)}
    sources: dict[str, Source] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        from_file = variable not in known and variable.endswith("_FILE")
        name = known.get(variable.removesuffix("_FILE") if from_file else variable)
        if name is None:
            raise SettingsError(_unknown(variable, list(known)))
        value = environ[variable]
        sources[name] = Source(_read_file(variable, value) if from_file else value, f"{variable}={value}" if from_file else variable)
    if environ.get(LAMBDA):
        sources["on_lambda"] = Source("true", LAMBDA)
    return sources


def convert(sources: Mapping[str, Source]) -> Settings:
    """Turn texts into a Settings. Raises SettingsError naming the variable."""
    values = {}
    for item in fields(Settings):
        if item.name in sources:
            values[item.name] = _convert_one(item, sources[item.name].text)
        elif item.default is MISSING:
            raise SettingsError(f"{PREFIX}{item.name.upper()} is not set: {item.metadata['doc']}")
    return Settings(**values)


def parse_duration(text: str) -> timedelta:
    """Read `90`, `10m`, `24h` or `14d`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if not match:
        raise ValueError("a duration is written 90 (seconds), 10m, 24h or 14d")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


def format_duration(span: timedelta) -> str:
    """Write a duration the way that it is read."""
    total = int(span.total_seconds())
    for unit in ("d", "h", "m"):
        if total and total % UNITS[unit] == 0:
            return f"{total // UNITS[unit]}{unit}"
    return str(total)


def format_value(value: object) -> str:
    """Write a setting's value the way that it is read."""
    match value:
        case timedelta():
            return format_duration(value)
        case tuple():
            return " ".join(value)
        case bool():
            return str(value).lower()
    return str(value)


def read_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines, as `authserver dev` writes them."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def environ() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def export(values: Mapping[str, str]) -> None:
    """Give `values` to this process and those it starts."""
    os.environ.update(values)


def _convert_one(item: Field[Any], text: str) -> Any:
    try:
        if item.type is timedelta:
            return parse_duration(text)
        if item.type == tuple[str, ...]:
            return tuple(text.split())
        return msgspec.convert(text.strip(), item.type, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{PREFIX}{item.name.upper()} must be {IN_WORDS[item.type]}") from error
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{item.name.upper()}: {error}") from error


def _read_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}: cannot read {path}") from error


def _unknown(variable: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(variable, known, n=1, cutoff=0)
    return f"{variable} is not a setting; did you mean {nearest[0]}?"
