"""What an endpoint of the admin API declares: its method and path, whom it serves, what it takes and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar, Unpack

from authserver.web.api.answers import Answer
from authserver.web.api.models import Body, Query, Shape

Act = Callable[..., Answer]
AnyAct = TypeVar("AnyAct", bound=Act)

READS = ("GET",)


class Declared(TypedDict, total=False):
    """What is not the same for all endpoints; see Endpoint."""

    answer: type[Shape] | None
    status: int
    query: type[Query] | None
    body: type[Body] | None
    conditional: bool
    fresh: bool
    fails: tuple[str, ...]
    lines: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method at one path below /admin/api/v1.

    `act` gets the path's parts, and `query`, `body` and `expected` where the endpoint takes a query, a body or If-Match.
    `fresh`: a person must have signed in a short while ago. `fails`: codes of PROBLEMS beside those that every endpoint
    of its sort has. `lines`: the answer can also be had as JSON lines.
    """

    method: str
    path: str
    act: Act
    permission: str
    answer: type[Shape] | None = None
    status: int = 200
    query: type[Query] | None = None
    body: type[Body] | None = None
    conditional: bool = False
    fresh: bool = False
    fails: tuple[str, ...] = ()
    lines: bool = False

    @property
    def name(self) -> str:
        """The name of the operation, in the document and in metrics."""
        return str(getattr(self.act, "__name__", ""))

    @property
    def problems(self) -> frozenset[str]:
        """What can go wrong here: codes of PROBLEMS."""
        return ALWAYS.union(self.fails, *(codes for applies, codes in FAILURES if applies(self)))


ALWAYS = frozenset({"malformed-request", "no-token", "invalid-token", "insufficient-scope", "invalid", "server-error", "unavailable"})
FAILURES: tuple[tuple[Callable[[Endpoint], bool], tuple[str, ...]], ...] = (
    (lambda endpoint: "<" in endpoint.path, ("not-found",)),
    (lambda endpoint: endpoint.answer is not None, ("not-acceptable",)),
    (lambda endpoint: endpoint.body is not None, ("too-large", "unsupported-media-type")),
    (lambda endpoint: endpoint.method not in READS, ("forbidden", "conflict")),
    (lambda endpoint: endpoint.method == "POST", ("too-large", "key-in-use", "key-reused")),
    (lambda endpoint: endpoint.conditional, ("changed",)),
    (lambda endpoint: endpoint.fresh, ("sign-in-too-old",)),
)
"""The problems of the sorts of endpoints, beside those of all."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The endpoints of one resource; `about` is what the document says of it."""

    name: str
    about: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, permission: str, **declared: Unpack[Declared]) -> Callable[[AnyAct], AnyAct]:
        """Declare an endpoint that reads."""
        return self._declare("GET", path, permission, declared)

    def post(self, path: str, permission: str, **declared: Unpack[Declared]) -> Callable[[AnyAct], AnyAct]:
        """Declare an endpoint that makes something, and that takes an Idempotency-Key."""
        return self._declare("POST", path, permission, declared)

    def put(self, path: str, permission: str, **declared: Unpack[Declared]) -> Callable[[AnyAct], AnyAct]:
        """Declare an endpoint that replaces something."""
        return self._declare("PUT", path, permission, declared)

    def patch(self, path: str, permission: str, **declared: Unpack[Declared]) -> Callable[[AnyAct], AnyAct]:
        """Declare an endpoint that takes a JSON Merge Patch."""
        return self._declare("PATCH", path, permission, declared)

    def delete(self, path: str, permission: str, **declared: Unpack[Declared]) -> Callable[[AnyAct], AnyAct]:
        """Declare an endpoint that deletes or ends something."""
        return self._declare("DELETE", path, permission, declared)

    def _declare(self, method: str, path: str, permission: str, declared: Any) -> Callable[[AnyAct], AnyAct]:
        def keep(act: AnyAct) -> AnyAct:
            self.endpoints.append(Endpoint(method=method, path=path, act=act, permission=permission, **declared))
            return act

        return keep
