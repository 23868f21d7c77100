"""A server that is measured, whoever made it: where it listens, its processes, and the browsers that are signed in to it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVICE, SECRET = "bench-service", "a-secret-of-the-benchmark-that-is-long-enough"
APP, REDIRECT_URI = "bench-app", "https://app.example.org/callback"
APIS = {"RS256": "https://api.example.com", "ES256": "https://fast.example.com"}
SCOPES = {"read": "Read your things", "write": "Change your things"}
NAMES = {"name": "Alice Example", "given_name": "Alice", "family_name": "Example", "email_verified": True}
PEOPLE = 300
"""So many that none collects an unusual number of grants."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A running server with two clients, two APIs and signed-in people.

    `cookies` are the Cookie headers of their browsers. `at_userinfo` is the API of a token that userinfo and
    introspection take; None where they take only tokens for no API. The database's processes are counted apart.
    """

    name: str
    port: int
    pids: list[int]
    cookies: list[str]
    at_userinfo: str | None
    stop: Callable[[], None]
    database_pids: Callable[[], list[int]] = list

    @property
    def issuer(self) -> str:
        """Where it says that it is."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for a contestant's files, and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="authserver-bench-", dir=parent))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def memory() -> Path:
    """Return a folder in memory, where there is one: the peer keeps everything in memory too."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
