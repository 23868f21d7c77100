"""An authorization request while it is checked: client and redirect URI are trusted, the rest is not yet."""

from dataclasses import dataclass

from authserver.oauth.request import Payload
from authserver.store.client import Client


@dataclass(frozen=True, slots=True)
class Draft:
    """What the checks of SPECS read. `redirect_uri` is where answers may go."""

    client: Client
    redirect_uri: str
    payload: Payload

    @property
    def is_openid(self) -> bool:
        """Tell whether this is an OpenID Connect request (Core section 3.1.2.1)."""
        return "openid" in (self.payload.scope or "").split(" ")
