"""A Cognito user pool whose OIDC identity provider is ours (Cognito developer guide, "Using OIDC identity providers with a user pool")."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import EC, RSA, Claims, KeyCache, Now, Refused, audiences, check_times, discover, verified

REDIRECT_URI = "https://example.auth.eu-central-1.amazoncognito.com/oauth2/idpresponse"
LONGEST_ATTRIBUTE = 2048
MAPPING = {"email": "email", "email_verified": "email_verified", "name": "name"}


@dataclass
class UserPool:
    """The client authenticates by client_secret_post, never Basic; the code flow has `state` and `nonce`, and no PKCE is assumed.

    All endpoints by https on 443 (or 80). ID tokens and keys have a `kid`; RS* and ES* (HS* would need the client's
    secret). Attributes come from the ID token and userinfo, and every one is a text of at most 2,048 characters.
    """

    issuer: str
    client_id: str
    client_secret: str
    internet: Internet
    now: Now
    scope: str = "openid email profile"
    attributes_request_method: str = "GET"
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    keys: KeyCache = field(init=False)

    def __post_init__(self) -> None:
        """Create the provider: Cognito finds the endpoints by discovery. Raises Refused."""
        self.keys = KeyCache(self.internet, self.now, 3600, looks_again=True)
        self.endpoints = discover(self.internet, self.issuer)
        names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        places = [urlsplit(self.endpoints[name]) for name in names]
        if any(place.scheme != "https" or place.port not in (None, 80, 443) for place in places):
            raise Refused("endpoint")

    def begin(self) -> str:
        """Return where the browser is sent."""
        number = len(self.pending)
        state, nonce = f"state-{number}", f"nonce-{number}"
        self.pending[state] = nonce
        request = {"client_id": self.client_id, "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": self.scope}
        return f"{self.endpoints['authorization_endpoint']}?{urlencode({**request, 'state': state, 'nonce': nonce})}"

    def finish(self, address: str) -> dict[str, str]:
        """Return the pool's user for whoever comes back to `address`. Raises Refused."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        nonce = self.pending.pop(answer.get("state", ""), None)
        if nonce is None or "code" not in answer:
            raise Refused(answer.get("error", "state"))
        tokens = self._redeem(answer["code"])
        claims = self.read_id_token(tokens["id_token"], nonce)
        return self._user({**claims, **self._userinfo(tokens["access_token"], claims["sub"])})

    def _redeem(self, code: str) -> Any:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        own = {"client_id": self.client_id, "client_secret": self.client_secret}
        received = self.internet.post(self.endpoints["token_endpoint"], {**form, **own})
        if received.status != 200:
            raise Refused(received.json["error"])
        return received.json

    def read_id_token(self, token: str, nonce: str) -> Claims:
        """Return the claims of an ID token that is for this pool. Raises Refused."""
        claims = verified(token, RSA + EC, lambda kid: self.keys.find(self.endpoints["jwks_uri"], kid))
        if claims.get("iss") != self.issuer:
            raise Refused("issuer")
        if audiences(claims) != {self.client_id}:
            raise Refused("audience")
        check_times(claims, self.now())
        if claims.get("nonce") != nonce:
            raise Refused("nonce")
        if not isinstance(claims.get("sub"), str):
            raise Refused("claim")
        return claims

    def _userinfo(self, access_token: str, subject: str) -> Claims:
        ask = self.internet.get if self.attributes_request_method == "GET" else lambda url, headers: self.internet.post(url, {}, headers)
        received = ask(self.endpoints["userinfo_endpoint"], {"Authorization": f"Bearer {access_token}"})
        if received.status != 200 or not isinstance(received.json, dict):
            raise Refused("userinfo")
        if received.json.get("sub") != subject:
            raise Refused("claim")
        return received.json

    def _user(self, claims: Claims) -> dict[str, str]:
        attributes = {name: _text(claims[claim]) for name, claim in MAPPING.items() if claim in claims}
        if any(len(value) > LONGEST_ATTRIBUTE for value in attributes.values()):
            raise Refused("size")
        return self.users.setdefault(claims["sub"], {"username": f"authserver_{claims['sub']}"}) | attributes


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
