"""A server as it is seen from outside, below its issuer: each document asked for once (RFC 8414 section 3, RFC 7517 section 5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from authserver.admin.doctor.finding import NotSeen
from authserver.admin.doctor.wire import NoAnswer, Reply, Wire
from authserver.admin.errors import Invalid
from authserver.runtime import Runtime

OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
SIGN_IN = "/login"

Document = dict[str, Any]
Headers = Mapping[str, str]


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
        parts = _split(url)
        self.given, self.now, self.visitor = url, now, visitor or Visitor()
        self.mount = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.issuer = self.origin + self.mount
        self.wire = Wire(self.origin, connect_to=connect_to, ca=ca)
        self.is_https = parts.scheme == "https"
        port = plain_port or (80 if self.wire.port == 443 else None)
        self.plain = self.wire.by_http(port) if self.is_https and port else None
        self._replies: dict[object, Reply] = {}
        self._fault = ""

    def below(self, path: str, method: str = "GET", headers: Headers | None = None, form: Headers | None = None) -> Reply:
        """Ask for a path below the issuer, once. Raises NotSeen."""
        return self.at(self.mount + path, method, headers, form)

    def at(self, path: str, method: str = "GET", headers: Headers | None = None, form: Headers | None = None) -> Reply:
        """Ask for a path of the host, once; a server that never answered is not asked again. Raises NotSeen."""
        key = (method, path, str(headers), str(form))
        if key not in self._replies:
            if self._fault and not self._replies:
                raise NotSeen(self._fault)
            try:
                self._replies[key] = self.wire.ask(path, method, headers, form)
            except NoAnswer as fault:
                self._fault = str(fault)
                raise (Unusable if self._replies else NotSeen)(self._fault) from fault
        return self._replies[key]

    def object_at(self, path: str) -> Document:
        """Return the JSON object at a path of the host. Raises NotSeen."""
        reply = self.at(path)
        if reply.status != 200:
            raise Unusable(f"{self.origin}{path} answered {reply.status}, not 200{leads(reply)}")
        document = reply.json()
        if document is None:
            raise Unusable(f"{self.origin}{path} is not JSON: it begins with {reply.text[:40]!r}")
        if not isinstance(document, dict):
            raise Unusable(f"{self.origin}{path} is JSON, but not an object")
        return document

    @property
    def openid(self) -> Document:
        """The document of OpenID Connect Discovery."""
        return self.object_at(self.mount + OPENID)

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

    def is_place(self, url: object) -> bool:
        """Tell whether a URL is below the issuer, with the issuer's path in it once."""
        is_doubled = bool(self.mount) and str(url).startswith(f"{self.issuer}{self.mount}/")
        return isinstance(url, str) and url.startswith(f"{self.issuer}/") and not is_doubled

    def close(self) -> None:
        """Give back what is open."""
        for wire in filter(None, (self.wire, self.plain)):
            wire.close()


def _split(url: str) -> Any:
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
