"""A setting's text that may lie elsewhere: in AWS Secrets Manager or Parameter Store, named by its ARN and fetched at first need.

(AWS: GetSecretValue; GetParameter.)
"""

import re
from datetime import datetime, timedelta
from threading import Lock

from authserver.runtime.aws import Aws

ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):\d{12}:(secret:|parameter/)[\x21-\x7e]+")
AGAIN_AFTER = timedelta(seconds=5)
SHORTEST = 32


def is_arn(text: str) -> bool:
    """Tell whether a text says where the value lies."""
    return text.startswith("arn:")


def check_arn(setting: str, text: str) -> None:
    """Refuse an ARN of anything else than a secret or parameter. ValueError names the setting."""
    if is_arn(text) and not ARN.fullmatch(text):
        raise ValueError(
            f"{setting}: an ARN must be that of a secret, arn:aws:secretsmanager:…:secret:…, or of a parameter, arn:aws:ssm:…:parameter/…"
        )


def check_proxy_secret(secret: str, proxies: int) -> None:
    """Refuse a secret that nobody sends, or that can be guessed. ValueError names the setting and says what to change."""
    check_arn("PROXY_SECRET", secret)
    if secret and not proxies:
        raise ValueError("PROXY_SECRET is of no use without AUTHSERVER_TRUSTED_PROXIES: set that to the number of proxies in front")
    if secret and (len(secret) < SHORTEST or not secret.isascii()):
        raise ValueError(f"PROXY_SECRET must have {SHORTEST} characters at least; make one with: openssl rand -hex 32")


class SecretText:
    """One text, or what its ARN leads to; that is fetched once, and again when it turns out not to hold any more."""

    def __init__(self, text: str, aws: Aws) -> None:
        """Keep the text; nothing is fetched."""
        self._arn = ARN.fullmatch(text)
        self._value = None if self._arn else text
        self._fetched_at: datetime | None = None
        self._aws = aws
        self._lock = Lock()

    def read(self) -> str:
        """Return the text. Raises AwsRefused, AwsUnreachable, and ValueError for a secret that is no text."""
        with self._lock:
            if self._value is None:
                self._value = self._fetch()
            return self._value

    def has_changed(self, used: str) -> bool:
        """Tell whether the text is another than the one that was used in vain, fetching it anew, though not every few seconds.

        Raises what `read` raises.
        """
        with self._lock:
            is_due = self._fetched_at is not None and not timedelta(0) <= self._aws.now() - self._fetched_at < AGAIN_AFTER
            if self._arn and is_due and self._value == used:
                self._value = self._fetch()
            return self._value != used

    def _fetch(self) -> str:
        assert self._arn is not None
        self._fetched_at = self._aws.now()
        arn, region = self._arn[0], self._arn["region"]
        if self._arn["service"] == "ssm":
            found = self._aws.call("ssm", "GetParameter", {"Name": arn, "WithDecryption": True}, region=region)
            value = found.get("Parameter", {}).get("Value")
        else:
            value = self._aws.call("secretsmanager", "GetSecretValue", {"SecretId": arn}, region=region).get("SecretString")
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"what {self._arn['service']} holds is no text")
        return value.strip()
