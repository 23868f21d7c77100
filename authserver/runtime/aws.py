"""Calls to AWS with the standard library alone (AWS JSON 1.1 protocol, Signature Version 4): botocore would cost a cold start 250 ms."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from authserver.runtime.aws_credentials import find_credentials
from authserver.runtime.aws_http import AwsUnreachable, exchange
from authserver.runtime.sigv4 import Credentials, Scope, presign, sign_headers

__all__ = ["NO_AWS", "Aws", "AwsRefused", "AwsUnreachable", "suffix"]

TOKEN_SECONDS = 900
JSON = "application/x-amz-json-1.1"
TARGETS = {
    "kms": "TrentService",
    "secretsmanager": "secretsmanager",
    "ssm": "AmazonSSM",
    "cognito-idp": "AWSCognitoIdentityProviderService",
}
OVERRIDES = {"kms": "KMS", "secretsmanager": "SECRETS_MANAGER", "ssm": "SSM", "cognito-idp": "COGNITO_IDENTITY_PROVIDER"}
SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-iso-", "c2s.ic.gov"),
    ("", "amazonaws.com"),
)
THROTTLED = ("ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException")


class AwsRefused(Exception):
    """AWS answered that it will not: `code` is AWS's name of the reason. The text never has a value."""

    def __init__(self, service: str, target: str, code: str, status: int) -> None:
        """Keep the reason."""
        advice = f": the role of this process needs {service}:{target} for it" if code.startswith("AccessDenied") else ""
        super().__init__(f"{service} {target}: {code}{advice}")
        self.code = code
        self.status = status


class Aws:
    """AWS as one process sees it: its variables, its clock."""

    def __init__(self, environ: Mapping[str, str], now: Callable[[], datetime]) -> None:
        """Keep both; nothing is read or connected."""
        self._environ = environ
        self.now = now
        self._kept: Credentials | None = None

    @property
    def region(self) -> str:
        """The region that this process runs in. Raises AwsUnreachable where no variable says so."""
        region = self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise AwsUnreachable("AWS_REGION is not set")
        return region

    def call(self, service: str, target: str, body: Mapping[str, Any], *, region: str = "") -> dict[str, Any]:
        """Call `target`, like `Decrypt`, of kms, secretsmanager, ssm or cognito-idp; tried twice where the first try may pass.

        Raises AwsRefused, AwsUnreachable.
        """
        region = region or self.region
        endpoint = self._endpoint(service, region)
        content = json.dumps(body).encode()
        headers = {"host": endpoint.netloc, "content-type": JSON, "x-amz-target": f"{TARGETS[service]}.{target}"}

        def attempt() -> dict[str, Any]:
            signed = sign_headers(self._credentials(), Scope(service, region, self.now()), headers, content)
            status, answer = exchange(endpoint, "POST", "/", signed, content)
            return _read(service, target, status, answer)

        try:
            return attempt()
        except AwsRefused as refusal:
            if refusal.status < 500 and refusal.code not in THROTTLED:
                raise
        except AwsUnreachable as fault:
            if not fault.may_pass:
                raise
        return attempt()

    def rds_token(self, host: str, port: int, user: str, region: str = "") -> str:
        """Return the password with which `user` can sign in to an RDS database in the next 15 minutes. Raises AwsUnreachable."""
        scope = Scope("rds-db", region or self.region, self.now())
        place = f"{host.lower()}:{port}"
        query = presign(self._credentials(), scope, place, {"Action": "connect", "DBUser": user}, TOKEN_SECONDS)
        return f"{place}/?{query}"

    def _credentials(self) -> Credentials:
        self._kept = find_credentials(self._environ, self.now(), self._kept)
        return self._kept

    def _endpoint(self, service: str, region: str) -> SplitResult:
        override = self._environ.get(f"AWS_ENDPOINT_URL_{OVERRIDES[service]}") or self._environ.get("AWS_ENDPOINT_URL")
        return urlsplit(override or f"https://{service}.{region}.{suffix(region)}")


NO_AWS = Aws({}, lambda: datetime.max.replace(tzinfo=UTC))
"""For what needs none: every call is AwsUnreachable."""


def suffix(region: str) -> str:
    """Return the domain of a region's partition."""
    return next(domain for start, domain in SUFFIXES if region.startswith(start))


def _read(service: str, target: str, status: int, answer: bytes) -> dict[str, Any]:
    try:
        document = json.loads(answer or b"{}")
    except ValueError:
        document = None
    if status == 200 and isinstance(document, dict):
        return document
    code = document.get("__type", "") if isinstance(document, dict) else ""
    named = str(code).rpartition("#")[2].partition(":")[0]
    raise AwsRefused(service, target, named if named.isalnum() else f"status {status}", status)
