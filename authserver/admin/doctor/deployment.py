"""A server as it is seen from outside, below its issuer: each document asked for once (RFC 8414 section 3, RFC 7517 section 5)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from authserver.admin.doctor.finding import NotSeen
from authserver.admin.doctor.wire import NoAnswer, Reply, Wire
from authserver.admin.errors import Invalid
from authserver.runtime import Runtime

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
SIGN_IN = "/login"
USERINFO = "/oidc/userinfo"

Document = dict[str, Any]


class Unreachable(NotSeen):
    """The server has never answered: one finding says so, and every other check is left out."""


class Unusable(NotSeen):
    """An answer is not what it should be; the text says what came."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """What the operator lends for the checks that need a client: credentials for a token, a redirect URI for a refusal."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect_uri: str = ""


class Deployment:
    """A server at a URL. Whatever cannot be had raises NotSeen."""

    def __init__(
        self,
        url: str,
        *,
        visitor: Visitor | None = None,
        connect_to: str = "",
        ca: str = "",
        plain_port: int | None = None,
        now: Callable[[], datetime] = Runtime.now,
    ) -> None:
        """Take the URL as it was given; `plain_port` is where http is looked for (80, beside https on 443). Raises Invalid."""
        parts = split_url(url)
        self.given, self.now, self.visitor = url, now, visitor or Visitor()
        self.mount = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.issuer = self.origin + self.mount
        self.wire = Wire(self.origin, connect_to=connect_to, ca=ca)
        self._plain_port = plain_port or (80 if parts.scheme == "https" and self.wire.port == 443 else None)
        self.token_answer: Reply | None = None
        self._replies: dict[object, Reply] = {}
        self._fault = ""

    @property
    def is_https(self) -> bool:
        """Tell whether the URL is an https one."""
        return self.wire.scheme == "https"

    def at(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path of the host, once; `headers` are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        key = (method, path, tuple(named.items()))
        if key not in self._replies:
            self._replies[key] = self.ask(path, method, named)
        return self._replies[key]

    def below(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path below the issuer, once."""
        return self.at(self.mount + path, method, **headers)

    def ask(self, path: str, method: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Reply:
        """Make a request. Raises Unreachable where nothing was ever answered, else Unusable."""
        if self._fault and not self._replies:
            raise Unreachable(self._fault)
        try:
            return self.wire.ask(path, method, headers, form)
        except NoAnswer as fault:
            self._fault = str(fault)
            raise (Unusable if self._replies else Unreachable)(self._fault) from fault

    def object_at(self, path: str) -> Document:
        """Return the JSON object at a path of the host. Raises Unusable."""
        reply = self.at(path)
        if reply.status != 200:
            raise Unusable(f"{self.origin}{path} answered {reply.status}, not 200{leads(reply)}")
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise Unusable(f"{self.origin}{path} is not JSON: it begins with {reply.text[:40]!r}") from None
        if not isinstance(document, dict):
            raise Unusable(f"{self.origin}{path} is JSON, but not an object")
        return document

    @property
    def openid(self) -> Document:
        """The document of OpenID Connect Discovery."""
        return self.object_at(self.mount + OPENID)

    @property
    def oauth(self) -> Document:
        """The document of RFC 8414, below the issuer."""
        return self.object_at(self.mount + OAUTH)

    @property
    def keys(self) -> list[Document]:
        """The published keys."""
        keys = self.object_at(self.mount + JWKS).get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
            raise Unusable(f"{self.issuer}{JWKS} has no list of keys")
        return keys

    @property
    def sign_in_page(self) -> Reply:
        """The page where people sign in."""
        reply = self.below(SIGN_IN)
        if reply.status != 200:
            raise Unusable(f"the sign-in page answered {reply.status}")
        return reply

    @cached_property
    def plain(self) -> Wire | None:
        """The same host by http, where that is to be looked at."""
        if self._plain_port is None or not self.is_https:
            return None
        beside = f"{self.wire.address}:{self._plain_port}" if ":" not in self.wire.address else f"[{self.wire.address}]:{self._plain_port}"
        return Wire(f"http://{self.wire.host}", connect_to=beside)

    def close(self) -> None:
        """Give back what is open."""
        for wire in filter(None, (self.wire, self.plain)):
            wire.close()


def split_url(url: str) -> Any:
    """Take an issuer's URL apart. Raises Invalid for what cannot be one."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("--url", "must be the issuer of the server, like https://login.example.com")
    if parts.query or parts.fragment or parts.username is not None:
        raise Invalid("--url", "must be the issuer alone, without a user, a query or a fragment (RFC 8414 section 2)")
    return parts


def leads(reply: Reply) -> str:
    """Name where a redirect leads to."""
    location = reply.header("Location")
    return f" (a redirect to {location[:100]})" if location else ""


def texts(document: Mapping[str, Any], name: str) -> list[str]:
    """Return a member that should be a list of texts; whatever else it has is left out."""
    value = document.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
