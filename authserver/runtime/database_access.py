"""How a process proves itself to its database, and the database to it: password or RDS token, and TLS
(AWS: IAM database authentication; Using SSL/TLS with RDS; PostgreSQL: sslmode verify-full).
"""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from authserver.runtime.aws import Aws, AwsRefused, AwsUnreachable
from authserver.runtime.secret_text import SecretText, check_arn

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from authserver.runtime.settings import Settings

log = logging.getLogger("authserver.runtime")

SERVERS = ("postgresql", "postgres", "mysql", "mariadb")
PORTS = {"postgresql": 5432, "mysql": 3306}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
RDS_HOST = re.compile(r"\.([a-z0-9-]+)\.rds\.amazonaws\.com(\.cn)?$")
RDS_CA = Path("/var/runtime/ca-cert.pem")
"""Where Lambda's runtimes keep the authorities of RDS. A proxy's certificate is a public one instead."""
PUBLIC_CAS = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
"""Where Amazon Linux and Debian keep the public ones: a driver's own OpenSSL looks elsewhere."""


def check_access(url: str, *, password: str, iam: bool, ca: str, on_lambda: bool) -> None:
    """Refuse settings of the database that contradict each other. ValueError names the setting and says what to change."""
    parts = _split(url)
    is_server = parts.scheme.partition("+")[0] in SERVERS
    if on_lambda and not is_server:
        raise ValueError(
            "DATABASE_URL must name a PostgreSQL or MySQL database on AWS Lambda, like postgresql://USER@HOST/NAME:"
            " a SQLite file there belongs to one container and goes with it"
        )
    if not is_server and (password or iam or ca):
        raise ValueError("DATABASE_PASSWORD, DATABASE_IAM and DATABASE_CA are for PostgreSQL and MySQL: leave them out for SQLite")
    if password and (iam or parts.password):
        raise ValueError("DATABASE_PASSWORD is one password too many: leave it out, or the one in DATABASE_URL, or DATABASE_IAM")
    if iam and (parts.password or not parts.username or not parts.hostname):
        raise ValueError("DATABASE_IAM needs a user and a host in AUTHSERVER_DATABASE_URL, and no password: postgresql://USER@HOST/NAME")
    check_arn("DATABASE_PASSWORD", password)


def is_proxied(url: "URL") -> bool:
    """Tell whether the database is behind RDS Proxy. A verified certificate needs the proxy's own host name, so that it tells."""
    host = url.host or ""
    return ".proxy-" in host and RDS_HOST.search(host) is not None


class Access:
    """The arguments that a new connection needs beyond the URL's, decided when it is opened."""

    def __init__(self, url: "URL", settings: "Settings", aws: Aws) -> None:
        """Keep what decides; nothing is fetched. ValueError for a file of authorities that is not there."""
        if settings.database_ca and not Path(settings.database_ca).is_file():
            raise ValueError(f"AUTHSERVER_DATABASE_CA: there is no file {settings.database_ca}")
        self._url = url
        self._settings = settings
        self._aws = aws
        self._password = SecretText(settings.database_password, aws)

    def connect(self, dialect: Any, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Open a connection, as a listener of SQLAlchemy's do_connect; with the new password where it was changed meanwhile."""
        named.update(self._tls(dialect))
        if not self._settings.database_iam and not self._settings.database_password:
            return None
        used = self._secret(dialect, self._token if self._settings.database_iam else self._password.read)
        try:
            return dialect.connect(*arguments, **named, password=read_password(used))
        except dialect.loaded_dbapi.Error:
            if self._settings.database_iam or not self._secret(dialect, lambda: self._password.has_changed(used)):
                raise
        return dialect.connect(*arguments, **named, password=read_password(self._password.read()))

    def _token(self) -> str:
        host, port = self._url.host or "", self._url.port or PORTS[self._url.get_backend_name()]
        region = RDS_HOST.search(host)
        return self._aws.rds_token(host, port, self._url.username or "", region[1] if region else "")

    def _secret(self, dialect: Any, find: Callable[[], Any]) -> Any:
        try:
            return find()
        except (AwsRefused, AwsUnreachable, ValueError) as error:
            log.warning("no password for the database", extra={"because": str(error)})
            raise dialect.loaded_dbapi.OperationalError(f"there is no password for it: {error}") from None

    def _tls(self, dialect: Any) -> dict[str, Any]:
        """Return what makes the driver verify the certificate and its host name."""
        if not self._is_verified():
            return {}
        if dialect.name == "postgresql":
            return {"sslmode": "verify-full", "sslrootcert": self._authorities() or "system"}
        import ssl

        context = ssl.create_default_context(cafile=self._authorities())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # authorities of databases often lack what that asks for
        return {"ssl": context}

    def _is_verified(self) -> bool:
        """Tell whether TLS is demanded: by a setting, or on Lambda unless the URL says how it is to be."""
        if self._settings.database_iam or self._settings.database_ca:
            return True
        is_said = any(name.startswith("ssl") for name in self._url.query)
        host = self._url.host or str(self._url.query.get("host", ""))
        is_near = not host or host.startswith("/") or host in LOOPBACK
        return self._settings.on_lambda and not is_said and not is_near

    def _authorities(self) -> str | None:
        if self._settings.database_ca:
            return self._settings.database_ca
        if self._settings.on_lambda and RDS_CA.is_file() and not is_proxied(self._url):
            return str(RDS_CA)
        import ssl

        public = (ssl.get_default_verify_paths().cafile or "", *PUBLIC_CAS)
        return next((file for file in public if Path(file).is_file()), None)


def read_password(secret: str) -> str:
    """Return the password of a secret: the member `password` of a JSON document, as RDS keeps it, or the text itself."""
    try:
        document = json.loads(secret)
    except ValueError:
        return secret
    found = document.get("password") if isinstance(document, dict) else None
    return found if isinstance(found, str) else secret


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
