"""A relying party: it sends a browser through the authorization endpoint and redeems what comes back.

Every step is a method of its own, with its parameters open to change, so that a test can go wrong on purpose; a
parameter of None is left out.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OKPKey

from tests.factories import Made, Person
from tests.http_client import Answer, Http
from tests.pages import Page, follow, read

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUTHORIZE = "/oauth2/authorize"
TOKEN = "/oauth2/token"


@dataclass(frozen=True)
class Begun:
    """An authorization request that was sent, and what the client must remember of it."""

    parameters: dict[str, Any]
    verifier: str
    answer: Answer

    @property
    def url(self) -> str:
        return self.answer.url


@dataclass(frozen=True)
class Callback:
    """What arrived at the redirect URI."""

    parameters: dict[str, str]
    verifier: str
    address: str

    @property
    def code(self) -> str:
        assert "code" in self.parameters, self.parameters
        return self.parameters["code"]

    @property
    def error(self) -> str | None:
        return self.parameters.get("error")


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class RelyingParty:
    """`http` is the person's browser, `back` the client's own connection."""

    def __init__(self, http: Http, made: Made, *, back: Http | None = None, clock: Any = None) -> None:
        self.http, self.made, self.back, self.clock = http, made, back or http.fresh(), clock
        self.issuer = http.issuer

    # The browser's part

    def parameters(self, **changes: Any) -> tuple[dict[str, Any], str]:
        """The parameters of a good request, changed; and the verifier of its challenge."""
        verifier = secrets.token_urlsafe(48)
        parameters = {
            "client_id": self.made.client_id,
            "response_type": "code",
            "redirect_uri": self.made.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}, verifier

    def begin(self, **changes: Any) -> Begun:
        """Open the authorization endpoint; nothing is followed."""
        parameters, verifier = self.parameters(**changes)
        return Begun(parameters, verifier, self.http.get(f"{AUTHORIZE}?{urlencode(parameters, doseq=True)}"))

    def go_on(self, answer: Answer, person: Person | None, *, consent: str = "allow") -> Answer:
        """Do what the pages ask, until they lead away; without a person, stop at the first page."""
        for _ in range(6):
            answer = follow(self.http, answer)
            if answer.status != 200 or person is None or is_form_post(answer):
                return answer
            answer = self.fill(read(answer), person, consent)
        raise AssertionError(f"no end of pages: {read(answer).text}")

    def fill(self, page: Page, person: Person, consent: str) -> Answer:
        """Fill in a page and send it."""
        if page.asks_for_password:
            form = page.form("password")
            name = next(name for name, kind in form.types.items() if kind in ("email", "text"))
            return form.submit(self.http, **{name: person.email, str(form.named("password")): person.password})
        form = page.forms[0]
        values = [button.value for button in form.buttons]
        return form.submit(self.http, consent if consent in values else None)

    def authorize(self, person: Person | None, *, consent: str = "allow", **changes: Any) -> Callback:
        """Go the whole way to the redirect URI."""
        begun = self.begin(**changes)
        return self.callback(begun, self.go_on(begun.answer, person, consent=consent))

    def callback(self, begun: Begun, answer: Answer) -> Callback:
        """Read what arrives at the redirect URI."""
        address, parameters = arrived(answer)
        assert address == begun.parameters.get("redirect_uri", self.made.redirect_uri), f"{answer.status}: {read(answer).text[:500]}"
        return Callback(parameters, begun.verifier, address)

    # The client's part

    def credentials(self, **claims: Any) -> tuple[dict[str, str], dict[str, str]]:
        """The headers and parameters by which the client authenticates."""
        made = self.made
        match made.client.auth_method:
            case "client_secret_basic":
                pair = f"{quote_plus(made.client_id)}:{quote_plus(str(made.secret))}"
                return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, {}
            case "client_secret_post":
                return {}, {"client_id": made.client_id, "client_secret": str(made.secret)}
            case "private_key_jwt":
                return {}, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(**claims)}
        return {}, {"client_id": made.client_id}

    def assertion(self, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """An assertion; a claim of None is left out."""
        now = self.clock.timestamp()
        all_claims = {
            "iss": self.made.client_id,
            "sub": self.made.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(12),
            **claims,
        }
        key = key or self.made.key
        sent = {"alg": key.get("alg"), "kid": key.kid, **(header or {})}
        kept = {name: value for name, value in all_claims.items() if value is not None}
        return joserfc_jwt.encode(sent, kept, key, algorithms=["RS256", "PS256", "ES256", "Ed25519", "HS256"])

    def token(self, *, headers: dict[str, str] | None = None, authenticate: bool = True, **data: Any) -> Answer:
        """Post to the token endpoint."""
        sent, own = self.credentials() if authenticate else ({}, {})
        return self.back.post(TOKEN, {**own, **data}, headers={**sent, **(headers or {})})

    def redeem(self, callback: Callback, **changes: Any) -> Answer:
        """Redeem a code."""
        data = {
            "grant_type": "authorization_code",
            "code": callback.code,
            "redirect_uri": callback.address,
            "code_verifier": callback.verifier,
        }
        return self.token(**{**data, **changes})

    def sign_in(self, person: Person, **changes: Any) -> dict[str, Any]:
        """Authorize and redeem; return the token response."""
        answer = self.redeem(self.authorize(person, **changes))
        assert answer.status == 200, answer.text
        return answer.json

    def refresh(self, refresh_token: str, **changes: Any) -> Answer:
        return self.token(**{"grant_type": "refresh_token", "refresh_token": refresh_token, **changes})

    def client_credentials(self, **changes: Any) -> Answer:
        return self.token(**{"grant_type": "client_credentials", **changes})

    def introspect(self, token: str, **changes: Any) -> Answer:
        headers, own = self.credentials()
        return self.back.post("/oauth2/introspect", {**own, "token": token, **changes}, headers=headers)

    def is_active(self, token: str) -> bool:
        answer = self.introspect(token)
        assert answer.status == 200, answer.text
        return bool(answer.json["active"])

    def revoke(self, token: str, **changes: Any) -> Answer:
        headers, own = self.credentials()
        return self.back.post("/oauth2/revoke", {**own, "token": token, **changes}, headers=headers)

    def userinfo(self, access_token: str) -> Answer:
        return self.back.get("/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def served_keys(self) -> dict[str, dict[str, Any]]:
        """The served keys by kid."""
        document = self.back.get("/.well-known/jwks.json").json
        return {key["kid"]: key for key in document["keys"]}

    def verify(self, token: str, audience: str | None = None) -> dict[str, Any]:
        """Verify a JWT of the server's with an independent library, by the clock of the test."""
        header = jwt.get_unverified_header(token)
        key = self.served_keys()[header["kid"]]
        assert key["alg"] == header["alg"]
        if header["alg"] == "Ed25519":
            claims = dict(joserfc_jwt.decode(token, OKPKey.import_key(key), algorithms=["Ed25519"]).claims)
            assert claims["iss"] == self.issuer
            assert audience is None or audience in ([claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"])
        else:
            checks = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": audience is not None}
            names = [header["alg"]]
            claims = jwt.decode(token, jwt.PyJWK(key), algorithms=names, audience=audience, issuer=self.issuer, options=checks)
        if self.clock is not None:
            assert claims["iat"] <= self.clock.timestamp() < claims["exp"]
        return claims


def is_form_post(answer: Answer) -> bool:
    """Whether this is a page that posts the answer to the client."""
    forms = read(answer).forms if answer.status == 200 else []
    return len(forms) == 1 and "iss" in forms[0].fields and bool({"code", "error"} & set(forms[0].fields))


def arrived(answer: Answer) -> tuple[str, dict[str, str]]:
    """Return the address that an answer leads to, without what we added, and the parameters."""
    if is_form_post(answer):
        form = read(answer).forms[0]
        return form.action, form.fields
    parts = urlsplit(answer.location or "")
    pairs = parse_qsl(parts.query or parts.fragment, keep_blank_values=True, strict_parsing=True) if parts.query or parts.fragment else []
    assert len(dict(pairs)) == len(pairs), f"a parameter is repeated: {pairs}"
    return parts._replace(query="", fragment="").geturl(), dict(pairs)
