"""The operations that are measured, in an order in which each leaves what the next one needs, and the targets for them."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.load import Sent
from bench.trial import Trial

MOST_CPU_AT = 390.0
"""Microseconds of an RSA-2048 signature on the machine that the limits below are for."""


@dataclass(frozen=True)
class Operation:
    """One operation: how many times fewer CPU microseconds than the peer it is to take, and how many at most."""

    title: str
    run: Callable[[Trial, int], Sent]
    ratio: float = 1.3
    most_cpu: float | None = None


OPERATIONS = {
    "client_credentials_rs256": Operation("client credentials, RS256", lambda trial, n: trial.client_credentials("RS256", n), 1.7, 600),
    "client_credentials_es256": Operation("client credentials, ES256", lambda trial, n: trial.client_credentials("ES256", n), 2.0, 250),
    "authorize": Operation("signed-in authorize", Trial.authorize),
    "redeem": Operation("code redemption, ID token", Trial.redeem),
    "refresh": Operation("refresh, rotating", Trial.refresh),
    "introspect": Operation("introspection", Trial.introspect),
    "userinfo": Operation("userinfo", Trial.userinfo),
    "discovery": Operation("discovery", Trial.discovery),
    "jwks": Operation("JWKS", Trial.jwks),
}
