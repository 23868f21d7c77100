"""Which browsers have signed in to an account before, so that strangers' attempts do not count against them
(OWASP ASVS 5.0 section 6.1.1).

The cookie is `device id~mark~mark…`: a random id, and a mark on it for each of the last accounts. It tells nobody
which accounts these are, it opens nothing, and it needs no row.
"""

from authserver.crypto.digest import new_token
from authserver.crypto.mark import is_marked, mark
from authserver.runtime import Runtime

PURPOSE = "known device"
MOST_ACCOUNTS = 5


def find_device(runtime: Runtime, token: str | None, account: str) -> str | None:
    """Return the device's id where it has signed in to the account before."""
    device, marks = _split(token)
    known = any(is_marked(runtime.keys, each, PURPOSE, device, account) for each in marks)
    return device if known else None


def remember(runtime: Runtime, token: str | None, account: str) -> str:
    """Return the device's new cookie, the account in front."""
    device, marks = _split(token)
    device = device or new_token(runtime.new_secret)
    others = [each for each in marks if not is_marked(runtime.keys, each, PURPOSE, device, account)]
    return "~".join([device, mark(runtime.keys, PURPOSE, device, account), *others[: MOST_ACCOUNTS - 1]])


def _split(token: str | None) -> tuple[str, list[str]]:
    device, *marks = (token or "").split("~")
    return device, marks[:MOST_ACCOUNTS]
