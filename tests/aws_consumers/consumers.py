"""Each consumer, set up for the same server, as one function that takes a token or raises Refused."""

from collections.abc import Callable, Mapping

from authserver.authorizer.handler import Authorizer
from authserver.authorizer.refusal import Unauthorized
from authserver.authorizer.settings import read_settings
from tests.authorizer.events import rest_request
from tests.aws_consumers.appsync import AppSync
from tests.aws_consumers.gateway import HttpApiAuthorizer, RestApiAuthorizer
from tests.aws_consumers.internet import Internet
from tests.aws_consumers.load_balancer import LoadBalancer
from tests.aws_consumers.tokens import Now, Refused, audiences, read
from tests.aws_consumers.user_pool import UserPool
from tests.aws_consumers.web_identity import IamProvider, IdentityPool, assume_role_with_web_identity
from tests.aws_consumers.world import APIS, NONCE, OPAQUE_API
from tests.factories import ISSUER

SCOPE = "read"
Take = Callable[[str], object]

WORDS = {
    "opaque, and introspection is not set up": "form",
    "not a compact JWS": "form",
    "typ is not at+jwt: an ID token, or another JWT": "type",
    "alg is not allowed": "algorithm",
    "kid is missing, or an extension is critical": "key",
    "kid is unknown": "key",
    "signature does not verify": "signature",
    "another issuer": "issuer",
    "another audience": "audience",
    "exp or iat is missing, or a time is not an integer": "time",
    "expired": "time",
    "not valid yet": "time",
    "sub, client_id or jti is missing": "claim",
}
"""What our authorizer writes to its log, in the words of the table."""


def make_consumers(internet: Internet, now: Now, client_ids: tuple[str, ...]) -> Mapping[str, Take]:
    """Set all of them up: APIs expect their identifiers and the scope `read`, the others the client ids."""
    audience = (*APIS.values(), OPAQUE_API)
    http_api = HttpApiAuthorizer(ISSUER, audience, internet, now)
    rest_api = RestApiAuthorizer({ISSUER: audience}, internet, now)
    iam = IamProvider(ISSUER, client_ids, internet, now)
    pool = IdentityPool(iam)
    appsync = AppSync(ISSUER, internet, now, client_id="|".join(client_ids), iat_ttl=3_600_000, auth_ttl=3_600_000)
    pools = {name: UserPool(ISSUER, name, "", internet, now) for name in client_ids}
    balancers = {name: LoadBalancer(ISSUER, name, "", internet, now) for name in client_ids}
    return {
        "HTTP API": lambda token: http_api.authorize(f"Bearer {token}", [SCOPE]),
        "REST API": lambda token: rest_api.authorize(f"Bearer {token}", [SCOPE]),
        "STS": lambda token: assume_role_with_web_identity(iam, token),
        "identity pool": lambda token: pool.get_id({iam.name: token}),
        "user pool": lambda token: pools[client_of(token, client_ids)].read_id_token(token, NONCE),
        "AppSync": appsync.authorize,
        "load balancer": lambda token: balancers[client_of(token, client_ids)].read_id_token(token),
        "our authorizer": our_authorizer(internet, now, audience),
    }


def client_of(token: str, client_ids: tuple[str, ...]) -> str:
    """Return the client that a relying party would be set up as, to be given this token. Raises Refused."""
    return next(iter(audiences(read(token)[1]) & set(client_ids)), client_ids[0])


def our_authorizer(internet: Internet, now: Now, audience: tuple[str, ...]) -> Take:
    """authserver.authorizer, as the function of a REQUEST authorizer."""
    lines: list[str] = []
    environ = {"AUTHORIZER_ISSUER": ISSUER, "AUTHORIZER_AUDIENCE": " ".join(audience), "AUTHORIZER_SCOPES": SCOPE}
    authorizer = Authorizer(read_settings(environ), now, get=lambda url: internet.get(url).text.encode(), log=lines.append)

    def take(token: str) -> object:
        try:
            answer = authorizer.decide(rest_request(f"Bearer {token}"))
        except Unauthorized:
            raise Refused(next(word for text, word in WORDS.items() if f'"because":"{text}"' in lines[-1])) from None
        if answer["policyDocument"]["Statement"][0]["Effect"] != "Allow":
            raise Refused("scope", 403)
        return answer["context"]

    return take
