"""What a request says, read strictly: one source of parameters, none repeated (RFC 6749 sections 3.1 and 3.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749.requests import OAuth2Payload, OAuth2Request

from authserver.oauth.errors import InvalidRequestError, refuse
from authserver.store.client import Client

REPEATABLE = frozenset({"resource"})
LONGEST = {"scope": 1024, "state": 8192, "nonce": 1024}
LONGEST_OTHER = 16 * 1024

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request without its framework; `form` is None unless the body was a form (or, at /authorize, the query)."""

    method: str
    form: tuple[tuple[str, str], ...] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Payload(OAuth2Payload):
    """Parameters by name; an empty one is absent."""

    def __init__(self, pairs: Pairs) -> None:
        """Read the pairs."""
        self._lists: dict[str, list[str]] = {}
        for name, value in pairs:
            if value:
                self._lists.setdefault(name, []).append(value)
        self._data = {name: values[0] for name, values in self._lists.items()}

    def check(self) -> None:
        """Refuse a repeated or an overlong parameter. Raises InvalidRequestError."""
        for name, values in self._lists.items():
            _check_parameter(name, values)

    @property
    def data(self) -> dict[str, str]:
        """First values by name."""
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        """All values by name."""
        return self._lists

    def get(self, name: str) -> str | None:
        """Return a parameter."""
        return self._data.get(name)


class AsRequest(OAuth2Request):
    """A request to one of our endpoints; unlike Authlib's it never looks at the URL.

    `claimed_client` is whom it says it is from, proven or not.
    """

    payload: Payload
    client: Client

    def __init__(self, message: Message, pairs: Pairs) -> None:
        """Take the parameters from `pairs` alone. Raises InvalidRequestError."""
        self.method = message.method
        self.headers = message.headers
        self.payload = Payload(pairs)
        self.payload.check()
        self.auth_method: str | None = None
        self.claimed_client = self.payload.get("client_id") or ""
        self._scope = None


def body_request(message: Message) -> AsRequest:
    """Read a request whose parameters come in a form body; the query string is never believed."""
    if message.form is None:
        error = InvalidRequestError("The body must be application/x-www-form-urlencoded.")
        refuse(error, because="body is not a form")
    return AsRequest(message, message.form)


def _check_parameter(name: str, values: list[str]) -> None:
    if len(values) > 1 and name not in REPEATABLE:
        refuse(InvalidRequestError("A parameter is repeated."), because=f"repeated parameter {name[:64]!r}")
    if max(map(len, values)) > LONGEST.get(name, LONGEST_OTHER) or len(values) > 16:
        refuse(InvalidRequestError("A parameter is too long."), because=f"parameter {name[:64]!r} too long")
