# pip install "pyjwt[crypto]" requests
# CLIENT_KEY_FILE: the private key (PEM) whose public key is registered here; CLIENT_KEY_ID: its kid
import os
import secrets
import time
from pathlib import Path

import jwt
import requests

ISSUER = {{js issuer}}
CLIENT_ID = {{js client_id}}
TOKEN_ENDPOINT = {{js token_endpoint}}
KEY = Path(os.environ["CLIENT_KEY_FILE"]).read_text()
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASK = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
ASK["resource"] = {{js resource}}
known = {"token": "", "until": 0.0}


def assertion() -> str:
    """Sign who we are, for the issuer, once and for a minute (RFC 7523)."""
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": ISSUER, "exp": int(time.time()) + 60, "jti": secrets.token_urlsafe(16)}
    return jwt.encode(claims, KEY, {{js key_alg}}, headers={"kid": os.environ["CLIENT_KEY_ID"]})


def access_token() -> str:
    """Return a token that is good for another half minute at least; it is fetched anew only when it gets old."""
    if time.monotonic() > known["until"]:
        answer = requests.post(TOKEN_ENDPOINT, data={**ASK, "client_assertion": assertion()}, timeout=10)
        answer.raise_for_status()
        known["token"], known["until"] = answer.json()["access_token"], time.monotonic() + answer.json()["expires_in"] - 30
    return known["token"]


if __name__ == "__main__":
    print(access_token())  # requests.get(url, headers={"Authorization": f"Bearer {access_token()}"}, timeout=10)
