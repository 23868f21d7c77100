"""What one specification adds to the server, as data; specs.py lists them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authserver.oauth.authorization.draft import Draft
    from authserver.oauth.authorization.interaction import Fail, Situation, Step
    from authserver.oauth.client_auth import ClientAuthMethod
    from authserver.oauth.endpoint import Endpoint
    from authserver.oauth.grant import Grant
    from authserver.oauth.issuance import Authorization
    from authserver.oauth.server import Server
    from authserver.runtime.settings import Settings

    RequestCheck = Callable[[Server, Draft], Mapping[str, Any]]
    InteractionStep = Callable[[Situation], Step | Fail | None]
    TokenExtra = Callable[[Server, Authorization, str], Mapping[str, str]]
    ResponseMode = Callable[[str, Mapping[str, str]], str | None]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One specification. `name` is what AUTHSERVER_SPECIFICATIONS_OFF takes, with `-` for spaces.

    `request_checks` read an authorization request in order; `steps` say which page comes next; `token_extras` add
    members to a token response; `metadata` gives members of the discovery documents.
    """

    name: str
    title: str
    url: str
    grants: tuple["type[Grant]", ...] = ()
    endpoints: Mapping[str, "type[Endpoint]"] = field(default_factory=dict)
    client_auth: tuple["ClientAuthMethod", ...] = ()
    request_checks: tuple["RequestCheck", ...] = ()
    steps: tuple["InteractionStep", ...] = ()
    response_modes: Mapping[str, "ResponseMode"] = field(default_factory=dict)
    token_extras: tuple["TokenExtra", ...] = ()
    metadata: "Callable[[Settings], Mapping[str, Any]]" = field(default=lambda _settings: {})
    required: bool = False
