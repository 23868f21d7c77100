"""Counters for Prometheus, cheap enough for the token path (Prometheus exposition format 0.0.4).

With PROMETHEUS_MULTIPROC_DIR set, as `authserver serve` does where metrics are on, the counters of all worker
processes lie in files of that folder and are shown as their sum.
"""

from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from authserver.runtime.settings import environ

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_tokens = Counter("authserver_tokens_issued", "Token responses by grant type", ["grant_type"])
_refusals = Counter("authserver_requests_refused", "Refused OAuth requests by endpoint and error", ["endpoint", "error"])
_sign_ins = Counter("authserver_sign_ins", "Sign-ins by outcome: ok, refused, limited", ["outcome"])
_reuse = Counter("authserver_refresh_reuse_detected", "Refresh families ended because an old token came back")
_events = Counter("authserver_events", "Audit events by action and outcome", ["action", "outcome"])
_responses = Counter("authserver_responses", "Answers by endpoint and class of status", ["endpoint", "status"])
_pool_waits = Counter("authserver_database_pool_waits", "Times that all database connections were in use when one was needed")
_hash_waits = Counter("authserver_password_hash_waits", "Passwords that waited for their turn to be hashed")
_hash_refusals = Counter("authserver_password_hash_refusals", "Passwords refused because the wait was too long")


def counted() -> dict[tuple[str, str], int]:
    """Return what this process has counted so far, for the console's charts, by name and label."""
    of = {"tokens": (_tokens, "grant_type"), "sign_ins": (_sign_ins, "outcome"), "refusals": (_refusals, "error")}
    totals: Counts[tuple[str, str]] = Counts()
    for name, (counter, label) in of.items():
        for sample in next(iter(counter.collect())).samples:
            if sample.name.endswith("_total"):
                totals[name, sample.labels[label]] += int(sample.value)
    return dict(totals)


def tokens_issued(grant_type: str) -> None:
    """Count a token response."""
    _child(_tokens, grant_type).inc()


def reuse_detected() -> None:
    """Count a reused refresh token."""
    _reuse.inc()


def sign_in_limited() -> None:
    """Count a sign-in that was refused unseen, for being one too many."""
    _sign_ins.labels("limited").inc()


def happened(action: str, outcome: str, error: str) -> None:
    """Count an audit event; `<endpoint>.refuse` ones by endpoint and error, `sign_in` ones by outcome."""
    _child(_events, action, outcome).inc()
    endpoint, _, what = action.rpartition(".")
    if what == "refuse":
        _refusals.labels(endpoint, error).inc()
    elif action == "sign_in":
        _sign_ins.labels(outcome).inc()


def answered(endpoint: str, status: int) -> None:
    """Count an answer."""
    _child(_responses, endpoint, f"{status // 100}xx").inc()


def pool_waits() -> None:
    """Count a statement that waits for a database connection."""
    _pool_waits.inc()


def hash_waits() -> None:
    """Count a password that waits for its turn to be hashed."""
    _hash_waits.inc()


def hash_refused() -> None:
    """Count a password that waited too long."""
    _hash_refusals.inc()


@cache
def _child(counter: Counter, *labels: str) -> Counter:
    """Look a counter's child up: prometheus_client takes a lock for that."""
    return counter.labels(*labels)


class _KeyAges(Collector):
    """How long the key of each algorithm has been signing."""

    def __init__(self, ages: Mapping[str, float]) -> None:
        self._ages = ages

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("authserver_signing_key_age_seconds", "How long the current key has been signing", labels=["alg"])
        for alg, age in self._ages.items():
            family.add_metric([alg], age)
        yield family


def exposition(key_ages: Mapping[str, float]) -> bytes:
    """Write all metrics, of all worker processes where they share a folder; `key_ages` are seconds by algorithm."""
    registry = CollectorRegistry()
    registry.register(_KeyAges(key_ages))
    folder = environ().get(FOLDER)
    if not folder:
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
