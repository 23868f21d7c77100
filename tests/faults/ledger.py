"""Redeeming and refreshing under fire: clients that write down what was acknowledged, and a checker that replays it.

A client that gets no answer cannot know what happened, so it tries again with the same code or token, as a real one
does. What it did get an answer to must hold for ever.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Post = Callable[[dict[str, str]], tuple[int, dict[str, Any]] | None]
"""Posts a token request; None where no answer came."""


@dataclass(frozen=True)
class Entry:
    """One attempt: what was presented, and what came back. `status` is None where no answer came."""

    what: str
    presented: str
    status: int | None
    answer: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """What the clients saw, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lock = threading.Lock()

    def note(self, entry: Entry) -> Entry:
        with self._lock:
            self.entries.append(entry)
        return entry

    def acknowledged(self, what: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.what == what and entry.status == 200]

    def answered(self) -> int:
        return sum(entry.status == 200 for entry in self.entries)

    def unanswered(self) -> int:
        return sum(entry.status is None for entry in self.entries)


@dataclass(frozen=True)
class Ticket:
    """A code, and what else its redemption needs."""

    code: str
    form: dict[str, str]


class Client:
    """Redeems codes and refreshes what they gave, until it is told to stop."""

    def __init__(self, ledger: Ledger, post: Post, refreshes: int = 3) -> None:
        self.ledger, self.post, self.refreshes = ledger, post, refreshes

    def work(self, tickets: Iterator[Ticket], until: Callable[[], bool]) -> None:
        for ticket in tickets:
            if until():
                return
            token = self.persist("redeem", ticket.code, ticket.form)
            for _ in range(self.refreshes):
                if token is None or until():
                    break
                token = self.persist("refresh", token, {"grant_type": "refresh_token", "refresh_token": token})

    def persist(self, what: str, presented: str, form: dict[str, str]) -> str | None:
        """Try until there is an answer; return the refresh token that it brought."""
        for _ in range(1000):
            got = self.post(form)
            entry = self.ledger.note(Entry(what, presented, *(got or (None,))))
            if entry.status not in (None, 503):
                return entry.answer.get("refresh_token")
        return None


def faults_of(ledger: Ledger, tickets: dict[str, Ticket], post: Post) -> list[str]:
    """Compare the ledger with itself and with the server as it is now; return what does not hold."""
    return [*_in_ledger(ledger), *_lost(ledger, post), *_still_live(ledger, tickets, post)]


def _in_ledger(ledger: Ledger) -> Iterator[str]:
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in ledger.entries:
        if entry.status not in (None, 200, 400, 503):
            yield f"{entry.what} was answered with {entry.status}"
        if entry.status == 200:
            given[entry.what, entry.presented].add(entry.answer["refresh_token"])
    redeemed = [entry.presented for entry in ledger.acknowledged("redeem")]
    if len(set(redeemed)) != len(redeemed):
        yield "a code was redeemed twice"
    if any(len(successors) > 1 for successors in given.values()):
        yield "a refresh token has two successors"


def _lost(ledger: Ledger, post: Post) -> Iterator[str]:
    """The newest acknowledged token of each family must still work."""
    spent = {entry.presented for entry in ledger.acknowledged("refresh")}
    for entry in [*ledger.acknowledged("redeem"), *ledger.acknowledged("refresh")]:
        token = entry.answer["refresh_token"]
        if token in spent:
            continue
        got = post({"grant_type": "refresh_token", "refresh_token": token})
        if got is None or got[0] != 200:
            yield f"an acknowledged {entry.what} was lost: {got and (got[0], got[1].get('error'))}"


def _still_live(ledger: Ledger, tickets: dict[str, Ticket], post: Post) -> Iterator[str]:
    """No code that was redeemed, or may have been, can be redeemed again."""
    for code in {entry.presented for entry in ledger.entries if entry.what == "redeem"}:
        answers = [entry.status for entry in ledger.entries if entry.presented == code]
        got = post(tickets[code].form)
        if 200 in answers and (got is None or got[0] != 400):
            yield "a spent code is still live"
        again = post(tickets[code].form)
        if again is None or again[0] != 400:
            yield "a code can be redeemed for ever"
