"""The credentials of this process's AWS role: variables, or the container's endpoint, which SnapStart has in their place
(AWS: Container credential provider)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from authserver.runtime.aws_http import LOOPBACK, AwsUnreachable, exchange
from authserver.runtime.sigv4 import Credentials

CONTAINER = "http://169.254.170.2"
PLAIN = (*LOOPBACK, "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
MARGIN = timedelta(minutes=5)


def find_credentials(environ: Mapping[str, str], now: datetime, kept: Credentials | None) -> Credentials:
    """Return the credentials of now; `kept` are those of the last time, asked for again shortly before they expire.

    Raises AwsUnreachable where there are none.
    """
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return Credentials(
            key_id=environ["AWS_ACCESS_KEY_ID"],
            secret=environ["AWS_SECRET_ACCESS_KEY"],
            token=environ.get("AWS_SESSION_TOKEN", ""),
        )
    if kept is not None and kept.expires_at is not None and now < kept.expires_at - MARGIN:
        return kept
    return _ask_container(environ)


def _ask_container(environ: Mapping[str, str]) -> Credentials:
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    url = urlsplit(CONTAINER + relative if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""))
    if not url.hostname:
        raise AwsUnreachable("there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this process a role")
    path = url.path + (f"?{url.query}" if url.query else "")
    status, answer = exchange(url, "GET", path, {"accept": "application/json", **_authorization(environ)}, plain=PLAIN)
    try:
        if status != 200:
            raise ValueError
        return _read(json.loads(answer))
    except (KeyError, TypeError, ValueError):
        raise AwsUnreachable(f"the container's AWS credentials cannot be read (status {status})") from None


def _authorization(environ: Mapping[str, str]) -> dict[str, str]:
    file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
    try:
        token = Path(file).read_text().strip() if file else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    except (OSError, UnicodeDecodeError):
        raise AwsUnreachable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read") from None
    return {"authorization": token} if token else {}


def _read(document: Mapping[str, str]) -> Credentials:
    return Credentials(
        key_id=document["AccessKeyId"],
        secret=document["SecretAccessKey"],
        token=document.get("Token", ""),
        expires_at=datetime.fromisoformat(document["Expiration"]).astimezone(UTC),
    )
