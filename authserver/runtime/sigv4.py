"""AWS Signature Version 4 (AWS: Signing AWS API requests): the headers of a request, and the query of a presigned URL."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who signs. `token` is the session's, empty for a user's own keys; none of it is ever shown but the key's id."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires_at: datetime | None = None


class Scope(NamedTuple):
    """What a signature is good for: one service in one region, at one instant (aware UTC)."""

    service: str
    region: str
    now: datetime

    @property
    def at(self) -> str:
        """The instant as AWS writes it."""
        return self.now.strftime("%Y%m%dT%H%M%SZ")

    @property
    def text(self) -> str:
        """The scope as it is signed."""
        return f"{self.at[:8]}/{self.region}/{self.service}/aws4_request"


def sign_headers(credentials: Credentials, scope: Scope, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Return `headers` (lower case, `host` among them) of a POST to `/`, with date, session token and signature."""
    signed = {**headers, "x-amz-date": scope.at} | ({"x-amz-security-token": credentials.token} if credentials.token else {})
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    signature = _sign(credentials, scope, canonical)
    signed["authorization"] = f"{ALGORITHM} Credential={credentials.key_id}/{scope.text}, SignedHeaders={names}, Signature={signature}"
    return signed


def presign(credentials: Credentials, scope: Scope, host: str, query: Mapping[str, str], seconds: int) -> str:
    """Return the signed query of a GET of `https://host/`, good for so many seconds."""
    own = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.key_id}/{scope.text}",
        "X-Amz-Date": scope.at,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    everything = {**query, **own} | ({"X-Amz-Security-Token": credentials.token} if credentials.token else {})
    pairs = [f"{_escape(name)}={_escape(value)}" for name, value in everything.items()]
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/\n{'&'.join(sorted(pairs))}\nhost:{host}\n\nhost\n{nothing}"
    return f"{'&'.join(pairs)}&X-Amz-Signature={_sign(credentials, scope, canonical)}"


def _sign(credentials: Credentials, scope: Scope, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.text.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{ALGORITHM}\n{scope.at}\n{scope.text}\n{digest}".encode(), "sha256").hex()


def _escape(text: str) -> str:
    return quote(text, safe="-_.~")
