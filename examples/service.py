"""A service that calls an API in its own name (client credentials), with a token that it uses until it expires.

ISSUER=http://localhost:9000 CLIENT_ID=… CLIENT_SECRET=… python service.py http://127.0.0.1:4000/
"""

import os
import sys
import time

import requests


class Tokens:
    """Access tokens for one API; each is used until shortly before it expires."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        discovery = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=10)
        discovery.raise_for_status()
        self.endpoint = discovery.json()["token_endpoint"]
        self.credentials = (client_id, client_secret)
        self.token, self.renew_at = "", 0.0

    def get(self) -> str:
        if time.monotonic() >= self.renew_at:
            answer = requests.post(self.endpoint, data={"grant_type": "client_credentials"}, auth=self.credentials, timeout=10)
            answer.raise_for_status()
            self.token = answer.json()["access_token"]
            self.renew_at = time.monotonic() + answer.json()["expires_in"] - 30
        return self.token


if __name__ == "__main__":
    tokens = Tokens(os.environ["ISSUER"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    called = requests.get(sys.argv[1], headers={"Authorization": f"Bearer {tokens.get()}"}, timeout=10)
    print(called.status_code, called.text)
