"""What an operator says in words, `name=value`, where there is no command line: in the invocation of a Lambda function."""

import json
from typing import Any

from authserver.admin.errors import Invalid
from authserver.crypto.digest import Digest
from authserver.oauth.client_metadata import TEXT_FIELDS

LONGEST_NAME_SHOWN = 40
SINGULAR = {
    "redirect_uri": "redirect_uris",
    "post_logout_redirect_uri": "post_logout_redirect_uris",
    "allowed_origin": "allowed_origins",
    "api": "apis",
}
"""Words by which a list is given value by value."""
OTHER_NAMES = {"auth_method": "token_endpoint_auth_method"}


class Words:
    """Texts by name; a name that was repeated has several. Each is taken once, and `finish` refuses what nobody took."""

    def __init__(self, texts: dict[str, list[str]]) -> None:
        """Keep them."""
        self._texts = texts

    def several(self, name: str) -> list[str]:
        """Take all texts of a name."""
        return self._texts.pop(name, [])

    def one(self, name: str) -> str | None:
        """Take the one text of a name; None where there is none. Raises Invalid."""
        texts = self.several(name)
        if len(texts) > 1:
            raise Invalid(name, "is given twice")
        return texts[0] if texts else None

    def digest(self, name: str) -> Digest | None:
        """Take a SHA-256, written in hexadecimal. Raises Invalid."""
        text = self.one(name)
        if text is None:
            return None
        if len(text) != 64 or not set(text.lower()) <= set("0123456789abcdef"):
            raise Invalid(name, "must be the 64 hexadecimal digits of a SHA-256")
        return Digest(bytes.fromhex(text))

    def metadata(self) -> dict[str, Any]:
        """Take all that is left as a client's metadata, as `authserver clients create` reads it. Raises Invalid."""
        values: dict[str, Any] = {SINGULAR[name]: self.several(name) for name in SINGULAR if name in self._texts}
        if "secret" in self._texts:
            raise Invalid("secret", "may stay in the logs of whoever invokes: give secret_sha256 instead")
        for word in list(self._texts):
            text, name = self.one(word) or "", OTHER_NAMES.get(word, word)
            if name in values:
                raise Invalid(name, "is given twice")
            values[name] = text if name in TEXT_FIELDS else _json_or_text(text)
        return values

    def finish(self) -> None:
        """Raise Invalid where something is left."""
        for name in self._texts:
            raise Invalid(name[:LONGEST_NAME_SHOWN], "is not known here")


def read_words(event: Any) -> Words:
    """Return the words of an invocation: `event["arguments"]`, a text or a list of texts by name. Raises Invalid."""
    given = event.get("arguments") if isinstance(event, dict) else None
    texts = {name: value if isinstance(value, list) else [value] for name, value in given.items()} if isinstance(given, dict) else {}
    if not isinstance(given, dict | None) or not all(isinstance(text, str) for name, found in texts.items() for text in (name, *found)):
        raise Invalid("arguments", "must be texts, or lists of texts, by name")
    return Words(texts)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
