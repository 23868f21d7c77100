"""The authenticate-oidc action of an Application Load Balancer.

ELB user guide, "Authenticate users using an Application Load Balancer"; ELB API reference, AuthenticateOidcActionConfig.
"""

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.aws_consumers.internet import Internet, Received
from tests.aws_consumers.tokens import Claims, Now, Refused, audiences, check_times, discover, read

REDIRECT_URI = "https://app.example.org/oauth2/idpresponse"
MOST_CLAIMS_BYTES = 11_000  # more ends as HTTP 500, "the claims returned by the IdP exceeded 11K bytes"
SIGNER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/example/1234567890abcdef"


@dataclass
class LoadBalancer:
    """A confidential client: the code flow with `state`, neither PKCE nor `nonce`; the secret goes in Basic.

    The operator types in issuer and endpoints; there is no place for keys, so that the ID token's signature is not looked
    at: it came from the token endpoint, over TLS. Userinfo must be JSON. What the target gets are userinfo's claims, as
    a JWT that the load balancer signs with ES256.
    """

    issuer: str
    client_id: str
    client_secret: str
    internet: Internet
    now: Now
    scope: str = "openid"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    pending: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the action: each endpoint is a full URL with https. Raises Refused."""
        self.endpoints = discover(self.internet, self.issuer)
        names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        if any(urlsplit(url).scheme != "https" for url in (self.issuer, *(self.endpoints[name] for name in names))):
            raise Refused("endpoint")

    def begin(self) -> str:
        """Return where an unauthenticated browser is sent."""
        self.pending.append(f"state-{len(self.pending)}")
        request = {"client_id": self.client_id, "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": self.scope}
        return f"{self.endpoints['authorization_endpoint']}?{urlencode({**request, 'state': self.pending[-1]})}"

    def finish(self, address: str) -> dict[str, str]:
        """Return the headers that the target gets. Raises Refused."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if answer.get("state") not in self.pending or "code" not in answer:
            raise Refused(answer.get("error", "state"))
        tokens = self._redeem(answer["code"])
        subject = self.read_id_token(tokens["id_token"])["sub"]
        claims = self._userinfo(tokens["access_token"], subject)
        headers = {
            "x-amzn-oidc-identity": subject,
            "x-amzn-oidc-accesstoken": tokens["access_token"],
            "x-amzn-oidc-data": self._sign(claims),
        }
        if sum(map(len, headers.values())) > MOST_CLAIMS_BYTES:
            raise Refused("size", 500)
        return headers

    def _redeem(self, code: str) -> Any:
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        received = self.internet.post(self.endpoints["token_endpoint"], form, {"Authorization": f"Basic {pair}"})
        if received.status != 200 or received.json["token_type"].lower() != "bearer":
            raise Refused(received.json["error"], 561)
        return received.json

    def read_id_token(self, token: str) -> Claims:
        """Return the claims of an ID token of this issuer for this client. Raises Refused."""
        _, claims = read(token)
        if claims.get("iss") != self.issuer:
            raise Refused("issuer")
        if self.client_id not in audiences(claims):
            raise Refused("audience")
        check_times(claims, self.now())
        if not isinstance(claims.get("sub"), str):
            raise Refused("claim")
        return claims

    def _userinfo(self, access_token: str, subject: str) -> Claims:
        received: Received = self.internet.get(self.endpoints["userinfo_endpoint"], {"Authorization": f"Bearer {access_token}"})
        if received.status != 200 or not isinstance(received.json, dict):
            raise Refused("userinfo", 561)
        if received.json.get("sub") != subject:
            raise Refused("claim", 561)
        return received.json

    def _sign(self, claims: Claims) -> str:
        header = {"kid": "the-key-of-a-region", "signer": SIGNER, "iss": self.issuer, "client": self.client_id, "exp": self.now() + 120}
        return jwt.encode(claims, self.key, "ES256", header)
