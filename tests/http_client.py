"""HTTP from outside: the same calls against the application in this process and against a real server.

Redirects are never followed here; cookies are kept, as a browser keeps them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from json import loads
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from werkzeug.datastructures import Headers
from werkzeug.test import Client

FORM = "application/x-www-form-urlencoded"
Data = Mapping[str, Any] | list[tuple[str, str]] | str | bytes | None


@dataclass(frozen=True)
class Answer:
    """What came back."""

    url: str
    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @cached_property
    def json(self) -> Any:
        return loads(self.body)

    @property
    def location(self) -> str | None:
        """The absolute address that it redirects to."""
        found = self.headers.get("Location")
        return None if found is None else urljoin(self.url, found)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address that it redirects to; none may be repeated."""
        pairs = parse_qsl(urlsplit(self.location or "").query, keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs), "a parameter is repeated"
        return dict(pairs)

    @property
    def error(self) -> str | None:
        return self.json.get("error")


class Http(Protocol):
    """One browser or one backend: its cookies, its requests."""

    issuer: str

    def request(self, method: str, url: str, *, data: Data = None, headers: Mapping[str, str] | None = None) -> Answer: ...

    def get(self, url: str, **rest: Any) -> Answer: ...

    def post(self, url: str, data: Data = None, **rest: Any) -> Answer: ...

    def fresh(self) -> "Http":
        """Another browser: no cookies."""


class _Verbs:
    issuer: str
    request: Callable[..., Answer]

    def get(self, url: str, **rest: Any) -> Answer:
        return self.request("GET", url, **rest)

    def post(self, url: str, data: Data = None, **rest: Any) -> Answer:
        return self.request("POST", url, data=data, **rest)

    def absolute(self, url: str) -> str:
        return url if "://" in url else self.issuer + url


class InProcess(_Verbs):
    """The application called directly."""

    def __init__(self, app: Any, issuer: str, address: str = "192.0.2.1") -> None:
        self.app, self.issuer, self.address = app, issuer, address
        self.client = Client(app)

    def fresh(self) -> "InProcess":
        return InProcess(self.app, self.issuer, self.address)

    def request(self, method: str, url: str, *, data: Data = None, headers: Mapping[str, str] | None = None) -> Answer:
        parts = urlsplit(self.absolute(url))
        body = encode(data)
        sent = Headers(dict(headers or {}))
        if body is not None:
            sent.setdefault("Content-Type", FORM)
        response = self.client.open(
            parts.path + (f"?{parts.query}" if parts.query else ""),
            base_url=f"{parts.scheme}://{parts.netloc}",
            method=method,
            data=body,
            headers=sent,
            buffered=True,
            environ_overrides={"REMOTE_ADDR": self.address},
        )
        answer = Answer(self.absolute(url), response.status_code, response.headers, response.get_data())
        response.close()
        return answer

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.client._cookies.values()}


class OverNetwork(_Verbs):
    """A server on loopback."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.session = requests.Session()
        self.session.trust_env = False

    def fresh(self) -> "OverNetwork":
        return OverNetwork(self.issuer)

    def request(self, method: str, url: str, *, data: Data = None, headers: Mapping[str, str] | None = None) -> Answer:
        body = encode(data)
        sent = {**({"Content-Type": FORM} if body is not None else {}), **(headers or {})}
        response = self.session.request(method, self.absolute(url), data=body, headers=sent, allow_redirects=False, timeout=30)
        return Answer(self.absolute(url), response.status_code, Headers(response.headers.items()), response.content)


def encode(data: Data) -> bytes | None:
    """Encode a form; text and bytes are sent as they are."""
    match data:
        case None | bytes():
            return data
        case str():
            return data.encode()
    pairs = data.items() if isinstance(data, Mapping) else data
    return urlencode([(name, value) for name, value in pairs if value is not None], doseq=True).encode()
