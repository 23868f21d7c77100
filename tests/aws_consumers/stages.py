"""Stages of API Gateway behind Lambda authorizers, with the cache that serves all routes; and an HTTP API out of a serverless.yml.

REST API developer guide, "Use API Gateway Lambda authorizers" and "Output from an API Gateway Lambda authorizer"; HTTP
API developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.authorizer.events import STAGE, http_2, rest_token
from tests.aws_consumers.gateway import HttpApiAuthorizer
from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import Now, Refused

Invoke = Callable[[Mapping[str, Any]], Any]


class Failed(Exception):
    """A function raised: the text is its error's message."""


@dataclass
class RestStage:
    """A stage with a TOKEN authorizer: its policy is kept under the token, and used for every method, until `ttl` is over."""

    invoke: Invoke
    now: Now
    ttl: int = 300
    kept: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def request(self, method: str, path: str, authorization: str = "") -> int:
        """Return the status that the caller sees; 200 where the integration is called."""
        if not authorization:
            return 401
        at, policy = self.kept.get(authorization, (0, None))
        if policy is None or self.now() >= at + self.ttl:
            try:
                policy = self.invoke(rest_token(authorization, method, path))
            except Failed as failed:
                return 401 if str(failed) == "Unauthorized" else 500
            if not is_policy(policy):
                return 500
            self.kept[authorization] = (self.now(), policy)
        return 200 if allows(policy["policyDocument"]["Statement"], f"{STAGE}/{method}{path}") else 403


def is_policy(answer: Any) -> bool:
    """Tell whether a REST API can use an answer: a principal, a policy, and a context of flat values."""
    match answer:
        case {"principalId": str(), "policyDocument": {"Statement": [*_]}}:
            return all(isinstance(value, (str, int, float, bool)) for value in answer.get("context", {}).values())
    return False


def allows(statements: list[Mapping[str, Any]], arn: str) -> bool:
    """Evaluate a policy: a Deny wins, and what nothing allows is denied."""
    effects = {statement["Effect"] for statement in statements if fnmatchcase(arn, statement["Resource"])}
    return effects == {"Allow"}


@dataclass
class HttpStage:
    """A stage of an HTTP API with payload format 2.0 and simple responses, kept under the Authorization header."""

    invoke: Invoke
    now: Now
    ttl: int = 300
    kept: dict[str, tuple[int, bool]] = field(default_factory=dict)
    context: Any = None

    def request(self, method: str, path: str, authorization: str = "") -> int:
        """Return the status that the caller sees; 200 where the integration is called."""
        if not authorization:
            return 401
        at, is_authorized = self.kept.get(authorization, (-self.ttl, False))
        if self.now() >= at + self.ttl:
            try:
                answer = self.invoke(http_2(authorization, method, path))
            except Failed:
                return 500
            if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
                return 500
            is_authorized, self.context = answer["isAuthorized"], answer.get("context")
            self.kept[authorization] = (self.now(), is_authorized)
        return 200 if is_authorized else 403


@dataclass
class ServerlessApi:
    """The HTTP API that the Serverless Framework makes of a serverless.yml; `invoke` calls a function by its handler's name.

    Serverless Framework, "HTTP API (API Gateway v2)": `provider.httpApi.authorizers`, `functions.*.events.httpApi`.
    """

    config: Mapping[str, Any]
    internet: Internet
    now: Now
    invoke: Callable[[str, Mapping[str, Any]], Any]

    def __post_init__(self) -> None:
        """Deploy it. Raises Refused."""
        self.authorizers = {name: self._authorizer(made) for name, made in self.config["provider"]["httpApi"]["authorizers"].items()}
        events = [(function, event["httpApi"]) for function in self.config["functions"].values() for event in function["events"]]
        self.routes = {f"{event['method'].upper()} {event['path']}": (function["handler"], event) for function, event in events}

    def _authorizer(self, made: Mapping[str, Any]) -> HttpApiAuthorizer:
        if made["type"] != "jwt" or made["identitySource"] != "$request.header.Authorization":
            raise Refused("configuration")
        audience = made["audience"]
        return HttpApiAuthorizer(made["issuerUrl"], tuple([audience] if isinstance(audience, str) else audience), self.internet, self.now)

    def request(self, method: str, path: str, authorization: str = "", body: str = "") -> tuple[int, Any]:
        """Return the status, and what the function answered where it was called."""
        handler, route = self.routes[f"{method} {path}"]
        wanted = route["authorizer"]
        try:
            claims = self.authorizers[wanted["name"]].authorize(authorization, wanted.get("scopes", ()))
        except Refused as refused:
            return refused.status, None
        event = {**http_2(authorization, method, path), "body": body}
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": wanted.get("scopes")}}
        answer = self.invoke(handler, event)
        return answer["statusCode"], answer["body"]
