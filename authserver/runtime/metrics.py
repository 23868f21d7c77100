"""Counters for Prometheus and CloudWatch, cheap enough for the token path (Prometheus exposition format 0.0.4).

A process counts in a dict. With PROMETHEUS_MULTIPROC_DIR set, as `authserver serve` does where metrics are on, it counts
in files of that folder too, and the sum over all worker processes is shown. prometheus_client is imported only for these
two, since it costs a cold start more than all that is counted.
"""

from collections import Counter as Counts
from collections import deque
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING

from authserver.runtime.settings import environ

if TYPE_CHECKING:
    from prometheus_client import Counter
    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_lock = Lock()
_lags: deque[float] = deque(maxlen=100)


class Tally:
    """One counter with its labels."""

    def __init__(self, name: str, about: str, *labels: str) -> None:
        """Begin at nothing; without labels, at zero."""
        self.name = name
        self.about = about
        self.labels = labels
        self.counts: Counts[tuple[str, ...]] = Counts() if labels else Counts({(): 0})
        self._shared = self._share() if environ().get(FOLDER) else None
        self._children: dict[tuple[str, ...], Counter] = {}  # prometheus_client takes a lock to find one

    def add(self, *labels: str) -> None:
        """Count one."""
        with _lock:
            self.counts[labels] += 1
        if self._shared is not None:
            self._child(self._shared, labels).inc()

    def sum(self, *labels: str) -> int:
        """Return how many were counted in this process, in all or with these labels."""
        with _lock:
            return self.counts[labels] if labels else self.counts.total()

    def _child(self, shared: "Counter", labels: tuple[str, ...]) -> "Counter":
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = shared.labels(*labels) if labels else shared
        return child

    def _share(self) -> "Counter":
        from prometheus_client import Counter

        return Counter(self.name, self.about, self.labels)


TOKENS = Tally("authserver_tokens_issued", "Token responses by grant type", "grant_type")
REFUSALS = Tally("authserver_requests_refused", "Refused OAuth requests by endpoint and error", "endpoint", "error")
SIGN_INS = Tally("authserver_sign_ins", "Sign-ins by outcome: ok, refused, limited", "outcome")
REUSE = Tally("authserver_refresh_reuse_detected", "Refresh families ended because an old token came back")
EVENTS = Tally("authserver_events", "Audit events by action and outcome", "action", "outcome")
RESPONSES = Tally("authserver_responses", "Answers by endpoint and class of status", "endpoint", "status")
POOL_WAITS = Tally("authserver_database_pool_waits", "Times that all database connections were in use when one was needed")
HASH_WAITS = Tally("authserver_password_hash_waits", "Passwords that waited for their turn to be hashed")
HASH_REFUSALS = Tally("authserver_password_hash_refusals", "Passwords refused because the wait was too long")

ALL = (TOKENS, REFUSALS, SIGN_INS, REUSE, EVENTS, RESPONSES, POOL_WAITS, HASH_WAITS, HASH_REFUSALS)


def counted() -> dict[tuple[str, str], int]:
    """Return what this process has counted so far, for the console's charts, by name and label."""
    totals: Counts[tuple[str, str]] = Counts()
    with _lock:
        for name, tally in (("tokens", TOKENS), ("sign_ins", SIGN_INS), ("refusals", REFUSALS)):
            for labels, count in tally.counts.items():
                totals[name, labels[-1]] += count
    return dict(totals)


def tokens_issued(grant_type: str) -> None:
    """Count a token response."""
    TOKENS.add(grant_type)


def reuse_detected() -> None:
    """Count a reused refresh token."""
    REUSE.add()


def sign_in_limited() -> None:
    """Count a sign-in that was refused unseen, for being one too many."""
    SIGN_INS.add("limited")


def happened(action: str, outcome: str, error: str) -> None:
    """Count an audit event; `<endpoint>.refuse` ones by endpoint and error, `sign_in` ones by outcome."""
    EVENTS.add(action, outcome)
    endpoint, _, what = action.rpartition(".")
    if what == "refuse":
        REFUSALS.add(endpoint, error)
    elif action == "sign_in":
        SIGN_INS.add(outcome)


def answered(endpoint: str, status: int) -> None:
    """Count an answer."""
    RESPONSES.add(endpoint, f"{status // 100}xx")


def answers_5xx() -> int:
    """Return how many answers of this process said that it could not do its work."""
    with _lock:
        return sum(count for (_, status), count in RESPONSES.counts.items() if status == "5xx")


def pool_waits() -> None:
    """Count a statement that waits for a database connection."""
    POOL_WAITS.add()


def hash_waits() -> None:
    """Count a password that waits for its turn to be hashed."""
    HASH_WAITS.add()


def hash_refused() -> None:
    """Count a password that waited too long."""
    HASH_REFUSALS.add()


def janitor_lagged(seconds: float) -> None:
    """Note how long the oldest row that should be gone was overdue when the janitor came."""
    _lags.append(seconds)


def janitor_lags() -> list[float]:
    """Take what was noted since the last time."""
    return [_lags.popleft() for _ in range(len(_lags))]


def exposition(key_ages: Mapping[str, float]) -> bytes:
    """Write all metrics, of all worker processes where they share a folder; `key_ages` are seconds by algorithm."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    folder, registry = environ().get(FOLDER), CollectorRegistry()
    registry.register(_Own(key_ages, () if folder else ALL))
    if not folder:
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Own:
    """What this process shows: its tallies, and how long the key of each algorithm has been signing."""

    def __init__(self, ages: Mapping[str, float], tallies: tuple[Tally, ...]) -> None:
        self._ages = ages
        self._tallies = tallies

    def collect(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        ages = GaugeMetricFamily("authserver_signing_key_age_seconds", "How long the current key has been signing", labels=["alg"])
        for alg, age in self._ages.items():
            ages.add_metric([alg], age)
        yield ages
        for tally in self._tallies:
            family = CounterMetricFamily(tally.name, tally.about, labels=tally.labels)
            for labels, count in dict(tally.counts).items():
                family.add_metric(labels, count)
            yield family
