"""What API Gateway is told: an IAM policy, or the simple response of HTTP API 2.0, and what the backend may know.

An answer is cached under the token and used for every route of the stage, so an Allow names the whole stage: one that
named the asked method alone would turn the next route away. Only where routes need scopes of their own, and answers
are cached without regard to the route, does it name what was asked for and nothing else.
"""

import json
from typing import Any

from authserver.authorizer.event import HTTP_2, WEBSOCKET, Question
from authserver.authorizer.routes import needed_scopes
from authserver.authorizer.settings import Settings
from authserver.authorizer.verify import VerifiedClaims, scopes_of

ALWAYS = ("sub", "client_id", "scope", "iss", "jti", "exp")
NOBODY = "nobody"

Answer = dict[str, Any]


def answer(question: Question, claims: VerifiedClaims, settings: Settings) -> Answer:
    """Return Allow where the scopes suffice, and Deny, which is 403, where they do not."""
    if not is_permitted(question, claims, settings):
        return deny(question, settings, claims["sub"])
    context = _context(question.kind, claims, settings)
    if is_simple(question, settings):
        return {"isAuthorized": True, "context": context}
    whole = question.kind == WEBSOCKET or not settings.routes or settings.cached_by_route
    return _policy("Allow", f"{question.stage}/*" if whole else question.arn, claims["sub"], context)


def deny(question: Question, settings: Settings, principal: str = NOBODY) -> Answer:
    """Return a refusal; it names the whole stage only where no other route could be open to the same token."""
    if is_simple(question, settings):
        return {"isAuthorized": False, "context": {}}
    whole = principal == NOBODY or not settings.routes
    return _policy("Deny", f"{question.stage}/*" if whole else question.arn, principal, {})


def is_permitted(question: Question, claims: VerifiedClaims, settings: Settings) -> bool:
    """Tell whether the token's scopes open the route."""
    if not settings.routes:
        return settings.scopes <= scopes_of(claims)
    needed = needed_scopes(settings.routes, question.route)
    if needed is None or not needed <= scopes_of(claims):
        return False
    return question.kind == WEBSOCKET or settings.cached_by_route or not _is_pattern(question.arn)


def is_simple(question: Question, settings: Settings) -> bool:
    """Tell whether API Gateway expects isAuthorized instead of a policy."""
    return settings.simple_responses and question.kind == HTTP_2


def _is_pattern(arn: str) -> bool:
    """Tell whether a path that somebody asked for would mean more than itself in a policy."""
    return "*" in arn or "?" in arn or "${" in arn


def _policy(effect: str, resource: str, principal: str, context: dict[str, Any]) -> Answer:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, "context": context}


def _context(kind: str, claims: VerifiedClaims, settings: Settings) -> dict[str, Any]:
    """Return the claims that the backend gets; only HTTP API 2.0 takes anything but flat texts."""
    chosen = {name: claims[name] for name in (*ALWAYS, *settings.context) if name in claims}
    return chosen if kind == HTTP_2 else {name: _flat(value) for name, value in chosen.items()}


def _flat(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
