"""What the process stands on: settings, engine, clock, randomness, key encryption keys, caches, fetches, logs, metrics.

`Runtime` is the only thing that tests replace. Every other room takes time, randomness and the outside world from it.
settings.py says what can be configured · engine.py connects · cache.py keeps rows for seconds · fetch.py is the only
way out (SSRF-safe) · mail.py sends letters · keys.py holds the keys that seal secrets · log.py and metrics.py tell the operator ·
folders.py finds templates and migrations · cognito.py says from which Cognito pool people come, and until when.

On AWS: aws.py calls it (sigv4.py signs, aws_credentials.py says as whom, aws_http.py asks) · secret_text.py fetches settings that lie
there · database_access.py signs in to RDS · embedded_metrics.py writes what Lambda counted.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine

from authserver.runtime.aws import NO_AWS, Aws
from authserver.runtime.cache import Caches
from authserver.runtime.engine import make_engine
from authserver.runtime.fetch import Fetch, fetch_public
from authserver.runtime.keys import KeyEncryptionKeys
from authserver.runtime.mail import Send, make_mail, send_nothing
from authserver.runtime.settings import Settings, environ


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The outside world of one process. `new_secret(n)` gives n random bytes; `now()` an aware UTC instant."""

    settings: Settings
    engine: Engine
    keys: KeyEncryptionKeys
    caches: Caches
    now: Callable[[], datetime] = _utc_now
    new_secret: Callable[[int], bytes] = secrets.token_bytes
    fetch: Fetch = field(default=fetch_public)
    mail: Send = field(default=send_nothing)
    aws: Aws = NO_AWS


def make_runtime(settings: Settings, *, now: Callable[[], datetime] = _utc_now, fetch: Fetch = fetch_public) -> Runtime:
    """Build the runtime that `settings` describe; nothing is connected, fetched or drawn yet."""
    aws = Aws(environ(), now)
    return Runtime(
        settings=settings,
        engine=make_engine(settings, aws),
        keys=KeyEncryptionKeys(settings.secret_key, aws),
        caches=Caches(now, settings),
        now=now,
        fetch=fetch,
        mail=make_mail(settings.smtp_url, settings.mail_from, aws),
        aws=aws,
    )
