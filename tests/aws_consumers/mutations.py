"""Tokens of ours that went wrong in one way each, signed anew by a key that every consumer trusts: only the change can be the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from tests.authorizer import forge
from tests.clock import START

Change = Callable[[Any], Any] | object
ABSENT = object()


@dataclass(frozen=True)
class Mutation:
    """What changes in header and claims (a function of the value, a value, or ABSENT), and who refuses it with which word.

    `signed` makes the token of header and claims, where that is what goes wrong.
    """

    refused_by: Mapping[str, str]
    header: Mapping[str, Change] = field(default_factory=dict)
    claims: Mapping[str, Change] = field(default_factory=dict)
    alg: str = "RS256"
    signed: Callable[[dict[str, Any], dict[str, Any]], str] | None = None

    def token(self, claims: Mapping[str, Any], typ: str) -> str:
        """Return a token with these claims, gone wrong."""
        header = changed({"alg": self.alg, "typ": typ, "kid": f"forged-{self.alg}"}, self.header)
        altered = changed(claims, self.claims)
        return self.signed(header, altered) if self.signed else forge.sign(header, altered, self.alg, f"forged-{self.alg}")


def changed(members: Mapping[str, Any], changes: Mapping[str, Change]) -> dict[str, Any]:
    altered = {**members, **{name: change(members.get(name)) if callable(change) else change for name, change in changes.items()}}
    return {name: value for name, value in altered.items() if value is not ABSENT and value is not None}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{forge.encode_json(header)}.{forge.encode_json(claims)}."


def by_public_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """HS256, whose secret is the PEM of the public key: who hands a verifier the key and lets the token choose falls for it."""
    message = f"{forge.encode_json(header)}.{forge.encode_json(claims)}"
    secret = forge.key_of("RS256", "forged-RS256").as_pem(private=False)
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return f"{message}.{forge.encode(hmac.sign(message.encode(), secret))}"


def with_another_payload(header: dict[str, Any], claims: dict[str, Any]) -> str:
    head, _, signature = forge.sign(header, claims, "RS256", "forged-RS256").split(".")
    return f"{head}.{forge.encode_json({**claims, 'sub': 'somebody-else'})}.{signature}"


def from_now(seconds: int) -> int:
    """The clock of the tests, and some seconds."""
    return int(START.timestamp()) + seconds


def earlier(seconds: int) -> Callable[[int], int]:
    return lambda value: value - seconds


def later(seconds: int) -> Callable[[int], int]:
    return lambda value: value + seconds


OURS = "our authorizer"
GATEWAYS = ("HTTP API", "REST API", OURS)
CREDENTIALS = ("STS", "identity pool")
VERIFIERS = (*GATEWAYS, *CREDENTIALS, "user pool", "AppSync")
EVERYBODY = (*VERIFIERS, "load balancer")


def by(names: tuple[str, ...], reason: str) -> dict[str, str]:
    return dict.fromkeys(names, reason)


MUTATIONS: dict[str, Mutation] = {
    "nothing": Mutation({}),
    "iat with a fraction": Mutation(by(EVERYBODY, "time"), claims={"iat": lambda value: value + 0.5}),
    "exp with a fraction": Mutation(by(EVERYBODY, "time"), claims={"exp": lambda value: value + 0.5}),
    "exp as a text": Mutation(by(EVERYBODY, "time"), claims={"exp": str}),
    "no iat": Mutation(by(EVERYBODY, "time"), claims={"iat": ABSENT}),
    "no exp": Mutation(by(EVERYBODY, "time"), claims={"exp": ABSENT}),
    "expired": Mutation(by(EVERYBODY, "time"), claims={"iat": earlier(7200), "exp": lambda _: from_now(-3600)}),
    "expired four minutes ago": Mutation(
        by((*GATEWAYS, "user pool", "AppSync", "load balancer"), "time"), claims={"exp": lambda _: from_now(-240)}
    ),
    "not valid yet": Mutation(by(EVERYBODY, "time"), claims={"nbf": lambda _: from_now(600)}),
    "issued in the future": Mutation(by(EVERYBODY, "time"), claims={"iat": later(600)}),
    "no kid": Mutation(by(VERIFIERS, "key"), header={"kid": ABSENT}),
    "a kid that nobody published": Mutation(by(VERIFIERS, "key"), header={"kid": "unknown"}),
    "a key of another algorithm": Mutation(by(VERIFIERS, "key") | {OURS: "signature"}, header={"kid": "forged-ES256"}),
    "another payload": Mutation(by(VERIFIERS, "signature"), signed=with_another_payload),
    "no signature": Mutation(by(VERIFIERS, "algorithm") | {OURS: "form"}, header={"alg": "none"}, signed=unsigned),
    "HS256 by the public key": Mutation(by(VERIFIERS, "algorithm"), header={"alg": "HS256"}, signed=by_public_key),
    "PS256": Mutation(by(("HTTP API", "REST API", *CREDENTIALS, "user pool"), "algorithm"), alg="PS256"),
    "ES256": Mutation(by(("HTTP API",), "algorithm"), alg="ES256"),
    "a slash on the issuer": Mutation(by(EVERYBODY, "issuer"), claims={"iss": lambda value: f"{value}/"}),
    "the issuer by http": Mutation(by(EVERYBODY, "issuer"), claims={"iss": lambda value: value.replace("https", "http")}),
    "the issuer in capitals": Mutation(by(EVERYBODY, "issuer"), claims={"iss": lambda value: value.replace("login", "Login")}),
    "another audience": Mutation(by(EVERYBODY, "audience"), claims={"aud": "https://another.example.com", "azp": ABSENT}),
    "no audience": Mutation(by(EVERYBODY, "audience"), claims={"aud": ABSENT, "azp": ABSENT}),
    "client_id in the place of the audience": Mutation(
        by(tuple(name for name in EVERYBODY if name != "HTTP API"), "audience"),
        claims={"client_id": "https://rs256.example.com", "aud": ABSENT, "azp": ABSENT},
    ),
    "two audiences": Mutation(
        by((*CREDENTIALS, "user pool"), "audience"), claims={"aud": lambda value: [value, "https://another.example.com"]}
    ),
    "scp, a list, in the place of scope": Mutation(by((OURS,), "scope"), claims={"scp": ["read"], "scope": ABSENT}),
    "no scope": Mutation(by(GATEWAYS, "scope"), claims={"scope": ABSENT}),
    "another scope": Mutation(by(GATEWAYS, "scope"), claims={"scope": "reading write"}),
    "the type of an ID token": Mutation(by((OURS,), "type"), header={"typ": "JWT"}),
    "no subject": Mutation(by((OURS, *CREDENTIALS, "user pool", "load balancer"), "claim"), claims={"sub": ABSENT}),
    "no auth_time": Mutation(by(("AppSync",), "time"), claims={"auth_time": ABSENT}),
    "signed in two hours ago": Mutation(by(("AppSync",), "time"), claims={"auth_time": lambda _: from_now(-7200)}),
    "another nonce": Mutation(by(("user pool",), "nonce"), claims={"nonce": "another"}),
    "more than 10 KB": Mutation(by(GATEWAYS, "size") | {OURS: "form"}, claims={"padding": "x" * 8_000}),
    "more than 20,000 characters": Mutation(by((*GATEWAYS, *CREDENTIALS), "size") | {OURS: "form"}, claims={"padding": "x" * 15_000}),
}
