"""Leaving Cognito: a password that is not known here is checked once with the user pool that people come from.

AWS: AdminInitiateAuth with ADMIN_USER_PASSWORD_AUTH, then AdminGetUser and AdminListGroupsForUser. No transaction is open
while AWS is waited for. A wrong password and an unknown person are refused alike, whatever the pool's own setting is;
what else stands between a person and their account is told, since Cognito tells it only after the right password. Of
PasswordResetRequiredException that is not certain: there the password was taken away, so that none is right.

Whoever has no password here waits for Cognito and whoever has one does not: while people come over, the time of a
refusal tells who has come already. It ends with AUTHSERVER_COGNITO_UNTIL.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authserver.crypto.jose import TokenRefused, peek
from authserver.runtime import Runtime
from authserver.runtime.aws import AwsRefused
from authserver.runtime.aws_http import AwsUnreachable
from authserver.runtime.cognito import CognitoPool

SERVICE = "cognito-idp"
MOST_NAME, MOST_PASSWORD = 128, 256
"""Characters that Cognito takes; what is longer is not asked for."""
MOST_PAGES = 5
WRONG = frozenset({"NotAuthorizedException", "UserNotFoundException", "UserLambdaValidationException"})
STEPS = {
    "NEW_PASSWORD_REQUIRED": "new_password",
    "PasswordResetRequiredException": "new_password",
    "UserNotConfirmedException": "unconfirmed",
}


class NotMoved(Exception):
    """The person does not come over; `because` is for the audit, and everybody reads the same text as for a wrong password."""

    def __init__(self, because: str) -> None:
        """Keep the reason."""
        super().__init__(because)
        self.because = because


class StepLeft(NotMoved):
    """The password is right, but Cognito wants something more: `step` is new_password, unconfirmed or second_step."""

    def __init__(self, wanted: str) -> None:
        """Keep what Cognito calls it, and which page says what to do."""
        super().__init__(f"Cognito wants {wanted}"[:255])
        self.step = STEPS.get(wanted, "second_step")


class CognitoAway(Exception):
    """Cognito cannot say whether the password is right: it is throttled, away, or not set up as it must be."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person as Cognito describes them: attributes by name, `sub` and `email` among them, and groups."""

    attributes: Mapping[str, str]
    groups: tuple[str, ...]


def ask(runtime: Runtime, pool: CognitoPool, email: str, password: str) -> Newcomer:
    """Return the person of the pool who has this address and password.

    Raises NotMoved for everybody else, StepLeft where the password is right and not enough, and CognitoAway.
    """
    if "@" not in email or len(email) > MOST_NAME or len(password) > MOST_PASSWORD:
        raise NotMoved("no password here, and nothing that Cognito could know")
    try:
        subject = _check_password(runtime, pool, email, password)
        return _describe(runtime, pool, email, subject)
    except (AwsRefused, AwsUnreachable, TokenRefused) as fault:
        raise CognitoAway(f"Cognito: {fault}") from fault


def secret_hash(pool: CognitoPool, name: str) -> str:
    """Return the proof that a client with a secret gives with a name (AWS: Computing secret hash values)."""
    mac = hmac.digest(pool.client_secret.encode(), (name + pool.client_id).encode(), hashlib.sha256)
    return base64.b64encode(mac).decode()


def _check_password(runtime: Runtime, pool: CognitoPool, email: str, password: str) -> str:
    """Return the `sub` of whom the password is. Raises NotMoved, AwsRefused, AwsUnreachable, TokenRefused."""
    parameters = {"USERNAME": email, "PASSWORD": password}
    if pool.client_secret:
        parameters["SECRET_HASH"] = secret_hash(pool, email)
    body = {"ClientId": pool.client_id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters}
    try:
        answer = _call(runtime, pool, "AdminInitiateAuth", body)
    except AwsRefused as refused:
        if refused.code in WRONG:
            raise NotMoved(f"Cognito: {refused.code}") from None
        if refused.code in STEPS:
            raise StepLeft(refused.code) from None
        raise
    if not answer.get("AuthenticationResult"):
        raise StepLeft(str(answer.get("ChallengeName", "something unknown")))
    return str(peek(str(answer["AuthenticationResult"].get("AccessToken"))).claims.get("sub"))


def _describe(runtime: Runtime, pool: CognitoPool, email: str, subject: str) -> Newcomer:
    """Return the person whose password was right; an address may lead to another one than a moment ago, or than for a password."""
    user = _call(runtime, pool, "AdminGetUser", {"Username": email})
    attributes = {str(item["Name"]): str(item.get("Value", "")) for item in user.get("UserAttributes", ())}
    if attributes.get("sub") != subject:
        raise NotMoved("the password is another one's at Cognito")
    if not user.get("Enabled", True):
        raise NotMoved("user disabled in Cognito")
    name = str(user["Username"])
    return Newcomer({**attributes, "cognito:username": name}, _groups(runtime, pool, name))


def _groups(runtime: Runtime, pool: CognitoPool, name: str) -> tuple[str, ...]:
    found: list[str] = []
    more: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = _call(runtime, pool, "AdminListGroupsForUser", {"Username": name, "Limit": 60, **more})
        found += [str(group["GroupName"]) for group in answer.get("Groups", ())]
        if not answer.get("NextToken"):
            break
        more = {"NextToken": answer["NextToken"]}
    return tuple(found)


def _call(runtime: Runtime, pool: CognitoPool, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return runtime.aws.call(SERVICE, action, {"UserPoolId": pool.user_pool, **body}, region=pool.region)
