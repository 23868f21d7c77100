"""One request to an AWS endpoint: TLS verified, in bounded time, with an answer of bounded size; plain http to this machine alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

if TYPE_CHECKING:
    from http.client import HTTPConnection

SECONDS = 3.0
MOST_BYTES = 256 * 1024
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class AwsUnreachable(Exception):
    """AWS was not asked, or did not answer; the text says why. `may_pass`: another try could do better."""

    def __init__(self, because: str, *, may_pass: bool = False) -> None:
        """Keep both."""
        super().__init__(because)
        self.may_pass = may_pass


def exchange(
    endpoint: SplitResult, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, plain: tuple[str, ...] = LOOPBACK
) -> tuple[int, bytes]:
    """Send one request; return status and body. `plain` are the hosts that may be spoken to without TLS. Raises AwsUnreachable."""
    from http.client import HTTPException

    connection = _connection(endpoint, plain)
    try:
        connection.request(method, path, body or None, dict(headers))
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        may_pass = isinstance(error, ConnectionError | HTTPException)
        raise AwsUnreachable(f"{endpoint.hostname} cannot be reached: {type(error).__name__}", may_pass=may_pass) from None
    finally:
        connection.close()
    if len(content) > MOST_BYTES:
        raise AwsUnreachable(f"{endpoint.hostname} answers more than {MOST_BYTES} bytes")
    return answer.status, content


def _connection(endpoint: SplitResult, plain: tuple[str, ...]) -> "HTTPConnection":
    from http.client import HTTPConnection, HTTPSConnection

    host = endpoint.hostname or ""
    if endpoint.scheme == "https" and host:
        import ssl

        return HTTPSConnection(host, endpoint.port, timeout=SECONDS, context=ssl.create_default_context())
    if endpoint.scheme == "http" and host in plain:
        return HTTPConnection(host, endpoint.port, timeout=SECONDS)
    raise AwsUnreachable("an AWS endpoint must be an https URL; http is for this machine alone")
