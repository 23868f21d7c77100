"""The way from AWS to an issuer: https on port 443 alone. A host stands for a server on loopback, as behind a proxy that ends TLS."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

JSON_TYPES = ("application/json", "application/jwk-set+json")
TIMEOUT = 5  # seconds: IAM, Cognito and load balancers give up then


class Unreachable(Exception):
    """Nothing that AWS could talk to is there, or it does not answer as it must."""


@dataclass(frozen=True)
class Received:
    """An answer."""

    status: int
    content_type: str
    text: str
    json: Any


@dataclass
class Internet:
    """`hosts` says where each origin really is; `added_keys` are published beside an issuer's own, so that tests can sign."""

    hosts: Mapping[str, str]
    added_keys: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meddle: Callable[[str, Any], Any] = lambda _path, document: document

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Received:
        return self._send("GET", url, headers or {})

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Received:
        return self._send("POST", url, headers or {}, form)

    def document(self, url: str) -> Any:
        """Get a JSON document that must be there. Raises Unreachable."""
        received = self.get(url)
        if received.status != 200 or not isinstance(received.json, dict):
            raise Unreachable(url)
        return received.json

    def _send(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Received:
        parts = urlsplit(url)
        place = self.hosts.get(f"{parts.scheme}://{parts.netloc}")
        if place is None:
            raise Unreachable(url)
        self.asked.append(f"{method} {parts.path}")
        sent = {"Host": parts.netloc, "X-Forwarded-Proto": "https", **headers}
        rest = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, place + rest, headers=sent, data=form, timeout=TIMEOUT, allow_redirects=False)
        content_type = answer.headers.get("Content-Type", "").partition(";")[0]
        if content_type not in JSON_TYPES:
            return Received(answer.status_code, content_type, answer.text, None)
        document = self._changed(parts.path, answer.json())
        return Received(answer.status_code, content_type, json.dumps(document), document)

    def _changed(self, path: str, document: Any) -> Any:
        if path.endswith("/jwks.json"):
            document["keys"] += self.added_keys
        return self.meddle(path, document)
