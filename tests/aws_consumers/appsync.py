"""AppSync's OPENID_CONNECT authorization (AppSync developer guide, "Configuring authorization and authentication")."""

import re
from dataclasses import dataclass, field

from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import EC, PSS, RSA, Claims, KeyCache, Now, Refused, audiences, check_times, discover, verified


@dataclass
class AppSync:
    """RS*, PS* and ES*; the issuer is the discovery document's; `iat` must be there, `auth_time` where `auth_ttl` is set.

    `client_id` is a regular expression that `aud` or `azp` must match; without one, every token of the issuer's is taken.
    The lives `iat_ttl` and `auth_ttl` are milliseconds, as in OpenIDConnectConfig.
    """

    issuer: str
    internet: Internet
    now: Now
    client_id: str | None = None
    iat_ttl: int | None = None
    auth_ttl: int | None = None
    keys: KeyCache = field(init=False)

    def __post_init__(self) -> None:
        """Create it. Raises Refused."""
        self.keys = KeyCache(self.internet, self.now, 3600, looks_again=True)
        self.jwks_uri = discover(self.internet, self.issuer)["jwks_uri"]

    def authorize(self, identity: str) -> Claims:
        """Return the claims, which resolvers find as `$ctx.identity.claims`. Raises Refused."""
        token = identity.removeprefix("Bearer ")
        claims = verified(token, RSA + PSS + EC, lambda kid: self.keys.find(self.jwks_uri, kid))
        if claims.get("iss") != self.issuer:
            raise Refused("issuer")
        self._check_client(claims)
        check_times(claims, self.now())
        self._check_age(claims, "iat", self.iat_ttl)
        self._check_age(claims, "auth_time", self.auth_ttl)
        return claims

    def _check_client(self, claims: Claims) -> None:
        if self.client_id is None:
            return
        if not any(re.fullmatch(self.client_id, name) for name in audiences(claims) | audiences(claims, "azp")):
            raise Refused("audience")

    def _check_age(self, claims: Claims, name: str, most: int | None) -> None:
        if most is not None and (type(claims.get(name)) is not int or (self.now() - claims[name]) * 1000 > most):
            raise Refused("time")
