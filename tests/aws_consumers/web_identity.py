"""AWS credentials for a token of ours: IAM's OIDC provider with STS AssumeRoleWithWebIdentity, and Cognito identity pools."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import EC, RSA, Claims, KeyCache, Now, Refused, audiences, check_times, discover, verified

MOST_CHARACTERS = 20_000  # STS API reference, WebIdentityToken: 4 to 20,000 characters
MOST_CLIENTS, LONGEST_CLIENT = 100, 255  # IAM API reference, CreateOpenIDConnectProvider: ClientIDList
GRACE = 300  # IAM user guide, "OIDC federation": five minutes after `exp` are granted for clocks that differ


@dataclass
class IamProvider:
    """IAM user guide, "Create an OpenID Connect (OIDC) identity provider in IAM".

    The URL starts with https and has neither a port nor a query; a path is allowed. RS* and ES*. Times are integers.
    `aud` is one of the registered client ids. Several audiences at once are refused, since AWS says nothing of them.
    """

    url: str
    client_ids: tuple[str, ...]
    internet: Internet
    now: Now
    keys: KeyCache = field(init=False)

    def __post_init__(self) -> None:
        """Create it. Raises Refused."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" or parts.port is not None or "?" in self.url or "#" in self.url:
            raise Refused("issuer")
        if not 0 < len(self.client_ids) <= MOST_CLIENTS or any(len(name) > LONGEST_CLIENT for name in self.client_ids):
            raise Refused("audience")
        self.keys = KeyCache(self.internet, self.now, 3600, looks_again=True)
        self.jwks_uri = discover(self.internet, self.url)["jwks_uri"]

    @property
    def name(self) -> str:
        """How roles and identity pools call it: the URL without its scheme."""
        return self.url.removeprefix("https://")

    def claims_of(self, token: str) -> Claims:
        """Return the claims of a good token. Raises Refused."""
        if not 4 <= len(token) <= MOST_CHARACTERS:
            raise Refused("size")
        claims = verified(token, RSA + EC, lambda kid: self.keys.find(self.jwks_uri, kid))
        if claims.get("iss") != self.url:
            raise Refused("issuer")
        if len(audiences(claims)) != 1 or not audiences(claims) <= set(self.client_ids):
            raise Refused("audience")
        check_times(claims, self.now(), grace=GRACE)
        if not isinstance(claims.get("sub"), str):
            raise Refused("claim")
        return claims


def assume_role_with_web_identity(provider: IamProvider, token: str, *, condition: Mapping[str, str] | None = None) -> dict[str, str]:
    """STS API reference, AssumeRoleWithWebIdentity: what the answer says of the token. Raises Refused.

    `condition` is the StringEquals of the role's trust policy, by `aud` and `sub`: the claims that IAM knows there.
    """
    claims = provider.claims_of(token)
    known = {"aud": next(iter(audiences(claims))), "sub": claims["sub"]}
    if any(known[name] != value for name, value in (condition or {}).items()):
        raise Refused("trust policy", 403)
    return {"SubjectFromWebIdentityToken": known["sub"], "Audience": known["aud"], "Provider": f"oidc-provider/{provider.name}"}


@dataclass
class IdentityPool:
    """Cognito developer guide, "OIDC providers" of identity pools: GetId and GetCredentialsForIdentity with `Logins`."""

    provider: IamProvider
    identities: dict[str, str] = field(default_factory=dict)

    def get_id(self, logins: Mapping[str, str]) -> str:
        """Return the identity of whoever the ID token in `Logins` names, the same each time. Raises Refused."""
        ((name, token),) = logins.items()
        if name != self.provider.name:
            raise Refused("provider")
        subject = self.provider.claims_of(token)["sub"]
        return self.identities.setdefault(subject, f"eu-central-1:{len(self.identities):08d}")
