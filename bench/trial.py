"""What is asked of one contestant, and the state that this takes: its endpoints, codes and refresh tokens."""

import base64
import itertools
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests

from bench.contestant import APIS, APP, SECRET, SERVICE, Contestant
from bench.flow import NONCE, authorization_query, redemption
from bench.load import SLOT, Load, Order, Sent

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BASIC = f"Authorization: Basic {base64.b64encode(f'{SERVICE}:{SECRET}'.encode()).decode()}\r\n"
CODE, REFRESH_TOKEN = r"[?&]code=([^&\s]+)", r'"refresh_token":"([^"]+)"'
FAMILIES = 64
"""Refresh families that take turns."""


class Trial:
    """One contestant under load."""

    def __init__(self, contestant: Contestant, load: Load, connections: int) -> None:
        self.contestant, self.load, self.connections = contestant, load, connections
        self.codes: list[str] = []
        self.refresh_tokens: list[str] = []
        self.user_token = ""
        self.cookies = itertools.cycle(contestant.cookies)
        self.metadata: dict[str, str] = self._json(f"{contestant.issuer}/.well-known/openid-configuration")

    # The operations

    def client_credentials(self, alg: str, times: int) -> Sent:
        """A machine's token for an API whose tokens are signed with `alg`."""
        body = {"grant_type": "client_credentials", "scope": "read", "resource": APIS[alg]}
        return self._send([self._post("token_endpoint", BASIC)], [urlencode(body)], times)

    def authorize(self, times: int) -> Sent:
        """A code for a person who is signed in, without a page."""
        path = urlsplit(self.metadata["authorization_endpoint"]).path
        query = authorization_query(APIS["RS256"])
        heads = [self._head(f"GET {path}?{query}", f"Cookie: {cookie}\r\n") for cookie in itertools.islice(self.cookies, times)]
        sent = self._send(heads, [""], times, status=303, capture=CODE)
        self.codes = sent.captured
        return sent

    def redeem(self, times: int) -> Sent:
        """A code turned into access token, ID token and refresh token."""
        if len(self.codes) < times:
            self.authorize(times)
        codes, self.codes = self.codes[:times], []
        bodies = [urlencode(redemption(code)) for code in codes]
        sent = self._send([self._post("token_endpoint")] * times, bodies, times, capture=REFRESH_TOKEN)
        self.refresh_tokens = sent.captured[:FAMILIES]
        return sent

    def refresh(self, times: int) -> Sent:
        """A refresh token turned into the next one, with access token and ID token."""
        if not self.refresh_tokens:
            self.redeem(FAMILIES)
        body = urlencode({"grant_type": "refresh_token", "client_id": APP}) + f"&refresh_token={SLOT}"
        order = self._order([self._post("token_endpoint")], [body], times)
        sent = self.load.send(replace(order, capture=REFRESH_TOKEN, slots=self.refresh_tokens))
        self.refresh_tokens = sent.slots
        return sent

    def introspect(self, times: int) -> Sent:
        """What an API learns of a user's access token."""
        body = urlencode({"token": self.user_token})
        return self._send([self._post("introspection_endpoint", BASIC)], [body], times, capture=r'"active":(true)')

    def userinfo(self, times: int) -> Sent:
        """Who the user is."""
        path = urlsplit(self.metadata["userinfo_endpoint"]).path
        return self._send([self._head(f"GET {path}", f"Authorization: Bearer {self.user_token}\r\n")], [""], times)

    def discovery(self, times: int) -> Sent:
        """The metadata document."""
        return self._send([self._head("GET /.well-known/openid-configuration")], [""], times)

    def jwks(self, times: int) -> Sent:
        """The public keys."""
        return self._send([self._head(f"GET {urlsplit(self.metadata['jwks_uri']).path}")], [""], times)

    # Before the operations

    def check(self) -> None:
        """Do each operation once and look at what comes back, with a library of a third party. Raises AssertionError, PyJWTError."""
        for alg, api in APIS.items():
            tokens = self._token({"grant_type": "client_credentials", "scope": "read", "resource": api}, auth=(SERVICE, SECRET))
            claims = self._verify(tokens["access_token"], api)
            assert claims["scope"] == "read", claims
            assert jwt.get_unverified_header(tokens["access_token"])["alg"] == alg
        tokens = self._token(redemption(self._code(APIS["RS256"])))
        self._check_tokens(tokens, NONCE)
        self._check_tokens(self._token({"grant_type": "refresh_token", "client_id": APP, "refresh_token": tokens["refresh_token"]}), None)
        self.renew_user_token()
        known = requests.get(self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {self.user_token}"}, timeout=10).json()
        assert {"sub", "email", "name"} <= set(known), known
        looked_up = requests.post(
            self.metadata["introspection_endpoint"], data={"token": self.user_token}, auth=(SERVICE, SECRET), timeout=10
        ).json()
        assert looked_up["active"] is True, looked_up

    def renew_user_token(self) -> None:
        """Get a user's access token that introspection and userinfo take."""
        self.user_token = self._token(redemption(self._code(self.contestant.at_userinfo)))["access_token"]

    def _check_tokens(self, tokens: dict[str, Any], nonce: str | None) -> None:
        access, identity = self._verify(tokens["access_token"], APIS["RS256"]), self._verify(tokens["id_token"], APP)
        assert access["roles"] == ["editor"], access
        assert access["sub"] == identity["sub"], identity
        assert identity.get("nonce") == nonce or nonce is None, identity
        assert tokens["refresh_token"], tokens

    def _verify(self, token: str, audience: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        keys = self._json(self.metadata["jwks_uri"])["keys"]
        key = next(key for key in keys if key["kid"] == header["kid"])
        claims: dict[str, Any] = jwt.decode(
            token, jwt.PyJWK(key), algorithms=list(APIS), audience=audience, issuer=self.contestant.issuer, leeway=5
        )
        return claims

    def _code(self, resource: str | None) -> str:
        url = f"{self.metadata['authorization_endpoint']}?{authorization_query(resource)}"
        answer = requests.get(url, headers={"Cookie": next(self.cookies)}, allow_redirects=False, timeout=10)
        assert answer.status_code == 303, answer.text
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def _token(self, parameters: dict[str, str], auth: tuple[str, str] | None = None) -> dict[str, Any]:
        answer = requests.post(self.metadata["token_endpoint"], data=parameters, auth=auth, timeout=10)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def _json(self, url: str) -> Any:
        answer = requests.get(url, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # How requests are written

    def _send(self, heads: list[str], bodies: list[str], times: int, **more: Any) -> Sent:
        return self.load.send(replace(self._order(heads, bodies, times), **more))

    def _order(self, heads: list[str], bodies: list[str], times: int) -> Order:
        return Order(
            port=self.contestant.port,
            heads=heads,
            bodies=bodies,
            times=times,
            connections=self.connections,
            pids=self.contestant.pids,
            database_pids=self.contestant.database_pids(),
        )

    def _post(self, endpoint: str, more: str = "") -> str:
        return self._head(f"POST {urlsplit(self.metadata[endpoint]).path}", FORM + more)

    def _head(self, what: str, more: str = "") -> str:
        return f"{what} HTTP/1.1\r\nHost: 127.0.0.1:{self.contestant.port}\r\n{more}"
